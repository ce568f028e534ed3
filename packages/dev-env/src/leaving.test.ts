import type { Handle } from '@sotto/contract/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { createWorld, online, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const own = (devices: readonly { device: string; current: boolean }[]) =>
  devices.find(({ current }) => current)!.device as never;

describe('a device that leaves', () => {
  it('is on the account no more, which goes on with the others', async () => {
    const first = await world.resident('leaves_one');
    const second = await addDevice(world, first);
    await online(second.engine);
    await second.engine.removeDevice(own(second.engine.getSnapshot().devices));
    await until(second.engine, ({ phase }) => phase === 'removed', 'the end');
    // It is told with the next connection.
    const engine = await first.restart();
    await until(engine, ({ devices }) => devices.length === 1, 'the list without it');
    expect(engine.getSnapshot().phase).toBe('ready');
  });

  it('leaves an account behind that nobody gets into when it was the only one', async () => {
    const last = await world.resident('leaves_last');
    await online(last.engine);
    await last.engine.removeDevice(own(last.engine.getSnapshot().devices));
    await until(last.engine, ({ phase }) => phase === 'removed', 'the end');
    const other = await world.newcomer();
    const taken = other.engine.register({
      link: await world.invite(),
      handle: 'leaves_last' as Handle,
      name: 'Other',
    });
    await expect(taken).rejects.toMatchObject({ code: 'handle-taken' });
  });
});

describe('an account that is deleted', () => {
  it('is gone with all its devices, and its handle is free', async () => {
    const first = await world.resident('deletes');
    const second = await addDevice(world, first);
    await Promise.all([online(first.engine), online(second.engine)]);
    await second.engine.deleteAccount();
    await until(first.engine, ({ connection }) => connection === 'offline', 'the end of the other device');
    const other = await world.resident('deletes');
    expect(other.engine.getSnapshot().phase).toBe('ready');
    await expect((await world.newcomer()).engine.deleteAccount()).rejects.toMatchObject({
      code: 'not-ready',
    });
  });
});
