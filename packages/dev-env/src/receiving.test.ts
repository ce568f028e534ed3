import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { openModel } from '@sotto/engine/model';
import type { Store, Transport } from '@sotto/engine/ports';
import type { OutboxRow } from '@sotto/engine/rows';
import { readVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { message, put } from '@sotto/store-memory/store-case';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meet, texts } from './meeting.ts';
import { createWorld, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const COUNT = 12;
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** A transport that hands on one envelope at a time, each a while after the one before; the end of them after the last. */
const oneByOne = (inner: Transport): Transport => ({
  ...inner,
  connect(signer, listener) {
    let tail = Promise.resolve();
    const next = (step: () => void): void => {
      tail = tail.then(async () => {
        step();
        await pause(20);
      });
    };
    return inner.connect(signer, {
      ...listener,
      connected: () => listener.connected(),
      deliver(envelopes: readonly IncomingEnvelope[]) {
        for (const envelope of envelopes) next(() => listener.deliver([envelope]));
      },
      caughtUp() {
        // What is done at every connection is over by then.
        tail = tail.then(() => pause(1500));
        next(() => listener.caughtUp());
      },
    });
  },
});

/** A store that tells what was read of it by one, and the receipts that were stored. */
const watched = () => {
  const seen = { reads: [] as string[], receipts: [] as OutboxRow[], delay: 0 };
  const store = (inner: Store): Store => ({
    ...inner,
    async get(table, key) {
      seen.reads.push(table);
      return inner.get(table, key);
    },
    async commit(writes) {
      if (seen.delay > 0) await pause(seen.delay);
      await inner.commit(writes);
      for (const write of writes) {
        if (write.table !== 'outbox' || !('put' in write)) continue;
        const row = (await readVault(inner).get('outbox', write.put.seq))!;
        if (row.content.kind === 'receipt' && row.content.status === 'delivered') seen.receipts.push(row);
      }
    },
  });
  return { seen, store };
};

const sendAll = async (
  { ann, withBob }: Pick<Awaited<ReturnType<typeof meet>>, 'ann' | 'withBob'>,
  count: number,
): Promise<void> => {
  for (let n = 0; n < count; n += 1) await ann.engine.send(withBob, `waiting ${n}`);
  await until(ann.engine, ({ unsent }) => unsent === 0, 'all sent');
};

describe('what waited at the relay', () => {
  it('is answered in one receipt, and takes no reads of its own', async () => {
    const { seen, store } = watched();
    const met = await meet(world, 'burst', { bob: { store, transport: oneByOne } });
    const { bob, anns } = met;
    await bob.engine.close();
    await sendAll(met, COUNT);
    Object.assign(seen, { reads: [], receipts: [] });
    await bob.restart();
    await until(
      anns,
      ({ messages }) => messages.slice(-COUNT).every(({ status }) => status === 'delivered'),
      'receipts',
    );
    expect(new Set(seen.receipts.map(({ seq }) => seq)).size).toBe(1);
    expect(seen.receipts.at(-1)!.content).toMatchObject({ messages: { length: COUNT } });
    const readsOf = (...tables: string[]) => seen.reads.filter((table) => tables.includes(table)).length;
    expect(readsOf('message', 'gone', 'pending')).toBe(0);
    // Of the session, for what is sent.
    expect(readsOf('peer')).toBeLessThan(COUNT);
  });

  it('is answered also when the device stops before it has all', async () => {
    const { seen, store } = watched();
    const met = await meet(world, 'halved', { bob: { store, transport: oneByOne } });
    const { bob, anns } = met;
    await bob.engine.close();
    await sendAll(met, COUNT);
    seen.receipts = [];
    await bob.restart();
    await until(bob.engine, ({ conversations }) => conversations[0]!.unread > 2, 'the first of them');
    await bob.restart();
    await until(
      anns,
      ({ messages }) => messages.slice(-COUNT).every(({ status }) => status === 'delivered'),
      'receipts',
    );
    const told = seen.receipts.flatMap(({ content }) => (content.kind === 'receipt' ? content.messages : []));
    expect(new Set(told).size).toBe(COUNT);
  });
});

it('loses nothing of a receipt that grows while it is about to be encrypted', async () => {
  const { seen, store } = watched();
  const met = await meet(world, 'growing', { bob: { store, transport: oneByOne } });
  seen.delay = 60;
  await sendAll(met, COUNT);
  const delivered = await until(
    met.anns,
    ({ messages }) => messages.slice(-COUNT).every(({ status }) => status === 'delivered'),
    'receipts',
  );
  expect(delivered.messages).toHaveLength(COUNT + 2);
  expect(texts(met.bobs)).toHaveLength(COUNT + 2);
});

it('a draft reads ahead what it is asked for, and shows its own changes first', async () => {
  const store = createMemoryDisk().open();
  await store.commit([put(message(1, 'a')), put(message(2, 'b'))]);
  let reads = 0;
  const model = await openModel({
    ...store,
    get: (table, key) => {
      reads += 1;
      return store.get(table, key);
    },
  });
  await model.change(async (draft) => {
    const key = (id: string): [string, string] => ['ann', id];
    draft.put('message', message(1, 'a', { text: 'changed' }), key('a'));
    await draft.prefetch('message', ['a', 'b', 'x'].map(key));
    const read = await Promise.all(['a', 'b', 'x'].map((id) => draft.get('message', key(id))));
    expect(read.map((row) => row?.text)).toEqual(['changed', 'text b', undefined]);
    draft.remove('message', key('b'));
    draft.put('message', message(3, 'x'), key('x'));
    expect(await draft.get('message', key('b'))).toBeUndefined();
    expect(await draft.get('message', key('x'))).toBeDefined();
  });
  expect(reads).toBe(0);
});
