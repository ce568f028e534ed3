import type { GroupContent, JoinAnswer } from '@sotto/contract/content';
import { equal, type Bytes } from '@sotto/crypto/bytes';
import { CryptoError } from '@sotto/crypto/errors';
import { openJoinRequest } from '@sotto/crypto/group-link';
import { roleOf } from '@sotto/crypto/membership-state';
import type { Draft } from '../model.ts';
import { hasOthers } from '../devices/sync.ts';
import type { GroupRow, RequestRow, SelfRow } from '../rows.ts';
import { putGroup, showGroup } from './group-rows.ts';
import { tellOfGroup } from './hand-over.ts';
import { idOf, linkKeysOf, linkOf, manages } from './settings.ts';

/** Requests that are kept of one group, and as many that have not been checked: the oldest go. */
const KEPT = 200;

/** With these requests alone: what has not been checked, which anybody with the link can have made, displaces none that has. */
export const withRequests = (row: GroupRow, requests: readonly RequestRow[]): GroupRow => {
  const { requests: _, ...rest } = row;
  const checked = requests.filter((one) => one.checked).slice(-KEPT);
  const claimed = requests.filter((one) => !one.checked).slice(-KEPT);
  const kept = [...checked, ...claimed];
  return kept.length > 0 ? { ...rest, requests: kept } : rest;
};

const TOLD = ['id', 'account', 'device', 'createdAt', 'at', 'delivery', 'name', 'link'] as const;

/** Whether two rows are one request, word for word: anybody can have copied its id, or its signature. */
export const isSameRequest = (a: RequestRow, b: RequestRow): boolean =>
  equal(a.signature, b.signature) && TOLD.every((key) => a[key] === b[key]);

/** Keeps a request until it has been checked; false where it is under no link of this group. */
export const takeRequest = async (
  draft: Draft,
  self: SelfRow,
  row: GroupRow,
  { sealed, at }: { sealed: Bytes; at: number },
): Promise<boolean> => {
  const keys = await linkKeysOf(row);
  if (!keys) return false;
  try {
    const { from, signature, ...request } = await openJoinRequest(keys, sealed);
    const { account, device } = from;
    const isHeeded =
      manages(row, self.account) && !roleOf(row.state!, account) && !self.blocked?.includes(account);
    if (!isHeeded) return true;
    const mine = { ...request, account, device, at, link: idOf(keys), signature };
    const others = (row.requests ?? []).filter((one) => one.checked || !isSameRequest(one, mine));
    putGroup(draft, withRequests(row, [...others, mine]));
    return true;
  } catch (error) {
    if (error instanceof CryptoError && error.code === 'channel-key-unknown') return false;
    throw error;
  }
};

/** Answers requests, to who asked and to the other admins, and lets go of them; the group without them. */
export const answerRequests = (
  draft: Draft,
  self: SelfRow,
  row: GroupRow,
  { requests, answer }: { requests: readonly RequestRow[]; answer: JoinAnswer },
): GroupRow => {
  if (requests.length === 0) return row;
  const admins = row.state!.members.filter(
    ({ account, role }) => role !== 'member' && (account !== self.account || hasOthers(self)),
  );
  for (const { id, account, checked } of requests) {
    const request = { id, answer };
    if (checked) tellOfGroup(draft, row.group, { account }, { request });
    for (const admin of admins) tellOfGroup(draft, row.group, { account: admin.account }, { request });
  }
  const gone = new Set(requests.map(({ id }) => id));
  return withRequests(
    row,
    (row.requests ?? []).filter(({ id }) => !gone.has(id)),
  );
};

/** What follows for requests when a log goes on: who is in does not ask any more, and a link that is reset lets nobody in. */
export const settleRequests = (
  draft: Draft,
  self: SelfRow,
  { before, after, isMine }: { before: GroupRow; after: GroupRow; isMine: boolean },
): GroupRow => {
  const open = (after.requests ?? []).filter(({ account }) => !roleOf(after.state!, account));
  const row = withRequests(after, manages(after, self.account) ? open : []);
  if (linkOf(before)?.secret === linkOf(after)?.secret) return row;
  if (isMine) return answerRequests(draft, self, row, { requests: row.requests ?? [], answer: 'reset' });
  return withRequests(row, []);
};

/** An answer that somebody gave to a request: of this device's own, or to one of somebody else, as admins tell each other. */
export const takeAnswer = async (
  draft: Draft,
  { group, request }: GroupContent,
  from: string,
  now: number,
): Promise<void> => {
  if (!request) return;
  const self = (await draft.get('self', 'self'))!;
  const { id, answer } = request;
  // Only who read the request knows its id.
  if (self.joins?.some((join) => join.group === group && join.id === id)) {
    const joins = self.joins.map((join) => (join.id === id ? { ...join, answer } : join));
    draft.put('self', { ...self, joins }, 'self');
    return;
  }
  const row = await draft.get('group', group);
  if (!row?.state || !manages(row, from)) return;
  const left = (row.requests ?? []).filter((one) => one.id !== id);
  if (left.length === (row.requests ?? []).length) return;
  await showGroup(draft, withRequests(row, left), { me: self.account, now });
};
