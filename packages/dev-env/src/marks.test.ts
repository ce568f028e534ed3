import type { Content, SettingsContent } from '@sotto/contract/content';
import { leastReach } from '@sotto/engine/conversations/status';
import { mergeMarks, withMarks } from '@sotto/engine/conversations/marks';
import { prunePending } from '@sotto/engine/conversations/pending';
import { takeSettings } from '@sotto/engine/conversations/settings';
import { apply } from '@sotto/engine/inbox/apply';
import type { Known } from '@sotto/engine/inbox/decrypt';
import { openModel } from '@sotto/engine/model';
import type { Marks, MessageRow, SelfRow } from '@sotto/engine/rows';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

const ME = 'm'.repeat(43);
const PEER = 'p'.repeat(43);
const ID = 'AAAAAAAAAAAAAAAAAAAAAA';

const row: MessageRow = {
  conversation: PEER,
  id: ID,
  order: 5,
  from: PEER,
  device: 'd',
  sentAt: 5,
  at: 5,
  status: 'delivered',
  text: 'first',
};

const time = fc.nat({ max: 6 });
const account = fc.constantFrom(ME, PEER);
const marks: fc.Arbitrary<Marks> = fc.oneof(
  fc
    .record({ text: fc.constantFrom('a', 'b', 'c'), sentAt: fc.nat({ max: 30 }) })
    .map((edit) => ({ edits: [edit] })),
  fc
    .tuple(account, fc.constantFrom('+', '-', null), time)
    .map(([by, emoji, sentAt]) => ({ reactions: { [by]: { emoji, sentAt } } })),
  fc
    .tuple(
      account,
      fc.constantFrom('one', 'two'),
      fc.constantFrom('delivered' as const, 'read' as const),
      time,
    )
    .map(([by, device, reach, at]) => ({
      reached: { [by]: { [device]: reach } },
      reachedAt: { [by]: { [reach]: at } },
    })),
);
const deletion: fc.Arbitrary<Marks> = fc
  .tuple(account, time)
  .map(([by, sentAt]) => ({ deleted: { by, sentAt } }));
const some = fc.array(fc.oneof({ weight: 20, arbitrary: marks }, { weight: 1, arbitrary: deletion }), {
  maxLength: 30,
});

describe('what is said of a message', () => {
  it('comes to the same in every order, however often, before the message and after it', () => {
    const property = fc.property(
      some.chain((all) =>
        fc.tuple(
          fc.constant(all),
          fc.shuffledSubarray(all, { minLength: all.length }),
          fc.array(fc.nat({ max: Math.max(0, all.length - 1) }), { maxLength: all.length > 0 ? 5 : 0 }),
          fc.nat({ max: all.length }),
        ),
      ),
      ([all, shuffled, repeats, before]) => {
        const straight = all.reduce<MessageRow>(withMarks, row);
        const other = [...shuffled, ...repeats.map((at) => all[at]!)];
        const pending = other.slice(0, before).reduce<Marks>(mergeMarks, {});
        const turned = [pending, ...other.slice(before)].reduce<MessageRow>(withMarks, row);
        expect({ ...turned, unindexed: 1 }).toEqual({ ...straight, unindexed: 1 });
      },
    );
    fc.assert(property, { numRuns: 2000 });
  });

  it('leaves the row as it is when it says nothing new', () => {
    const edited = withMarks(row, { edits: [{ text: 'second', sentAt: 9 }] });
    expect(edited).toMatchObject({ text: 'second', edited: 9, unindexed: 1 });
    expect(withMarks(edited, { edits: [{ text: 'second', sentAt: 9 }] })).toBe(edited);
    const older = withMarks(edited, { edits: [{ text: 'between', sentAt: 7 }] });
    expect(older.text).toBe('second');
    expect(older.edits!.map(({ text }) => text)).toEqual(['first', 'between']);
  });

  it('keeps the first text and the last ten, and of a deleted message nothing', () => {
    const edits = Array.from({ length: 40 }, (_, at) => ({ text: `${at}`, sentAt: 10 + at }));
    const edited = edits.reduce<MessageRow>((message, edit) => withMarks(message, { edits: [edit] }), row);
    expect(edited.text).toBe('39');
    expect(edited.edits!.map(({ text }) => text)).toEqual([
      'first',
      ...edits.slice(30, 39).map(({ text }) => text),
    ]);
    const deleted = withMarks(
      { ...edited, starred: 1, reply: { author: ME, id: 'x' } },
      { deleted: { by: PEER, sentAt: 1 } },
    );
    expect(deleted).toEqual({ ...row, text: '', deleted: { by: PEER, sentAt: 1 }, unindexed: 1 });
  });
});

describe('how far a message came', () => {
  it('is as far as with who has come least far, with the device of theirs that has come furthest', () => {
    const reached: Marks['reached'] = { a: { one: 'delivered', two: 'read' }, b: { one: 'delivered' } };
    expect(leastReach(reached, ['a'])).toBe('read');
    expect(leastReach(reached, ['b'])).toBe('delivered');
    expect(leastReach(reached, ['a', 'b'])).toBe('delivered');
    expect(leastReach(reached, ['a', 'c'])).toBeUndefined();
    expect(leastReach(undefined, ['a'])).toBeUndefined();
    expect(leastReach(reached, [])).toBeUndefined();
  });
});

