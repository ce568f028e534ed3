import { LIMITS } from '@sotto/contract/limits';
import { encode } from '@sotto/crypto/canonical';
import { KIND_GROUP_MESSAGE, sealPost } from '@sotto/crypto/channel-seal';
import { roleOf } from '@sotto/crypto/membership-state';
import { encryptGroupMessage, isSenderKeyDue } from '@sotto/crypto/sender-key';
import { putMessage } from '../conversations/draft.ts';
import type { Draft } from '../model.ts';
import { randomId } from '../random-id.ts';
import type { GroupRow, OutboxRow, SelfRow, SendProblem } from '../rows.ts';
import { keysInForce } from './group-rows.ts';
import { withoutHanded } from './hand-over.ts';
import { renewSender } from './renewal.ts';
import { sendingOf, putSending } from './sending.ts';

/** `handed`: a new sender key goes ahead of it, or is to be made. `keys`: a channel key has to be made, or to come. */
export type Posted = 'posted' | 'handed' | 'keys' | { problem: SendProblem };

/** Whom a message is for, in a group with receipts. */
const addressed = async (draft: Draft, row: OutboxRow, group: GroupRow, me: string): Promise<void> => {
  const { members } = group.state!;
  if (row.content.kind !== 'text' || members.length > LIMITS.receiptMembers) return;
  const message = await draft.get('message', [row.conversation, row.content.id]);
  // What the relay has not taken may be encrypted anew, for others than before.
  if (!message || message.at !== undefined) return;
  const to = members.map(({ account }) => account).filter((account) => account !== me);
  putMessage(draft, { ...message, to });
};

/**
 * Encrypts a row for its group once, and stores the bytes with the sender key as it goes on. A sender key that is due is made, and on its
 * way to everybody, where `renews`.
 */
export const encryptPost = async (
  draft: Draft,
  self: SelfRow,
  row: OutboxRow,
  { outbox, now, renews }: { outbox: Iterable<OutboxRow>; now: number; renews: boolean },
): Promise<Posted> => {
  const group = await draft.get('group', row.conversation);
  if (!group?.state) return 'keys';
  const { state, stopped } = group;
  if (stopped) return { problem: 'group-stopped' };
  if (!roleOf(state, self.account)) return { problem: 'not-a-member' };
  const keys = keysInForce(group);
  if (!keys) return 'keys';
  let sending = await sendingOf(draft, row.conversation, self);
  if (!sending || isSenderKeyDue(sending.own, state, now)) {
    if (!renews || (await renewSender(draft, self, group, now))) return 'handed';
    sending = (await sendingOf(draft, row.conversation, self))!;
  }
  const current = withoutHanded(sending, group, outbox);
  const content = encode(row.content);
  const { own, message } = await encryptGroupMessage({ own: current.own, state, content, now });
  const body = await sealPost({ keys, state, kind: KIND_GROUP_MESSAGE, body: message });
  putSending(draft, row.conversation, self, { ...current, own });
  draft.put('outbox', { ...row, post: { id: randomId(), epoch: state.epoch, body } }, row.seq);
  await addressed(draft, row, group, self.account);
  return 'posted';
};
