import { setTimeout as sleep } from 'node:timers/promises';
import type { DeviceId } from '@sotto/contract/ids';
import { afterEach, describe, expect, it } from 'vitest';
import { randomId } from '../../test/device.ts';
import { eventually, temporaryDatabase } from '../../test/harness.ts';
import { startProxy } from '../../test/proxy.ts';
import { REMOVED_CHANNEL } from '../services/devices.ts';
import { listenForRemovals } from './removals.ts';

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

describe('removals', () => {
  it('F7: are asked for anew when the connection has gone silent and nobody said so', async () => {
    const database = await temporaryDatabase();
    const url = new URL(database.url);
    const proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    const seen = { removed: new Set<DeviceId>(), caughtUp: 0 };
    const removals = listenForRemovals(
      { connectionString: url.href },
      {
        removed: (device) => seen.removed.add(device),
        caughtUp: async () => void (seen.caughtUp += 1),
      },
      { every: 1_000, patience: 900 },
    );
    closers.push(
      () => database.close(),
      () => proxy.stop(),
      () => removals.close(),
    );
    const remove = async (): Promise<DeviceId> => {
      const device = randomId<DeviceId>();
      await database.pool.query('SELECT pg_notify($1, $2)', [REMOVED_CHANNEL, device]);
      return device;
    };
    await eventually(() => expect(seen.caughtUp).toBeGreaterThan(0));
    const heard = await remove();
    await eventually(() => expect(seen.removed).toContain(heard));

    const before = seen.caughtUp;
    let swallowed = 0;
    proxy.way.toServer = proxy.way.toClient = () => {
      swallowed += 1;
      return 'drop';
    };
    await remove();
    await eventually(() => expect(swallowed).toBeGreaterThan(1));
    // What is said from now on is heard again: a listener that asks nothing never learns what it missed.
    proxy.mend();
    await eventually(() => expect(seen.caughtUp).toBeGreaterThan(before));
    const later = await remove();
    await eventually(() => expect(seen.removed).toContain(later));
  });

  it('are let go of at any moment, also before they are listened for', async () => {
    const database = await temporaryDatabase();
    closers.push(() => database.close());
    for (const moment of [0, 1, 2, 5, 50]) {
      const handlers = { removed: () => undefined, caughtUp: async () => undefined };
      const removals = listenForRemovals({ connectionString: database.url }, handlers);
      await sleep(moment);
      await removals.close();
    }
  });
});
