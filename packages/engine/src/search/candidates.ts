import type { CatalogueRow, MessageRow } from '../rows.ts';
import type { Place } from '../ports.ts';
import { LISTED } from './listed.ts';

/** A message that may be a hit, where it stands, and its number if that is how it was found. */
export interface Candidate extends Place {
  doc?: number;
  row?: MessageRow;
}

/** A listing that has some of the messages looked for; `high` is the highest order in it. */
export interface Chunk {
  id: number;
  high: number;
  docs: number[];
}

const compareText = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** The newest first. */
export const byPlace = (a: Place, b: Place): number =>
  b.order - a.order || compareText(b.conversation, a.conversation) || compareText(b.id, a.id);

/** The listings that have messages whose bit is set and may stand before `before`; the newest first. */
export const chunksOf = (
  bits: Uint32Array,
  { spans }: CatalogueRow,
  before = Number.POSITIVE_INFINITY,
): Chunk[] => {
  const chunks: Chunk[] = [];
  for (const [id, [low, high]] of spans.entries()) {
    if (low > before) continue;
    const docs: number[] = [];
    for (let at = (id * LISTED) / 32; at < ((id + 1) * LISTED) / 32; at += 1) {
      let word = bits[at] ?? 0;
      for (; word !== 0; word &= word - 1) docs.push(at * 32 + 31 - Math.clz32(word & -word));
    }
    if (docs.length > 0) chunks.push({ id, high, docs });
  }
  return chunks.toSorted((a, b) => b.high - a.high);
};
