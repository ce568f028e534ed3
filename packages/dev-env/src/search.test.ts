import { systemClock } from '@sotto/engine/clock';
import { removeMessages } from '@sotto/engine/conversations/change';
import { UNSENT_ORDER } from '@sotto/engine/conversations/order';
import { followModel, type Model, openModel, type ReadModel } from '@sotto/engine/model';
import { type Store, StoreError, type Write } from '@sotto/engine/ports';
import type { CatalogueRow, MessageRow } from '@sotto/engine/rows';
import { dropSome, indexSome } from '@sotto/engine/search/indexing';
import { conversationTerm, partitionOf } from '@sotto/engine/search/partition';
import { parseQuery } from '@sotto/engine/search/query';
import { createSearch } from '@sotto/engine/search/search';
import { decodeSegment, eachMatch } from '@sotto/engine/search/segment';
import { piecesOf, termsOf } from '@sotto/engine/search/words';
import { openVault, readVault } from '@sotto/engine/vault';
import type { SearchHit, SearchPlace } from '@sotto/engine/views';
import { createMemoryDisk, type MemoryDisk } from '@sotto/store-memory/memory-store';
import { message } from '@sotto/store-memory/store-case';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meet, messageOf, newId } from './meeting.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

const WORDS = [
  'a',
  'an',
  'ann',
  'cafe\u0301',
  'Café',
  'CAFETERIA',
  'Straße',
  'naïve',
  'tea',
  'team',
  'שָׁלוֹם',
  'שלומית',
  'مرحبا',
  '🎉',
  '👍🏽',
  '東京都',
  '京都',
  'ｶﾞｷﾞ',
  'สวัสดี',
  '3.14',
  '—',
];
const QUERIES = [...WORDS, 'c', 'ca', 'te', 't', 'ann tea', 'cafe strasse', '都', 'ガ', 'של', 'zz', ''];
const CONVERSATIONS = ['ann', 'bob', 'a'];

/** A device's rows without its engine: what it would do is done step by step. */
const open = async (disk: MemoryDisk, wrap = (store: Store): Store => store): Promise<Model> =>
  openModel(await openVault(wrap(disk.open())));

const put = (model: Model, rows: readonly MessageRow[]): Promise<void> =>
  model.change((draft) => {
    for (const row of rows) draft.put('message', row, [row.conversation, row.id]);
  });

const settle = async (model: Model, most?: number): Promise<void> => {
  while (await indexSome(model, most));
  while (await dropSome(model));
};

const remove = (model: Model, conversation: string, rows: readonly MessageRow[]): Promise<void> =>
  model.change((draft) => removeMessages(draft, model, conversation, rows, { me: 'me', now: 1 }));

const keyOf = ({ conversation, id }: MessageRow): string => `${conversation} ${id}`;
const hitKey = (hit: SearchHit): string => `${hit.conversation} ${hit.message}`;

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));

/** What a look at every message finds. */
const naive = async (model: ReadModel, text: string, conversation?: string): Promise<string[]> => {
  const query = parseQuery(text);
  return (await model.store.all('message'))
    .filter((row) => conversation === undefined || row.conversation === conversation)
    .filter((row) => query.match(row.text) !== undefined)
    .toSorted((a, b) => b.order - a.order || compare(b.conversation, a.conversation) || compare(b.id, a.id))
    .map(keyOf);
};

/** All pages of a search. */
const searched = async (
  model: ReadModel,
  text: string,
  { conversation, limit = 3 }: { conversation?: string; limit?: number } = {},
): Promise<string[]> => {
  const search = createSearch(model, systemClock);
  const found: string[] = [];
  let before: SearchPlace | undefined;
  do {
    const { hits, more }: Awaited<ReturnType<typeof search>> = await search(text, {
      ...(conversation !== undefined && { conversation: conversation as never }),
      ...(before && { before }),
      limit,
    });
    expect(hits.length).toBeLessThanOrEqual(limit);
    if (before) expect(hits).not.toEqual([]);
    if (more) expect(hits).toHaveLength(limit);
    found.push(...hits.map(hitKey));
    before = more;
  } while (before);
  return found;
};

