import type { AccountId, ConversationId } from '@sotto/contract/ids';
import type { Clock } from '../clock.ts';
import type { ReadModel } from '../model.ts';
import { type Place, StoreError } from '../ports.ts';
import type { MessageRow } from '../rows.ts';
import type { Engine, SearchHit } from '../views.ts';
import { byPlace, type Candidate, type Chunk, chunksOf } from './candidates.ts';
import { createLookup } from './lookup.ts';
import { parseQuery, type Query, type Range } from './query.ts';
import { snippetOf } from './snippet.ts';

const LIMIT = 50;
/** Messages that are not in the index yet and are looked through one by one. */
const SCANNED = 100;
/** How often the index may be written while it is read. */
const ATTEMPTS = 10;

interface Hit {
  row: MessageRow;
  ranges: Range[];
}

const toHit = ({ row, ranges }: Hit): SearchHit => ({
  conversation: row.conversation as ConversationId,
  message: row.id,
  from: row.from as AccountId,
  time: row.at ?? row.sentAt,
  snippet: snippetOf(row.text, ranges),
});

/** What can be found on this device: also by whoever does not write, while another does. */
export const createSearch = (model: ReadModel, clock: Clock): Engine['search'] => {
  const { store } = model;
  const lookup = createLookup(store);

  const chunksFor = async (
    query: Query,
    conversation: string | undefined,
    before: Place | undefined,
  ): Promise<Chunk[]> => {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const catalogue = await store.get('catalogue', 'catalogue');
      if (!catalogue) return [];
      const bits = await lookup.matches(catalogue, query.needs, conversation);
      if (bits) return chunksOf(bits, catalogue, before?.order);
    }
    throw new StoreError('failed');
  };

  const open = async ({ id, docs }: Chunk): Promise<Candidate[]> => {
    const found = await lookup.listed(id, docs);
    return found.map(({ doc, listed: [conversation, message, order] }) => ({
      doc,
      conversation,
      id: message,
      order,
    }));
  };

  /** The row of a candidate, if it still is what was found. */
  const rowOf = async ({ doc, row: known, conversation, id }: Candidate): Promise<MessageRow | undefined> => {
    const row = known ?? (await store.get('message', [conversation, id]));
    const isIt = row && (known || row.doc === doc) && (row.expiresAt ?? Infinity) > clock.now();
    return isIt ? row : undefined;
  };

  return async (text, { conversation, limit = LIMIT, before } = {}) => {
    const query = parseQuery(text);
    if (query.needs.length === 0) return { hits: [], indexing: false };
    // Before the catalogue: what is indexed in between is found twice rather than not at all.
    const fresh = await store.messages({ unindexed: true }, { limit: SCANNED });
    const seen = new Set(fresh.map((row) => JSON.stringify([row.conversation, row.id])));
    const isWanted = (place: Place): boolean => !before || byPlace(place, before) > 0;
    let candidates: Candidate[] = fresh
      .filter((row) => isWanted(row) && (conversation ?? row.conversation) === row.conversation)
      .map((row) => ({ conversation: row.conversation, id: row.id, order: row.order, row }));
    const chunks = await chunksFor(query, conversation, before);
    const hits: Hit[] = [];
    while (hits.length <= limit && candidates.length + chunks.length > 0) {
      const missing = limit + 1 - hits.length;
      // What is not read yet may stand before the rest.
      const horizon = chunks[0]?.high ?? Number.NEGATIVE_INFINITY;
      const ready = candidates.filter(({ order }) => order > horizon);
      if (ready.length < missing && chunks.length > 0) {
        let end = 0;
        for (let more = ready.length; more < missing && end < chunks.length; end += 1) {
          more += chunks[end]!.docs.length;
        }
        const read = (await Promise.all(chunks.splice(0, end).map(open))).flat();
        const others = read.filter(
          (place) => isWanted(place) && !seen.has(JSON.stringify([place.conversation, place.id])),
        );
        candidates = [...candidates, ...others].toSorted(byPlace);
        continue;
      }
      const next = ready.slice(0, missing);
      candidates = candidates.slice(next.length);
      for (const row of await Promise.all(next.map(rowOf))) {
        const ranges = row && query.match(row.text);
        if (row && ranges) hits.push({ row, ranges });
      }
    }
    const page = hits.slice(0, limit);
    const last = hits.length > limit ? page.at(-1)?.row : undefined;
    return {
      hits: page.map(toHit),
      ...(last && { more: { conversation: last.conversation, order: last.order, id: last.id } }),
      indexing: fresh.length === SCANNED,
    };
  };
};
