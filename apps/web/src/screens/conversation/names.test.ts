import type { AccountId } from '@sotto/contract/ids';
import type { ConversationSummary, Person } from '@sotto/engine/views';
import { expect, test } from 'vitest';
import { adderOf } from './names.ts';

const [me, ann, bob] = ['me', 'ann', 'bob'] as AccountId[];
const person = { account: ann, handle: 'ann', name: 'Ann' } as Person;
const by = (note: NonNullable<ConversationSummary['last']>['note']) =>
  ({
    text: '',
    time: 0,
    mine: false,
    status: 'sent',
    from: ann,
    people: { ann: person },
    note,
  }) as NonNullable<ConversationSummary['last']>;

test('nobody is said to have added this account but who did', () => {
  expect(adderOf(by({ kind: 'added', accounts: [bob!, me!] }), me)).toBe(person);
  expect(adderOf(by({ kind: 'added', accounts: [bob!] }), me)).toBeUndefined();
  expect(adderOf(by({ kind: 'title', text: 'Hiking' }), me)).toBeUndefined();
  expect(adderOf(by(undefined), me)).toBeUndefined();
  expect(adderOf(undefined, me)).toBeUndefined();
});