/** Every term in every segment, with the messages that it stands for. */
const indexed = async ({ store }: Model): Promise<string[]> => {
  const catalogue = await store.get('catalogue', 'catalogue');
  const listings = await store.all('listing');
  const refs = catalogue?.partitions.flatMap((list, at) => list.map(({ id }) => [id, at] as const)) ?? [];
  const partitions = new Map(refs);
  const entries: string[] = [];
  for (const row of await store.all('segment')) {
    const segment = decodeSegment(row);
    for (const term of segment.terms) {
      expect(partitionOf(term)).toBe(partitions.get(row.id));
      eachMatch(segment, { term, prefix: false }, (doc) => {
        const listed = listings[Math.floor(doc / 256)]!.entries[doc % 256];
        entries.push(`${term} of ${listed?.[0]} ${listed?.[1]}`);
      });
    }
  }
  expect((await store.all('segment')).map(({ id }) => id)).toEqual(
    [...partitions.keys()].toSorted((a, b) => a - b),
  );
  return entries.toSorted();
};

/** What the index is to hold once it is in step: no word more. */
const expected = async ({ store }: Model): Promise<string[]> =>
  (await store.all('message'))
    .filter(({ order }) => order < UNSENT_ORDER)
    .flatMap((row) => {
      const terms = new Set(piecesOf(row.text).flatMap(termsOf));
      return terms.size === 0
        ? []
        : [...terms, conversationTerm(row.conversation)].map((term) => `${term} of ${keyOf(row)}`);
    })
    .toSorted();

const inStep = async (model: Model): Promise<void> => {
  expect(await indexed(model)).toEqual(await expected(model));
  const rows = await model.store.all('message');
  expect(rows.every(({ order, unindexed }) => order >= UNSENT_ORDER || !unindexed)).toBe(true);
  expect(await model.store.count('dropped')).toBe(0);
};

const text = fc.array(fc.constantFrom(...WORDS), { maxLength: 5 }).map((words) => words.join(' '));

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('write' as const), text, place: fc.nat(40), at: fc.nat(2) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('unsent' as const), text, at: fc.nat(2) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('edit' as const),
      text,
      which: fc.nat(),
      place: fc.option(fc.nat(40)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), which: fc.nat() }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('remove' as const), which: fc.nat(), count: fc.nat(4) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('index' as const), most: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('drop' as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('crash' as const), stored: fc.boolean(), drop: fc.boolean() }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** A store whose next commit ends the process, before it is stored or after. */
const frail = () => {
  const state: { crash?: 'before' | 'after' } = {};
  const wrap = (store: Store): Store => ({
    ...store,
    async commit(writes: readonly Write[]) {
      const { crash } = state;
      delete state.crash;
      if (crash === 'before') throw new StoreError('failed');
      await store.commit(writes);
      if (crash === 'after') throw new StoreError('failed');
    },
  });
  return { state, wrap };
};

