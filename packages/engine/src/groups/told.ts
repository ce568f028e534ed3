import type { GroupContent } from '@sotto/contract/content';
import type { Address } from '@sotto/crypto/address';
import { encode } from '@sotto/crypto/canonical';
import type { Draft } from '../model.ts';
import type { HeldRow } from '../rows.ts';
import { takeTexts } from './hand-over.ts';
import { takeHistory } from './history.ts';
import { TOLD } from './waiting.ts';

/** Groups that an account, and all together, may tell of whose keys have not come; and messages of an account about each. */
const GROUPS = 8;
const GROUPS_IN_ALL = 64;
const MESSAGES = 24;
/** And how much that may be, in bytes. */
const BYTES = 256 * 1024;
const BYTES_IN_ALL = 2 * 1024 * 1024;

type Kept = NonNullable<HeldRow['kept']>[number];

const keyOf = (group: string): [string, string] => [group, TOLD];
/** Of no group: what there is of all of them. */
const LEDGER = keyOf('');

const fresh = (group: string, at: number): HeldRow => ({
  group,
  envelope: TOLD,
  at,
  body: new Uint8Array(0),
});

const without = async (draft: Draft, { group, account }: Kept): Promise<void> => {
  const row = await draft.get('held', keyOf(group));
  const told = row?.told?.filter(({ from }) => from.account !== account) ?? [];
  if (row && told.length > 0) draft.put('held', { ...row, told }, keyOf(group));
  else if (row) draft.remove('held', keyOf(group));
};

/** The latest, as far as there is room. */
const fitting = (kept: readonly Kept[]): Kept[] => {
  const all = { groups: GROUPS_IN_ALL, bytes: BYTES_IN_ALL };
  const byAccount = new Map<string, typeof all>();
  const fits = ({ account, bytes }: Kept): boolean => {
    const own = byAccount.get(account) ?? { groups: GROUPS, bytes: BYTES };
    const rooms = [own, all];
    if (rooms.some((room) => room.groups < 1 || room.bytes < bytes)) return false;
    for (const room of rooms) {
      room.groups -= 1;
      room.bytes -= bytes;
    }
    byAccount.set(account, own);
    return true;
  };
  return kept.toReversed().filter(fits).toReversed();
};

/** What is said of a group before its keys are here waits for them: of each account that of the latest groups. */
const keepTold = async (draft: Draft, from: Address, content: GroupContent, now: number): Promise<void> => {
  const { group } = content;
  const { account, device } = from;
  const theirs =
    (await draft.get('held', keyOf(group)))?.told?.filter((one) => one.from.account === account) ?? [];
  const kept = (await draft.get('held', LEDGER))?.kept ?? [];
  const isThis = (one: Kept): boolean => one.account === account && one.group === group;
  const before = theirs.length > 0 ? (kept.find(isThis)?.bytes ?? 0) : 0;
  const bytes = before + encode(content).length;
  if (theirs.length >= MESSAGES || bytes > BYTES) return;
  const others = kept.filter((one) => !isThis(one));
  const next = fitting([...others, { account, group, bytes }]);
  for (const one of others) if (!next.includes(one)) await without(draft, one);
  draft.put('held', { ...fresh('', now), kept: next }, LEDGER);
  const row = (await draft.get('held', keyOf(group))) ?? fresh(group, now);
  const told = [...(row.told ?? []), { from: { account, device }, content }];
  draft.put('held', { ...row, told }, keyOf(group));
};

/** What a group is called, and what was written there before, as somebody says who hands over its keys, or is about to. */
export const takeTold = async (
  draft: Draft,
  content: GroupContent,
  from: Address,
  at: { me: string; now: number },
): Promise<void> => {
  if (!content.request && !(await draft.get('group', content.group)))
    return keepTold(draft, from, content, at.now);
  await takeTexts(draft, content, at);
  await takeHistory(draft, content, from.account, at);
};

/** Takes in what waited for the keys of a group. */
export const settleTold = async (
  draft: Draft,
  group: string,
  at: { me: string; now: number },
): Promise<void> => {
  const row = await draft.get('held', keyOf(group));
  if (!row || !(await draft.get('group', group))) return;
  draft.remove('held', keyOf(group));
  const ledger = await draft.get('held', LEDGER);
  const kept = ledger?.kept?.filter((one) => one.group !== group) ?? [];
  if (ledger && kept.length > 0) draft.put('held', { ...ledger, kept }, LEDGER);
  else if (ledger) draft.remove('held', LEDGER);
  for (const { from, content } of row.told ?? []) await takeTold(draft, content, from, at);
};