describe('the order of arrival', () => {
  const from = { account: PEER, device: 'theirs' };
  const self = { key: 'self', account: ME, device: 'mine', name: 'Me' } as SelfRow;

  /** What is stored of the conversation once all of it has come. */
  const outcome = async (arrivals: readonly { content: Content; own?: boolean }[]) => {
    const store = createMemoryDisk().open();
    await store.commit([{ table: 'self', put: self }]);
    const model = await openModel(store);
    await model.change((draft) =>
      draft.put('conversation', { id: PEER, createdAt: 0, unread: 0, floors: {} }, PEER),
    );
    for (const { content, own } of arrivals) {
      await model.change((draft) =>
        apply(draft, content as Known, {
          from: own ? { account: ME, device: 'other' } : from,
          conversation: PEER,
          at: own ? 7 : 6,
          now: 100,
          me: ME,
          request: false,
        }),
      );
    }
    const conversation = (await store.get('conversation', PEER))!;
    return {
      messages: await store.messages({ conversation: PEER }, { limit: 10 }),
      pending: await store.all('pending'),
      outbox: await store.all('outbox'),
      unread: conversation.unread,
      mentioned: conversation.mentioned ?? 0,
      last: conversation.last,
      left: conversation.pending,
    };
  };

  const THEIRS = 'BBBBBBBBBBBBBBBBBBBBBA';
  const OWN = 'CCCCCCCCCCCCCCCCCCCCCA';
  const mention = [{ account: ME, start: 0, length: 1 }];
  const all = [
    { content: { kind: 'text', id: THEIRS, sentAt: 1, text: 'text' } },
    { content: { kind: 'edit', message: THEIRS, sentAt: 2, text: 'one', mentions: mention } },
    { content: { kind: 'edit', message: THEIRS, sentAt: 3, text: 'two', mentions: mention } },
    { content: { kind: 'reaction', to: { author: PEER, id: THEIRS }, sentAt: 4, emoji: '+' } },
    { content: { kind: 'reaction', to: { author: PEER, id: THEIRS }, sentAt: 5, emoji: null }, own: true },
    { content: { kind: 'text', id: OWN, sentAt: 2, text: 'mine', timer: 60 }, own: true },
    { content: { kind: 'receipt', status: 'delivered', messages: [OWN] } },
    { content: { kind: 'receipt', status: 'read', messages: [OWN] } },
    { content: { kind: 'reaction', to: { author: ME, id: OWN }, sentAt: 9, emoji: '!' } },
  ] as { content: Content; own?: boolean }[];

  it('makes no difference, and nothing that comes before its message is lost', async () => {
    const expected = await outcome(all);
    expect(expected.messages.map(({ text, status }) => [text, status])).toEqual([
      ['mine', 'read'],
      ['two', 'delivered'],
    ]);
    expect(expected).toMatchObject({ unread: 1, mentioned: 1, pending: [] });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(all, { minLength: all.length }), async (order) => {
        expect(await outcome(order)).toEqual(expected);
      }),
      { numRuns: 200 },
    );
  });

  it('lets a deletion stand over everything, whenever it comes', async () => {
    const deletion = {
      content: { kind: 'delete', messages: [{ author: PEER, id: THEIRS }], sentAt: 1 } as unknown as Content,
    };
    const expected = await outcome([...all, deletion]);
    expect(expected.messages[1]).toMatchObject({ text: '', deleted: { by: PEER, sentAt: 1 } });
    expect(expected).toMatchObject({ unread: 0, mentioned: 0 });
    for (let at = 0; at < all.length; at += 1) {
      expect(await outcome(all.toSpliced(at, 0, deletion))).toEqual(expected);
    }
  });

  it('A13 takes edits and deletions from the author alone', async () => {
    const foreign = [
      { content: { kind: 'edit', message: OWN, sentAt: 9, text: 'not mine' } },
      { content: { kind: 'delete', messages: [{ author: ME, id: OWN }], sentAt: 9 } },
      { content: { kind: 'edit', message: THEIRS, sentAt: 9, text: 'not theirs' }, own: true },
      { content: { kind: 'reaction', to: { author: 'x'.repeat(43), id: OWN }, sentAt: 9, emoji: '?' } },
      { content: { kind: 'receipt', status: 'read', messages: [THEIRS] } },
    ] as { content: Content; own?: boolean }[];
    const { pending: _, left: _left, ...expected } = await outcome(all);
    const after = await outcome([...all, ...foreign]);
    expect(after).toMatchObject(expected);
    const before = await outcome([...foreign, ...all]);
    expect(before).toMatchObject(expected);
    // Nothing waits for a message of somebody who is not here, and nobody is told of anything.
    expect(before.pending.filter(({ author }) => ![ME, PEER].includes(author))).toEqual([]);
    expect([...after.outbox, ...before.outbox]).toEqual([]);
  });

  it('keeps what waits for its message within bounds', async () => {
    const many = Array.from({ length: 150 }, (_, at) => ({
      content: {
        kind: 'edit',
        message: Buffer.alloc(16, at).toString('base64url'),
        sentAt: at,
        text: 'x',
      } as unknown as Content,
    }));
    const { pending, left } = await outcome(many);
    expect(pending).toHaveLength(100);
    expect(left).toHaveLength(100);
    expect(pending.some(({ marks: { edits } }) => edits![0]!.sentAt === 49)).toBe(false);
  });
});