const run = async (steps: readonly Step[]): Promise<void> => {
  const disk = createMemoryDisk();
  const { state, wrap } = frail();
  let model = await open(disk, wrap);
  let count = 0;
  const pick = async (which: number): Promise<MessageRow | undefined> => {
    const rows = await model.store.all('message');
    return rows[which % Math.max(1, rows.length)];
  };
  const perform = async (now: Step): Promise<void> => {
    switch (now.do) {
      case 'write':
      case 'unsent': {
        const id = `m${(count += 1)}`;
        const order = now.do === 'write' ? now.place : UNSENT_ORDER + count;
        const row = { conversation: CONVERSATIONS[now.at]!, text: now.text, unindexed: 1 as const };
        return put(model, [message(order, id, row)]);
      }
      case 'edit': {
        const row = await pick(now.which);
        const order = now.place ?? row?.order ?? 0;
        return row && put(model, [{ ...row, order, text: now.text, unindexed: 1 }]);
      }
      case 'delete': {
        const row = await pick(now.which);
        const deleted = { by: 'ann', sentAt: 1 };
        return row && put(model, [{ ...row, text: '', deleted, unindexed: 1 }]);
      }
      case 'remove': {
        const row = await pick(now.which);
        if (!row) return undefined;
        const rows = await model.store.messages(
          { conversation: row.conversation },
          { before: row, limit: now.count },
        );
        return remove(model, row.conversation, [row, ...rows]);
      }
      case 'index':
        return void (await indexSome(model, now.most));
      case 'drop':
        return void (await dropSome(model));
      case 'crash':
        state.crash = now.stored ? 'after' : 'before';
        await (now.drop ? dropSome(model) : indexSome(model, 3)).catch(() => undefined);
        delete state.crash;
        model = await open(disk, wrap);
    }
  };
  for (const now of steps) {
    await perform(now);
    const query = QUERIES[(count * 7 + steps.indexOf(now)) % QUERIES.length]!;
    expect(await searched(model, query)).toEqual(await naive(model, query));
  }
  for (const query of QUERIES) {
    const conversation = CONVERSATIONS[query.length % 3]!;
    expect(await searched(model, query, { conversation })).toEqual(await naive(model, query, conversation));
  }
  await settle(model, 4);
  await inStep(model);
  const follower = await followModel(readVault(disk.reader()));
  for (const query of QUERIES) expect(await searched(follower, query)).toEqual(await naive(model, query));
  for (const conversation of CONVERSATIONS) {
    await remove(model, conversation, await model.store.messages({ conversation }, { limit: 1000 }));
  }
  await settle(model);
  expect(await model.store.count('segment')).toBe(0);
  expect((await model.store.all('listing')).every(({ entries }) => entries.every((entry) => !entry))).toBe(
    true,
  );
};

/** Many messages, two a millisecond, in the index. */
const many = async (count: number) => {
  const disk = createMemoryDisk();
  const model = await open(disk);
  const rows = Array.from({ length: count }, (_, n) =>
    message(Math.floor(n / 2), `m${n}`, {
      conversation: CONVERSATIONS[n % 3]!,
      text: `common w${n} ${n % 97 === 0 ? 'rare' : ''}`,
      unindexed: 1,
    }),
  );
  await put(model, rows);
  await settle(model);
  return { disk, model, rows };
};

