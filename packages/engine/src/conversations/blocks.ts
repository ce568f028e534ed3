import type { SettingsContent } from '@sotto/contract/content';
import { LIMITS } from '@sotto/contract/limits';
import { timeAfter } from '../clock.ts';
import type { Blocks, SelfRow } from '../rows.ts';

type Wire = SettingsContent['blocked'];
type Word = Blocks[string];

const later = (a: Word, b: Word): Word => {
  if (a.at !== b.at) return a.at > b.at ? a : b;
  return a.blocked ? a : b;
};

/** Of each account the later word; of one moment, that it is blocked. In whatever order and however often: the same. */
export const mergeBlocks = (a: Blocks, b: Blocks): Blocks => {
  const merged: Blocks = { ...a };
  for (const [account, word] of Object.entries(b)) {
    const known = merged[account];
    merged[account] = known ? later(known, word) : word;
  }
  return merged;
};

/** The accounts that are blocked. */
export const blockedOf = (blocks: Blocks): string[] =>
  Object.keys(blocks)
    .filter((account) => blocks[account]!.blocked)
    .toSorted();

/** `self` with these blocks: the only place that sets them. */
export const withBlocks = (self: SelfRow, blocks: Blocks): SelfRow => {
  const { blocks: _, blocked: __, ...rest } = self;
  const blocked = blockedOf(blocks);
  return { ...rest, blocks, ...(blocked.length > 0 && { blocked }) };
};

/** The block or unblock of an account, later than every word on it before. */
export const sayBlocked = (self: SelfRow, account: string, blocked: boolean, now: number): SelfRow => {
  const { blocks = {} } = self;
  const at = timeAfter(now, [blocks[account]?.at]);
  return withBlocks(self, { ...blocks, [account]: { blocked, at } });
};

/** In parts that fit into a message each; one at least. */
export const wireBlocks = ({ blocks = {} }: SelfRow): Wire[] => {
  const all = Object.entries(blocks).map(([account, word]) => ({ account, ...word })) as Wire;
  const parts: Wire[] = [];
  for (let start = 0; start === 0 || start < all.length; start += LIMITS.blockedAccounts) {
    parts.push(all.slice(start, start + LIMITS.blockedAccounts));
  }
  return parts;
};

export const blocksOf = (wire: Wire): Blocks =>
  Object.fromEntries(wire.map(({ account, blocked, at }) => [account, { blocked, at }]));
