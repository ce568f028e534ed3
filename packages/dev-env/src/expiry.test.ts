import { openVault } from '@sotto/engine/vault';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { meet, messageOf, newId, viewOf } from './meeting.ts';
import { createWorld, until, type World } from './world.ts';

// As long as what is waited for within.
vi.setConfig({ testTimeout: 60_000 });

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
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