describe('search', () => {
  it('finds what a look at every message finds, whatever was edited, deleted and interrupted', async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 40 }), run), { numRuns: 40 });
  }, 180_000);

  it('finds among many, by pages, in a few segments that were merged', async () => {
    const { model } = await many(1200);
    const { partitions } = (await model.store.get('catalogue', 'catalogue')) as CatalogueRow;
    expect(Math.max(...partitions.map((refs) => refs.length))).toBeLessThanOrEqual(4);
    await inStep(model);
    for (const query of ['common', 'rare', 'w11', 'w1 c', 'co']) {
      const options = { limit: 100 };
      expect(await searched(model, query, options)).toEqual(await naive(model, query));
    }
    expect(await searched(model, 'rare', { conversation: 'bob' })).toEqual(await naive(model, 'rare', 'bob'));
  });

  it('keeps places when old messages are taken in last', async () => {
    const { model, rows } = await many(300);
    const late = rows.slice(0, 40).map((row) => ({ ...row, id: `late ${row.id}`, text: 'common' }));
    await put(
      model,
      late.map((row) => ({ ...row, unindexed: 1 as const })),
    );
    await settle(model);
    for (const limit of [1, 7]) {
      expect(await searched(model, 'common', { limit })).toEqual(await naive(model, 'common'));
    }
  });

  it('finds what is not indexed yet, and says when there is more', async () => {
    const model = await open(createMemoryDisk());
    const search = createSearch(model, systemClock);
    const rows = Array.from({ length: 120 }, (_, n) => message(n, `m${n}`, { text: 'fresh', unindexed: 1 }));
    await put(model, rows.slice(0, 99));
    expect(await search('fresh', { limit: 200 })).toMatchObject({ indexing: false });
    await put(model, rows);
    const before = await search('fresh', { limit: 200 });
    expect(before.indexing).toBe(true);
    expect(before.hits[0]!.message).toBe('m119');
    await settle(model);
    expect(await search('fresh', { limit: 200 })).toMatchObject({ indexing: false });
    expect((await search('fresh', { limit: 200 })).hits).toHaveLength(120);
  });

  it('can be asked by another while the index is written', async () => {
    const { disk, model, rows } = await many(300);
    const follower = await followModel(readVault(disk.reader()));
    const search = createSearch(follower, systemClock);
    let writing = true;
    const written = (async () => {
      for (let n = 0; n < 32; n += 1) {
        const old = rows[(n % 4) * 97]!;
        const row = (await model.store.get('message', [old.conversation, old.id]))!;
        await put(model, [{ ...row, text: `${row.text} again`, unindexed: 1 }]);
        await settle(model);
      }
      writing = false;
    })();
    let looked = 0;
    while (writing) {
      expect((await search('rare')).hits.map(hitKey)).toEqual(await naive(model, 'rare'));
      looked += 1;
    }
    await written;
    expect(looked).toBeGreaterThan(1);
    expect((await search('again')).hits).toHaveLength(4);
  });

  it('looks again when the index is written between the reading of what it consists of and of its parts', async () => {
    const { disk, model, rows } = await many(300);
    const reader = readVault(disk.reader());
    let writes = 0;
    const get: typeof reader.get = async (table, key) => {
      if (table === 'segment' && writes < 3) {
        writes += 1;
        const old = rows[194]!;
        const row = (await model.store.get('message', [old.conversation, old.id]))!;
        await put(model, [{ ...row, text: `rare ${writes}`, unindexed: 1 }]);
        await settle(model);
      }
      return reader.get(table, key);
    };
    const follower = await followModel({ ...reader, get });
    expect(await searched(follower, 'rare', { limit: 100 })).toEqual(await naive(model, 'rare'));
    expect(writes).toBe(3);
  });

  it('shows nothing that has run out', async () => {
    const model = await open(createMemoryDisk());
    await put(model, [message(1, 'm', { text: 'brief', unindexed: 1, expiresAt: 1000 })]);
    const at = (now: number) => createSearch(model, { ...systemClock, now: () => now })('brief');
    expect((await at(999)).hits).toHaveLength(1);
    expect((await at(1000)).hits).toHaveLength(0);
    await settle(model);
    expect((await at(999)).hits).toHaveLength(1);
    expect((await at(1000)).hits).toHaveLength(0);
  });

  it('tells nobody of what is indexed: nothing that is shown changes', async () => {
    const model = await open(createMemoryDisk());
    await put(model, [message(1, 'm', { unindexed: 1 })]);
    let told = 0;
    model.onChange(() => (told += 1));
    await settle(model);
    expect(told).toBe(0);
    expect(await model.store.count('segment')).toBeGreaterThan(0);
  });
});

