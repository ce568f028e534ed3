import type { Draft } from '../model.ts';
import type { SelfRow, Sending } from '../rows.ts';

type Own = Pick<SelfRow, 'account' | 'device'>;

const keyOf = (group: string, { account, device }: Own): [string, string, string] => [group, account, device];

/** What this device sends to a group with; undefined before its first message, and after it has left. */
export const sendingOf = async (
  draft: Pick<Draft, 'get'>,
  group: string,
  self: Own,
): Promise<Sending | undefined> => (await draft.get('sender', keyOf(group, self)))?.sending;

export const putSending = (draft: Draft, group: string, self: Own, sending: Sending): void => {
  const { account, device } = self;
  draft.put('sender', { group, account, device, sending }, keyOf(group, self));
};

export const dropSending = (draft: Draft, group: string, self: Own): void =>
  draft.remove('sender', keyOf(group, self));
