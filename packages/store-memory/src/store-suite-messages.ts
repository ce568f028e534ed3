import { type MessagePage, type MessageQuery, type Reader, START } from '@sotto/engine/ports';
import type { MessageRow } from '@sotto/engine/rows';
import { equal } from './check.ts';
import { message, put, type StoreCase } from './store-case.ts';

const ids = async (reader: Reader, query: MessageQuery, page: MessagePage): Promise<string> =>
  (await reader.messages(query, page)).map(({ id }) => id).join(' ');

/** All rows of a query, page by page, in the order in which they stand. */
const walk = async (
  reader: Reader,
  query: MessageQuery,
  way: 'before' | 'after',
  limit: number,
): Promise<MessageRow[]> => {
  const rows: MessageRow[] = [];
  for (let guard = 0; guard < 200; guard += 1) {
    const last = rows.at(-1);
    const place = way === 'after' ? { after: last ?? START } : last && { before: last };
    const page = await reader.messages(query, { limit, ...place });
    rows.push(...page);
    if (page.length < limit) return way === 'after' ? rows : rows.toReversed();
  }
  throw new Error('the pages have no end');
};

/** Numbers that look random and are the same each time. */
const numbers = (seed: number) => {
  let state = seed;
  return (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
};

/** Few orders and few ids, so that there are ties of each. */
const heap = (): MessageRow[] => {
  const next = numbers(7);
  const rows = new Map<string, MessageRow>();
  for (let i = 0; i < 120; i += 1) {
    const conversation = ['an', 'ann', 'anna', 'ann\uFFFF'][next(4)]!;
    const row = message(next(25), `m${next(60)}`, {
      conversation,
      from: ['me', conversation][next(2)]!,
      ...(next(2) === 0 && { unread: 1 }),
      ...(next(3) === 0 && { starred: 1 }),
      ...(next(2) === 0 && { unindexed: 1 }),
    });
    rows.set(`${conversation} ${row.id}`, row);
  }
  return [...rows.values()];
};

const text = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

export const MESSAGE_CASES: readonly StoreCase[] = [
  {
    name: 'pages messages from the last, ties by id, one conversation at a time',
    async run(disk) {
      const store = await disk.open();
      const here = [message(5, 'b'), message(5, 'a'), message(9, 'c'), message(1, 'd')];
      await store.commit([...here, message(7, 'x', { conversation: 'bob' })].map(put));
      const ann = { conversation: 'ann' };
      equal(await ids(store, ann, { limit: 2 }), 'c b');
      equal(await ids(store, ann, { limit: 1, before: message(9, 'c') }), 'b');
      equal(await ids(store, ann, { limit: 10, before: message(5, 'b') }), 'a d');
      equal(await ids(store, ann, { limit: 10, before: message(1, 'd') }), '');
      equal(await ids(store, ann, { limit: 0 }), '');
      equal(await ids(store, ann, { limit: 2, after: START }), 'd a');
      equal(await ids(store, ann, { limit: 2, after: message(5, 'a') }), 'b c');
      equal(await ids(store, ann, { limit: 2, after: message(9, 'c') }), '');
      equal(await ids(store, ann, { limit: 0, after: START }), '');
      equal(await ids(store, ann, { limit: 3, after: message(5, 'aa') }), 'b c');
    },
  },
  {
    name: 'finds the same by every index, both ways, however long the pages are',
    async run(disk) {
      const store = await disk.open();
      const rows = heap();
      await store.commit(rows.map(put));
      const ann = { conversation: 'ann' };
      const inAnn = (row: MessageRow) => row.conversation === 'ann';
      const cases: [MessageQuery, (row: MessageRow) => boolean][] = [
        [ann, inAnn],
        [{ ...ann, unread: true }, (row) => inAnn(row) && row.unread === 1],
        [{ ...ann, from: 'me' }, (row) => inAnn(row) && row.from === 'me'],
        [{ starred: true }, (row) => row.starred === 1],
        [{ unindexed: true }, (row) => row.unindexed === 1],
      ];
      for (const [query, test] of cases) {
        const expected = rows
          .filter(test)
          .toSorted((a, b) => a.order - b.order || text(a.conversation, b.conversation) || text(a.id, b.id));
        for (const limit of [1, 2, 7, expected.length, 500]) {
          for (const way of ['before', 'after'] as const) {
            const what = `${JSON.stringify(query)} by ${limit} ${way}`;
            equal(await walk(store, query, way, limit), expected, what);
          }
        }
      }
    },
  },
  {
    name: 'finds what expires, the earliest first',
    async run(disk) {
      const store = await disk.open();
      const rows = [message(1, 'a', { expiresAt: 30 }), message(2, 'b', { expiresAt: 10 }), message(3, 'c')];
      await store.commit([...rows, message(4, 'd', { expiresAt: 20, conversation: 'bob' })].map(put));
      equal(await ids(store, { expiresBefore: 30 }, { limit: 10 }), 'b d');
      equal(await ids(store, { expiresBefore: 31 }, { limit: 2 }), 'b d');
      equal(await ids(store, { expiresBefore: Number.POSITIVE_INFINITY }, { limit: 10 }), 'b d a');
      equal(await ids(store, { expiresBefore: 10 }, { limit: 10 }), '');
    },
  },
  {
    name: 'moves a message when what it is found by changes',
    async run(disk) {
      const store = await disk.open();
      const marks = { unread: 1, starred: 1, unindexed: 1, expiresAt: 9 } as const;
      await store.commit([put(message(1, 'a', marks)), put(message(2, 'b'))]);
      await store.commit([put(message(3, 'a'))]);
      equal(await ids(store, { conversation: 'ann' }, { limit: 5 }), 'a b');
      equal(await ids(store, { conversation: 'ann', unread: true }, { limit: 5 }), '');
      equal(await ids(store, { starred: true }, { limit: 5 }), '');
      equal(await ids(store, { unindexed: true }, { limit: 5 }), '');
      equal(await ids(store, { expiresBefore: 10 }, { limit: 5 }), '');
      await store.commit([{ table: 'message', remove: ['ann', 'a'] }]);
      equal(await ids(store, { conversation: 'ann', from: 'ann' }, { limit: 5 }), 'b');
    },
  },
];
