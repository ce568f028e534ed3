import type { Clock } from '../clock.ts';
import { UNSENT_ORDER } from '../conversations/order.ts';
import { putMessage } from '../conversations/draft.ts';
import type { Draft, Model } from '../model.ts';
import { START } from '../ports.ts';
import { createPump } from '../pump.ts';
import type { CatalogueRow, ListingRow, MessageRow, SegmentRef } from '../rows.ts';
import { LISTED } from './listed.ts';
import { conversationTerm, partitionOf, PARTITIONS } from './partition.ts';
import {
  decodeSegment,
  encodeSegment,
  joinSegments,
  type Postings,
  type Segment,
  sizeOf,
} from './segment.ts';
import { piecesOf, termsOf } from './words.ts';

/** Messages taken in by one commit: as many as that does in a while that nobody notices, who waits for it. */
const BATCH = { least: 16, most: 256, ms: 100 };
/** Messages whose words leave by one. */
const DROP_BATCH = 4096;

/** In ms: it begins when so long nothing came. Without such a pause words leave after LONGEST, and messages are taken in after BUSY. */
const QUIET_MS = 1000;
const LONGEST_MS = 10_000;
const BUSY_MS = 60_000;
/** In ms: after the store refused. */
const RETRY_MS = 60_000;

/** A copy to work on. */
const openCatalogue = async (draft: Draft): Promise<CatalogueRow> => {
  const known = await draft.get('catalogue', 'catalogue');
  if (known) {
    return { ...known, spans: [...known.spans], partitions: known.partitions.map((refs) => [...refs]) };
  }
  const partitions = Array.from({ length: PARTITIONS }, (): SegmentRef[] => []);
  return { key: 'catalogue', nextDoc: 0, nextSegment: 0, spans: [], partitions };
};

const putCatalogue = (draft: Draft, catalogue: CatalogueRow): void =>
  draft.put('catalogue', catalogue, 'catalogue');

const readSegment = async (draft: Draft, id: number): Promise<Segment> =>
  decodeSegment((await draft.get('segment', id))!);

const putSegment = (draft: Draft, catalogue: CatalogueRow, postings: Postings, last: number): SegmentRef => {
  const row = encodeSegment(catalogue.nextSegment, postings);
  catalogue.nextSegment += 1;
  draft.put('segment', row, row.id);
  return { id: row.id, last, size: sizeOf(row) };
};

/** Puts new postings behind those that are there, as one segment with those that are no larger: few stay, the largest first. */
const append = async (
  draft: Draft,
  catalogue: CatalogueRow,
  partition: number,
  postings: Postings,
): Promise<void> => {
  const refs = catalogue.partitions[partition]!;
  const last = catalogue.nextDoc - 1;
  const fresh = encodeSegment(0, postings);
  let size = sizeOf(fresh);
  let from = refs.length;
  for (; from > 0 && refs[from - 1]!.size <= 2 * size; from -= 1) size += refs[from - 1]!.size;
  const merged = refs.splice(from);
  const older = await Promise.all(merged.map(({ id }) => readSegment(draft, id)));
  for (const { id } of merged) draft.remove('segment', id);
  const whole = older.length === 0 ? postings : joinSegments([...older, decodeSegment(fresh)]);
  refs.push(putSegment(draft, catalogue, whole, last));
};

/** Gives a message the next number. */
const list = async (
  draft: Draft,
  catalogue: CatalogueRow,
  { conversation, id, order }: MessageRow,
  partitions: number[],
): Promise<number> => {
  const doc = catalogue.nextDoc;
  catalogue.nextDoc += 1;
  const at = Math.floor(doc / LISTED);
  const [low, high] = catalogue.spans[at] ?? [order, order];
  catalogue.spans[at] = [Math.min(low, order), Math.max(high, order)];
  const { entries = [] } = (await draft.get('listing', at)) ?? {};
  const row: ListingRow = { id: at, entries: [...entries, [conversation, id, order, partitions]] };
  draft.put('listing', row, at);
  return doc;
};

/**
 * Takes up to `most` messages into the index as they are, in one commit, and says whether there may be more. A message
 * without a place yet is left for when it has one.
 *
 * @throws StoreError
 */
export const indexSome = (model: Model, most = BATCH.most): Promise<boolean> =>
  model.change(
    async (draft) => {
      const found = await model.store.messages({ unindexed: true }, { after: START, limit: most });
      const rows = found.filter(({ order }) => order < UNSENT_ORDER);
      if (rows.length === 0) return false;
      const catalogue = await openCatalogue(draft);
      const fresh = new Map<number, Postings>();
      for (const row of rows) {
        const { unindexed: _, doc: before, ...rest } = row;
        if (before !== undefined) draft.put('dropped', { doc: before }, before);
        const terms = new Set(piecesOf(row.text).flatMap(termsOf));
        if (terms.size === 0) {
          putMessage(draft, rest);
          continue;
        }
        terms.add(conversationTerm(row.conversation));
        const partitions = [...new Set([...terms].map(partitionOf))];
        const doc = await list(draft, catalogue, row, partitions);
        for (const term of terms) {
          const partition = partitionOf(term);
          const postings: Postings = fresh.get(partition) ?? new Map();
          const docs = postings.get(term) ?? [];
          docs.push(doc);
          fresh.set(partition, postings.set(term, docs));
        }
        putMessage(draft, { ...rest, doc });
      }
      for (const [partition, postings] of fresh) await append(draft, catalogue, partition, postings);
      putCatalogue(draft, catalogue);
      return rows.length === most;
    },
    { quiet: true },
  );

