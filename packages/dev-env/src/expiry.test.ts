import { createExpiry, expire } from '@sotto/engine/conversations/expiry';
import { openModel } from '@sotto/engine/model';
import type { MessageRow, SelfRow } from '@sotto/engine/rows';
import { indexSome } from '@sotto/engine/search/indexing';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { openVault } from '@sotto/engine/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meet, messageOf, newId, viewOf } from './meeting.ts';
import { createWorld, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe('a disappearing message', () => {
  it('goes from its author’s device after it was sent, from the other after it was read', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'gone');
    await bob.engine.setTimer(withAnn, 2);
    expect(bobs.getSnapshot().timer).toBe(2);
    const id = newId();
    await bob.engine.send(withAnn, 'soon gone', { id });
    await until(bobs, () => messageOf(bobs, id) === undefined, 'it goes');
    // Nobody has read it there.
    expect(messageOf(anns, id)).toMatchObject({ text: 'soon gone', timer: 2, unread: true });
    expect(messageOf(anns, id)!.expiresAt).toBeUndefined();
    await ann.engine.send(withBob, 'an answer', { reply: id });
    await ann.engine.markRead(withBob);
    await until(anns, () => messageOf(anns, id) === undefined, 'it goes there too');
    expect(anns.getSnapshot().messages.some(({ text }) => text === 'soon gone')).toBe(false);
    await until(bobs, ({ messages }) => messages.at(-1)!.text === 'an answer', 'the answer');
    await bob.engine.markRead(withAnn);
    for (const { engine, store } of [ann, bob]) {
      const listed = () => engine.getSnapshot().conversations[0]!;
      await until(engine, () => listed().last?.text === 'hello yourself', 'the list');
      expect(listed().unread).toBe(0);
      const kept = await Promise.all(
        (['message', 'conversation', 'pending', 'outbox'] as const).map((table) => store.all(table)),
      );
      expect(JSON.stringify(kept)).not.toMatch(/soon gone|an answer/);
    }
  });

  it('takes its timer with it: the newest message tells what comes next', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'timer');
    await bob.engine.setTimer(withAnn, 3600);
    // What the other sends without one does not undo what was chosen here.
    await ann.engine.send(withBob, 'knows of no timer');
    await until(bobs, ({ messages }) => messages.at(-1)?.text === 'knows of no timer', 'it');
    expect(bobs.getSnapshot().timer).toBe(3600);
    await bob.engine.send(withAnn, 'with a timer');
    await until(anns, ({ timer }) => timer === 3600, 'the timer');
    await ann.engine.setTimer(withBob, undefined);
    await ann.engine.send(withBob, 'and without');
    await until(bobs, ({ timer }) => timer === undefined, 'none');
    expect(anns.getSnapshot().timer).toBeUndefined();
    for (const wrong of [0, -1, 1.5, Number.NaN, 28 * 24 * 3600 + 1]) {
      await expect(bob.engine.setTimer(withAnn, wrong)).rejects.toMatchObject({ code: 'bad-timer' });
    }
  });

  it('goes while nothing runs: at the next start it is gone before anything is shown', async () => {
    const { ann, bob, withAnn, withBob, anns } = await meet(world, 'closed');
    await bob.engine.setTimer(withAnn, 3600);
    const id = newId();
    await bob.engine.send(withAnn, 'read and closed', { id });
    await until(anns, () => messageOf(anns, id) !== undefined, 'it');
    await ann.engine.markRead(withBob);
    await ann.engine.close();
    const store = await openVault(ann.disk.open());
    const row = (await store.get('message', [withBob, id]))!;
    expect(row.expiresAt).toBeGreaterThan(Date.now());
    await store.commit([{ table: 'message', put: { ...row, expiresAt: Date.now() } }]);
    const engine = await ann.restart();
    expect(engine.getSnapshot().conversations[0]!.last!.text).toBe('hello yourself');
    const view = await viewOf(ann, withBob);
    expect(messageOf(view, id)).toBeUndefined();
    expect(await ann.store.get('message', [withBob, id])).toBeUndefined();
  });
});