describe('search of an engine', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  /** Every term that the index of a device holds. */
  const terms = async ({ store }: Resident): Promise<string[]> =>
    (await store.all('segment')).flatMap((row) => decodeSegment(row).terms);

  const eventually = async (what: string, test: () => Promise<boolean>): Promise<void> => {
    for (let n = 0; n < 400; n += 1) {
      if (await test()) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    throw new Error(`${what} did not come`);
  };

  const has = (who: Resident, term: string): Promise<boolean> => terms(who).then((all) => all.includes(term));

  it('finds messages of both, as they are now, and forgets their words when they go', async () => {
    const { ann, bob, withAnn, withBob, anns } = await meet(world, 'search');
    const id = newId();
    await bob.engine.send(withAnn, 'Crème brûlée tonight?', { id });
    const looked = async (query: string, who = ann) => (await who.engine.search(query)).hits;
    await until(anns, () => messageOf(anns, id) !== undefined, 'it');
    for (const who of [ann, bob]) {
      // Before it is in the index, and afterwards.
      expect((await looked('creme bru', who)).map(({ message: found }) => found)).toEqual([id]);
      await eventually('its words', () => has(who, 'brulee'));
      expect(await looked('tonight CREME', who)).toMatchObject([
        {
          message: id,
          snippet: {
            text: 'Crème brûlée tonight?',
            ranges: [
              [0, 5],
              [13, 7],
            ],
          },
        },
      ]);
    }
    expect((await ann.engine.search('creme', { conversation: withBob })).hits).toHaveLength(1);
    await bob.engine.edit(withAnn, id, 'Apple pie tonight?');
    await until(anns, () => messageOf(anns, id)?.text.startsWith('Apple') ?? false, 'the edit');
    expect(await looked('creme')).toEqual([]);
    expect(await looked('apple')).toHaveLength(1);
    await eventually(
      'the old words to go',
      async () => (await has(ann, 'apple')) && !(await has(ann, 'brulee')),
    );
    await bob.engine.deleteForEveryone(withAnn, [id]);
    await until(anns, () => messageOf(anns, id)?.deleted === true, 'the deletion');
    expect(await looked('apple')).toEqual([]);
    for (const who of [ann, bob]) {
      await eventually(
        'its words to go',
        async () => !(await terms(who)).some((term) => /apple|brulee/.test(term)),
      );
    }
  });

  it('forgets what was deleted just before the end at the next start', async () => {
    const { bob, withAnn } = await meet(world, 'start');
    const id = newId();
    await bob.engine.send(withAnn, 'unforgettable', { id });
    await eventually('its words', () => has(bob, 'unforgettable'));
    await bob.engine.deleteForMe(withAnn, [id]);
    await bob.engine.close();
    const store = await openVault(bob.disk.open());
    expect(await store.all('dropped')).toHaveLength(1);
    expect(await has({ ...bob, store }, 'unforgettable')).toBe(true);
    await bob.restart();
    expect((await bob.engine.search('unforgettable')).hits).toEqual([]);
    await eventually('it to go', async () => !(await has(bob, 'unforgettable')));
  });

  it('finds a message that failed where it stands after it was tried again', async () => {
    const { bob, withAnn } = await meet(world, 'retry');
    const id = newId();
    await bob.engine.send(withAnn, 'perseverance', { id });
    await eventually('its words', () => has(bob, 'perseverance'));
    await bob.engine.close();
    const store = await openVault(bob.disk.open());
    const { at: _, ...row } = (await store.get('message', [withAnn, id]))!;
    expect(row.unindexed).toBeUndefined();
    await store.commit([
      { table: 'message', put: { ...row, status: 'failed', problem: 'unknown-device' as never } },
    ]);
    await bob.restart();
    await bob.engine.retry(withAnn, id);
    const now = async () => (await bob.store.get('message', [withAnn, id]))!;
    await eventually('its place', async () => {
      const { order, at, unindexed } = await now();
      return at !== undefined && order !== row.order && !unindexed;
    });
    const { order, doc } = await now();
    const { entries } = (await bob.store.get('listing', Math.floor(doc! / 256)))!;
    expect(entries[doc! % 256]!.slice(1, 3)).toEqual([id, order]);
    expect((await bob.engine.search('perseverance')).hits).toMatchObject([{ message: id }]);
  });
});
