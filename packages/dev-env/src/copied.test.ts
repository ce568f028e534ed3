import type { Store } from '@sotto/engine/ports';
import { KEY_PATHS, type TableName } from '@sotto/engine/rows';
import { openVault } from '@sotto/engine/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meet, newId, texts } from './meeting.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

const DAY = 24 * 60 * 60_000;

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** Somebody whose disk is, byte for byte, that of another who is not running. */
const copyOf = async ({ disk }: Resident): Promise<Resident> => {
  const copy = await world.newcomer();
  await copy.engine.close();
  const [from, to]: Store[] = [disk.open(), copy.disk.open()];
  for (const table of Object.keys(KEY_PATHS) as TableName[]) {
    const rows = await from!.all(table);
    await to!.commit(rows.map((put) => ({ table, put }) as never));
  }
  return copy;
};

/** The numbers of the sealing keys that the relay has had of somebody. */
const published = async ({ store }: Resident): Promise<number[]> =>
  (await store.get('self', 'self'))!.sealing
    .filter(({ publishedAt }) => publishedAt !== undefined)
    .map(({ id }) => id);

describe('A7 a disk that was copied, when both go on', () => {
  it('is noticed by the one that comes back, which sends nothing and says so, and then by the other', async () => {
    const { ann, bob, withAnn, withBob, bobs } = await meet(world, 'copied');
    await ann.engine.close();
    const copy = await copyOf(ann);
    // The one goes on, and has a new sealing key after a month.
    const disk = await openVault(ann.disk.open());
    const self = (await disk.get('self', 'self'))!;
    const sealing = self.sealing.map((key) => ({ ...key, createdAt: key.createdAt - 31 * DAY }));
    await disk.commit([{ table: 'self', put: { ...self, sealing } }]);
    await ann.restart();
    await expect.poll(() => published(ann)).toEqual([1, 2]);
    expect(ann.engine.getSnapshot().alarm).toBeUndefined();
    await ann.engine.send(withBob, 'from the first');
    await until(bobs, () => texts(bobs).at(-1) === 'from the first', 'it');

    const engine = await copy.restart();
    await until(engine, ({ alarm }) => alarm === 'profile-copied', 'the alarm');
    const id = newId();
    await engine.send(withBob, 'from the copy', { id });
    await online(engine);
    await bob.engine.send(withAnn, 'who is there?');
    await until(bobs, ({ messages }) => messages.at(-1)!.status !== 'waiting', 'sent');
    expect((await copy.store.get('message', [withBob, id]))!.status).toBe('waiting');
    expect(texts(bobs)).not.toContain('from the copy');

    await engine.startAnew();
    await until(bobs, () => texts(bobs).includes('from the copy'), 'it goes on');
    await expect.poll(() => published(copy)).toContain(3);
    const first = await ann.restart();
    await until(first, ({ alarm }) => alarm === 'profile-copied', 'the other alarm');
  });
});