describe('what runs out while the index takes it in', () => {
  it('leaves the index too', async () => {
    const store = createMemoryDisk().open();
    const message = { conversation: 'ann', id: 'm', order: 1, from: 'me', device: 'd', text: 'word' };
    const due = { ...message, sentAt: 1, at: 1, status: 'sent', expiresAt: 2, unindexed: 1 };
    await store.commit([
      { table: 'self', put: { key: 'self', account: 'me' } as SelfRow },
      { table: 'message', put: due as MessageRow },
    ]);
    const model = await openModel({
      ...store,
      async messages(query, range) {
        const rows = await store.messages(query, range);
        if ('expiresBefore' in query && rows.length > 0) await indexSome(model);
        return rows;
      },
    });
    await expire(model, 2);
    expect(await store.count('message')).toBe(0);
    expect(await store.all('dropped')).toEqual([{ doc: 0 }]);
  });
});

describe('F9 a clock that is a day ahead', () => {
  const HOUR = 3_600_000;
  const START = 1e12;

  /** One message that goes an hour after START, and a clock to be turned. */
  const opened = async () => {
    const store = createMemoryDisk().open();
    const message = { conversation: 'ann', id: 'm', order: 1, from: 'me', device: 'd', text: 'x' };
    const dated = { ...message, sentAt: START, at: START, status: 'sent', expiresAt: START + HOUR };
    await store.commit([
      { table: 'self', put: { key: 'self', account: 'me' } as SelfRow },
      { table: 'message', put: dated as MessageRow },
    ]);
    const model = await openModel(store);
    let now = START;
    let timer: (() => void) | undefined;
    let armed = 0;
    const clock = {
      now: () => now,
      after: (_: number, task: () => void) => {
        timer = task;
        armed += 1;
        return () => undefined;
      },
    };
    const errors: unknown[] = [];
    const expiry = createExpiry(model, clock, (error) => errors.push(error));
    await expect.poll(() => armed).toBe(1);
    return {
      expiry,
      isHere: async () => (await store.get('message', ['ann', 'm'])) !== undefined,
      turn: (to: number) => void (now = to),
      /** Looks again; resolves when it has. */
      async look(how: () => void = () => timer!()) {
        const before = armed;
        how();
        await Promise.race([
          expect.poll(() => armed).toBeGreaterThan(before),
          expect.poll(() => store.count('message')).toBe(0),
        ]);
        expect(errors).toEqual([]);
      },
    };
  };

  it('takes nothing away before its time by the relay’s clock', async () => {
    const { expiry, isHere, turn, look } = await opened();
    await look(() => expiry.time(START));
    expiry.connected();
    turn(START + 24 * HOUR);
    await look();
    expect(await isHere()).toBe(true);
    await look(() => expiry.time(START + HOUR / 6));
    expect(await isHere()).toBe(true);
    turn(START + 25 * HOUR);
    await look(() => expiry.time(START + HOUR + HOUR / 6));
    expect(await isHere()).toBe(false);
    await expiry.stop();
  });

  it('takes away what ran out while the device slept, once the relay says so', async () => {
    const { expiry, isHere, turn, look } = await opened();
    expiry.connected();
    turn(START + 24 * HOUR);
    await look();
    expect(await isHere()).toBe(true);
    await look(() => expiry.time(START + 24 * HOUR));
    expect(await isHere()).toBe(false);
    await expiry.stop();
  });

  it('goes by itself while there is no relay to ask, and is not hastened by one', async () => {
    const { expiry, isHere, turn, look } = await opened();
    await look(() => expiry.time(START + 48 * HOUR));
    expect(await isHere()).toBe(true);
    turn(START + 24 * HOUR);
    await look();
    expect(await isHere()).toBe(false);
    await expiry.stop();
  });
});