/** Takes numbers out of the listings; of each partition those that have words in it. */
const unlist = async (draft: Draft, docs: readonly number[]): Promise<Map<number, Set<number>>> => {
  const affected = new Map<number, Set<number>>();
  for (const doc of docs) {
    const at = Math.floor(doc / LISTED);
    const listing = await draft.get('listing', at);
    const entry = listing?.entries[doc % LISTED];
    if (!listing || !entry) continue;
    for (const partition of entry[3]) {
      affected.set(partition, (affected.get(partition) ?? new Set()).add(doc));
    }
    draft.put('listing', { ...listing, entries: listing.entries.with(doc % LISTED, null) }, at);
  }
  return affected;
};

/** Writes the segments of a partition that have one of `docs` again, without them. */
const rewrite = async (
  draft: Draft,
  catalogue: CatalogueRow,
  partition: number,
  docs: ReadonlySet<number>,
): Promise<void> => {
  const kept: SegmentRef[] = [];
  let before = -1;
  for (const ref of catalogue.partitions[partition]!) {
    const first = before;
    before = ref.last;
    if (![...docs].some((doc) => doc > first && doc <= ref.last)) {
      kept.push(ref);
      continue;
    }
    const postings = joinSegments([await readSegment(draft, ref.id)], docs);
    draft.remove('segment', ref.id);
    if (postings.size > 0) kept.push(putSegment(draft, catalogue, postings, ref.last));
  }
  catalogue.partitions[partition] = kept;
};

/**
 * Takes the words of up to DROP_BATCH messages that are gone, or are in the index anew, out of it in one commit, and
 * says whether there may be more.
 *
 * @throws StoreError
 */
export const dropSome = (model: Model): Promise<boolean> =>
  model.change(
    async (draft) => {
      const dropped = (await model.store.all('dropped')).slice(0, DROP_BATCH).map(({ doc }) => doc);
      if (dropped.length === 0) return false;
      const catalogue = await openCatalogue(draft);
      const affected = await unlist(draft, dropped);
      for (const [partition, docs] of affected) await rewrite(draft, catalogue, partition, docs);
      for (const doc of dropped) draft.remove('dropped', doc);
      putCatalogue(draft, catalogue);
      return dropped.length === DROP_BATCH;
    },
    { quiet: true },
  );

export interface Indexing {
  stop(): Promise<void>;
}

/**
 * Keeps the index in step with the messages, from now on. What a message said that has gone leaves the index at most
 * LONGEST_MS later, and the time that the work takes; at the next start if nothing runs.
 */
export const createIndexing = (model: Model, clock: Clock, onError: (error: unknown) => void): Indexing => {
  let cancel: (() => void) | undefined;
  /** Since when something came without a pause: what is to leave, and what is to be taken in. */
  let since: number | undefined;
  let busy: number | undefined;
  let takesIn = false;
  let stopped = false;

  const after = (ms: number, takes: boolean): void => {
    cancel?.();
    cancel = clock.after(ms, () => {
      cancel = undefined;
      since = undefined;
      takesIn = takes;
      // Maybe that was the pause.
      if (!takes) after(QUIET_MS, true);
      pump.kick();
    });
  };

  /** What comes in its thousands is stored first. */
  const soon = (): void => {
    const now = clock.now();
    since ??= now;
    busy ??= now;
    const isLate = now >= busy + BUSY_MS;
    takesIn &&= isLate;
    const left = Math.max(0, since + LONGEST_MS - now);
    after(Math.min(QUIET_MS, left), left > QUIET_MS || isLate);
  };

  const pump = createPump(async () => {
    try {
      let more = true;
      let most = BATCH.least;
      while (more && !stopped) {
        const began = clock.now();
        more = takesIn && (await indexSome(model, most));
        if (takesIn && !more) busy = undefined;
        const took = Math.max(1, clock.now() - began);
        most = Math.max(BATCH.least, Math.min(BATCH.most, 2 * most, Math.floor((most * BATCH.ms) / took)));
        more = (await dropSome(model)) || more;
      }
    } catch (error) {
      onError(error);
      if (!stopped && !cancel) after(RETRY_MS, true);
    }
  });

  const unsubscribe = model.onChange((writes) => {
    const isDue = writes.some(
      (write) =>
        'put' in write &&
        (write.table === 'dropped' || (write.table === 'message' && write.put.unindexed === 1)),
    );
    if (isDue) soon();
  });
  soon();

  return {
    async stop() {
      stopped = true;
      unsubscribe();
      cancel?.();
      await pump.stop();
    },
  };
};
