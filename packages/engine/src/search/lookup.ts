import type { Reader } from '../ports.ts';
import type { CatalogueRow, Listed, ListingRow } from '../rows.ts';
import { createCache } from './cache.ts';
import { LISTED } from './listed.ts';
import { conversationTerm, partitionsFor } from './partition.ts';
import type { Need } from './query.ts';
import { decodeSegment, eachMatch, type Segment } from './segment.ts';

/** What is kept of what was read. */
const CACHE_BYTES = 16 * 1024 * 1024;
/** In memory, nearly. */
const LISTED_BYTES = 200;
const TERM_BYTES = 48;

/** Reads the index. What is read of it stays valid: segments never change, and listings only grow or lose what is gone. */
export const createLookup = (store: Reader) => {
  const cache = createCache(CACHE_BYTES);

  const segment = async (id: number): Promise<Segment | undefined> => {
    const known = cache.get<Segment>(`segment ${id}`);
    if (known) return known;
    const row = await store.get('segment', id);
    if (!row) return undefined;
    const read = decodeSegment(row);
    cache.set(
      `segment ${id}`,
      read,
      row.terms.length * 2 + read.terms.length * TERM_BYTES + row.postings.length,
    );
    return read;
  };

  return {
    /**
     * A bit for the number of each message that has all of it. Undefined when the index was written meanwhile: the
     * catalogue is to be read anew.
     */
    async matches(
      catalogue: CatalogueRow,
      needs: readonly Need[],
      conversation: string | undefined,
    ): Promise<Uint32Array | undefined> {
      const all = [...needs];
      if (conversation !== undefined) all.unshift({ term: conversationTerm(conversation), prefix: false });
      const ids = all.map((need) =>
        partitionsFor(need).flatMap((at) => catalogue.partitions[at]!.map(({ id }) => id)),
      );
      const wanted = [...new Set(ids.flat())];
      const read = new Map<number, Segment>();
      for (const [at, found] of (await Promise.all(wanted.map(segment))).entries()) {
        if (!found) return undefined;
        read.set(wanted[at]!, found);
      }
      const bitsFor = (at: number): Uint32Array => {
        const bits = new Uint32Array(Math.ceil(catalogue.nextDoc / 32));
        for (const id of ids[at]!) {
          eachMatch(read.get(id)!, all[at]!, (doc) => {
            bits[doc >>> 5]! |= 1 << (doc & 31);
          });
        }
        return bits;
      };
      const common = bitsFor(0);
      for (let at = 1; at < all.length; at += 1) {
        const bits = bitsFor(at);
        for (let word = 0; word < common.length; word += 1) common[word]! &= bits[word]!;
      }
      return common;
    },

    /** What the numbers of one listing stand for: nothing, when it has gone. */
    async listed(id: number, docs: readonly number[]): Promise<{ doc: number; listed: Listed }[]> {
      const key = `listing ${id}`;
      let row = cache.get<ListingRow>(key);
      if (!row || row.entries.length <= docs.at(-1)! % LISTED) {
        row = await store.get('listing', id);
        if (row) cache.set(key, row, row.entries.length * LISTED_BYTES);
      }
      return docs.flatMap((doc) => {
        const listed = row?.entries[doc % LISTED];
        return listed ? [{ doc, listed }] : [];
      });
    },
  };
};
