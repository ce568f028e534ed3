import type { Place, Reader } from '../ports.ts';
import type { MessageRow } from '../rows.ts';

/** Messages read from the store at once. */
const PAGE = 50;
/** Messages held at most; past it, what is furthest from where the person reads is let go. */
const MOST = 400;

export const byPlace = (a: Omit<Place, 'conversation'>, b: Omit<Place, 'conversation'>): number =>
  a.order - b.order || (a.id < b.id ? -1 : Number(a.id > b.id));

/** A stretch of a conversation without gaps, as it was read and as it has changed since. */
export interface Window {
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** In their order. */
  rows(): MessageRow[];
  get(id: string): MessageRow | undefined;
  /** Reads the end, or what stands around a message. False when there is no such message. */
  show(id: string | undefined): Promise<boolean>;
  older(): Promise<void>;
  newer(): Promise<void>;
  /** Reads what it holds once more. */
  again(): Promise<void>;
  /** A row was stored, or with undefined removed; true when that shows here. `gap`: it has to be read again. */
  put(id: string, row: MessageRow | undefined): { hit: boolean; gap: boolean };
}

export const createWindow = (store: Reader, conversation: string): Window => {
  const rows = new Map<string, MessageRow>();
  /** Stored or removed while the store was being read: what was read of them is older. */
  const touched = new Map<string, MessageRow | undefined>();
  /** Where it begins and ends, while there is more on that side. */
  let first: Place | undefined;
  let last: Place | undefined;
  let reading: Promise<unknown> = Promise.resolve();

  const isIn = (row: MessageRow): boolean =>
    (!first || byPlace(row, first) >= 0) && (!last || byPlace(row, last) <= 0);

  const sorted = (): MessageRow[] => [...rows.values()].toSorted(byPlace);

  /** One reading at a time. */
  const alone = <R>(read: () => Promise<R>): Promise<R> => {
    const done = reading.then(() => {
      touched.clear();
      return read();
    });
    reading = done.catch(() => undefined);
    return done;
  };

  const take = (page: readonly MessageRow[]): void => {
    for (const row of page) rows.set(row.id, row);
    for (const [id, row] of touched) {
      if (row && isIn(row)) rows.set(id, row);
      else rows.delete(id);
    }
  };

  /** Lets go of what is too much, at the end or at the beginning. */
  const trim = (side: 'end' | 'beginning'): void => {
    if (rows.size <= MOST) return;
    const all = sorted();
    const [kept, dropped] =
      side === 'end' ? [all.slice(0, MOST), all.slice(MOST)] : [all.slice(-MOST), all.slice(0, -MOST)];
    for (const { id } of dropped) rows.delete(id);
    if (side === 'end') last = kept.at(-1)!;
    else first = kept[0]!;
  };

  const query = { conversation };

  const readEnd = async (limit: number): Promise<void> => {
    const page = await store.messages(query, { limit });
    rows.clear();
    first = page.length === limit ? page.at(-1) : undefined;
    last = undefined;
    take(page);
  };

  const readFrom = async (begin: Place, limit: number): Promise<void> => {
    const page = await store.messages(query, { after: begin, limit });
    rows.clear();
    last = page.length === limit ? page.at(-1) : undefined;
    take(page);
  };

  return {
    get hasOlder() {
      return first !== undefined;
    },
    get hasNewer() {
      return last !== undefined;
    },
    rows: sorted,
    get: (id) => rows.get(id),
    show: (id) =>
      alone(async () => {
        const middle = id === undefined ? undefined : await store.get('message', [conversation, id]);
        if (!middle) {
          if (id === undefined) await readEnd(PAGE);
          return id === undefined;
        }
        const half = Math.floor(PAGE / 2);
        const before = await store.messages(query, { before: middle, limit: half });
        const after = await store.messages(query, { after: middle, limit: half });
        rows.clear();
        first = before.length === half ? before.at(-1) : undefined;
        last = after.length === half ? after.at(-1) : undefined;
        take([...before, middle, ...after]);
        return true;
      }),
    older: () =>
      alone(async () => {
        if (!first) return;
        const page = await store.messages(query, { before: first, limit: PAGE });
        first = page.length === PAGE ? page.at(-1) : undefined;
        take(page);
        trim('end');
      }),
    newer: () =>
      alone(async () => {
        if (!last) return;
        const page = await store.messages(query, { after: last, limit: PAGE });
        last = page.length === PAGE ? page.at(-1) : undefined;
        take(page);
        trim('beginning');
      }),
    again: () =>
      alone(async () => {
        const limit = Math.max(PAGE, rows.size);
        if (!last) return readEnd(limit);
        // From just before the first: no id comes before the empty one.
        const begin = first ?? { order: -1 };
        return readFrom({ conversation, order: begin.order, id: '' }, limit);
      }),
    put(id, row) {
      touched.set(id, row);
      const known = rows.get(id);
      if (!row) return { hit: rows.delete(id), gap: false };
      if (isIn(row)) {
        rows.set(id, row);
        // What comes in at the end, not what the person has read their way up to.
        if (!known) trim('beginning');
        return { hit: true, gap: false };
      }
      // What stands outside comes with its page. A message that has just moved there, from the end where it stood unsent,
      // leaves rows between itself and the window that nobody has read.
      const before = first !== undefined && byPlace(row, first) < 0;
      if (known && !before) rows.delete(id);
      return { hit: known !== undefined, gap: known !== undefined && before };
    },
  };
};