describe('what was chosen', () => {
  const TOKEN = 'DDDDDDDDDDDDDDDDDDDDDA';
  const choice = (sentAt: number, name: string) =>
    ({
      kind: 'settings',
      sentAt,
      name,
      receipts: sentAt % 2 === 0,
      typing: true,
      presence: false,
      blocked: [],
      token: TOKEN,
    }) as unknown as SettingsContent;

  it('is what was chosen last, on every device, in whatever order they hear of it', async () => {
    const outcome = async (choices: readonly SettingsContent[]) => {
      const store = createMemoryDisk().open();
      await store.commit([
        { table: 'self', put: { ...row, key: 'self', name: 'Old', devices: [] } as never },
      ]);
      const model = await openModel(store);
      for (const content of choices) await model.change((draft) => takeSettings(draft, content, 100));
      const { name, settings, blocked, delivery } = model.self!;
      return { name, settings, blocked, delivery };
    };
    const choices = [choice(1, 'a'), choice(3, 'b'), choice(3, 'c'), choice(2, 'd')];
    expect(await outcome(choices)).toMatchObject({
      name: 'c',
      delivery: TOKEN,
      // As earlier versions say it.
      settings: { receipts: 'nobody', typing: 'everyone', presence: 'nobody', lastSeen: 'nobody' },
    });
    await fc.assert(
      fc.asyncProperty(fc.shuffledSubarray(choices, { minLength: 4 }), async (order) => {
        expect(await outcome(order)).toEqual(await outcome(choices));
      }),
      { numRuns: 30 },
    );
  });

  it('makes a new token where somebody who was blocked elsewhere may have been given the one that counts', async () => {
    const store = createMemoryDisk().open();
    const self = { ...row, key: 'self', name: 'Old', devices: [], delivery: TOKEN };
    const settings = { receipts: true, typing: true, presence: true, sentAt: 10 };
    const blocks = { carol: { blocked: true, at: 10 } };
    await store.commit([{ table: 'self', put: { ...self, settings, blocks, blocked: ['carol'] } as never }]);
    const model = await openModel(store);
    const take = (part: object) =>
      model.change((draft) => takeSettings(draft, { ...choice(5, 'x'), ...part } as SettingsContent, 100));
    const bob = { account: 'bob', blocked: true, at: 5 };
    await take({ blocked: [bob] });
    expect(model.self).toMatchObject({ delivery: TOKEN, name: 'Old', blocked: ['bob', 'carol'] });
    await take({ blocked: [bob, { account: 'dave', blocked: true, at: 5 }], token: 'elsewhere' });
    expect(model.self).toMatchObject({ deliveryDue: true, name: 'Old', blocked: ['bob', 'carol', 'dave'] });
    const { delivery } = model.self!;
    expect([TOKEN, 'elsewhere']).not.toContain(delivery);
    await take({ blocked: [bob], token: 'elsewhere' });
    expect(model.self!.delivery).toBe(delivery);
  });
});

describe('what waits for its message, and what is gone', () => {
  it('is forgotten when no copy can come any more', async () => {
    const DAY = 24 * 60 * 60_000;
    const store = createMemoryDisk().open();
    const pending = (id: string, at: number) => ({ conversation: PEER, author: PEER, id, at, marks: {} });
    await store.commit([
      {
        table: 'conversation',
        put: { id: PEER, createdAt: 0, unread: 0, floors: {}, pending: [`${PEER} old`, `${PEER} new`] },
      },
      { table: 'pending', put: pending('old', 1) },
      { table: 'pending', put: pending('new', 10 * DAY) },
      { table: 'gone', put: { conversation: PEER, id: 'old', at: 1 } },
      { table: 'gone', put: { conversation: PEER, id: 'new', at: 10 * DAY } },
    ]);
    const model = await openModel(store);
    await prunePending(model, 50 * DAY);
    expect((await store.all('pending')).map(({ id }) => id)).toEqual(['new']);
    expect((await store.all('gone')).map(({ id }) => id)).toEqual(['new']);
    expect(model.conversations.get(PEER)!.pending).toEqual([`${PEER} new`]);
    await prunePending(model, 60 * DAY);
    expect(await store.all('pending')).toEqual([]);
    expect(model.conversations.get(PEER)!.pending).toBeUndefined();
  });
});
