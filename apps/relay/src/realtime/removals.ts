import { setTimeout as sleep } from 'node:timers/promises';
import { DeviceId } from '@sotto/contract/ids';
import pg from 'pg';
import { REMOVED_CHANNEL } from '../services/devices.ts';

const RETRY_MS = 500;
/** How often a connection on which nothing is said is asked whether it still stands, and how long it has for its answer. */
const BEAT = { every: 10_000, patience: 5_000 };
/** The PostgreSQL channel on which a relay says that it reaches the others in no other way. */
export const APART_CHANNEL = 'sotto_apart';

/**
 * Listens for devices that anybody removes from the database, and for relays without Redis. `caughtUp` is called whenever
 * listening begins: what was said before has not been heard.
 */
export const listenForRemovals = (
  connection: pg.ClientConfig,
  handlers: {
    removed: (device: DeviceId) => void;
    apart?: () => void;
    caughtUp: () => Promise<void>;
  },
  beat = BEAT,
): { close(): Promise<void> } => {
  let closed = false;
  let client: pg.Client | undefined;

  const listen = async (): Promise<void> => {
    const mine = new pg.Client({
      ...connection,
      application_name: 'sotto-listener',
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      connectionTimeoutMillis: 5_000,
      query_timeout: beat.patience,
    });
    client = mine;
    let beating: NodeJS.Timeout | undefined;
    const ended = new Promise<void>((resolve) => void mine.once('end', resolve));
    mine.on('error', () => undefined);
    mine.on('notification', ({ channel, payload }) => {
      if (channel === APART_CHANNEL) return handlers.apart?.();
      const device = DeviceId.safeParse(payload);
      if (device.success) handlers.removed(device.data);
    });
    try {
      await mine.connect();
      await mine.query(`LISTEN ${REMOVED_CHANNEL}; LISTEN ${APART_CHANNEL}`);
      // Half-open, it would hear nothing, and nothing would say so.
      beating = setInterval(() => mine.query('SELECT 1').catch(() => mine.end()), beat.every);
      await handlers.caughtUp();
      await ended;
    } catch {
      await mine.end().catch(() => undefined);
    } finally {
      clearInterval(beating);
    }
  };

  void (async () => {
    while (!closed) {
      await listen();
      if (!closed) await sleep(RETRY_MS);
    }
  })();

  return {
    close: async () => {
      closed = true;
      // The loop is not waited for: what is ended while it connects never says so.
      await client?.end().catch(() => undefined);
    },
  };
};
