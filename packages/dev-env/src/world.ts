import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Handle } from '@sotto/contract/ids';
import { type Link, parseLink } from '@sotto/contract/link';
import type { Clock } from '@sotto/engine/clock';
import { createEngine } from '@sotto/engine/engine';
import { openVault } from '@sotto/engine/vault';
import type { Store, Transport } from '@sotto/engine/ports';
import type { Engine, EngineSnapshot, View } from '@sotto/engine/views';
import { readConfig } from '@sotto/relay/config';
import { createRelay, type Relay } from '@sotto/relay/relay';
import { UNLIMITED } from '@sotto/relay/services/limits';
import { createMemoryDisk, type MemoryDisk } from '@sotto/store-memory/memory-store';
import { createTransport } from '@sotto/transport/transport';

/** Somebody with one device: what is on its disk stays when the engine is killed and started again. */
export interface Resident {
  disk: MemoryDisk;
  engine: Engine;
  /** What the engine stands on, opened: for tests that reach past it. */
  store: Store;
  transport: Transport;
  /** Starts another engine on the same disk, as a browser does after a crash: the one before is not closed. */
  restart(): Promise<Engine>;
  /** Closes the engine and lets go of the disk. */
  leave(): Promise<void>;
}

/** What stands between an engine and its network or its disk. */
export interface Wrap {
  transport?: (transport: Transport) => Transport;
  store?: (store: Store) => Store;
  clock?: Clock;
}

/** A relay with its embedded database in a folder of its own, and engines that talk to it. */
export interface World {
  relay: Relay;
  /** Somebody who has an account. */
  resident(handle: string, wrap?: Wrap): Promise<Resident>;
  /** Somebody who has opened the app and nothing more. */
  newcomer(wrap?: Wrap): Promise<Resident>;
  invite(): Promise<Link>;
  close(): Promise<void>;
}

export const createWorld = async (): Promise<World> => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-world-'));
  const relay = await createRelay({
    ...readConfig({ SOTTO_DATA: folder, PORT: '0', LOG_LEVEL: 'silent' }),
    limits: UNLIMITED,
  });
  const residents = new Set<Resident>();
  const same = <T>(part: T): T => part;

  const newcomer = async ({
    transport: network = same,
    store: storage = same,
    clock,
  }: Wrap = {}): Promise<Resident> => {
    const disk = createMemoryDisk();
    const start = async () => {
      const store = storage(disk.open());
      const transport = network(createTransport({ origin: relay.url }));
      const engine = await createEngine({ store, transport, ...(clock && { clock }) });
      return { store: await openVault(store), transport, engine };
    };
    const resident: Resident = {
      disk,
      ...(await start()),
      async restart() {
        const before = resident.engine;
        Object.assign(resident, await start());
        void before.close();
        return resident.engine;
      },
      async leave() {
        residents.delete(resident);
        await resident.engine.close();
      },
    };
    residents.add(resident);
    return resident;
  };

  const invite = async (): Promise<Link> => parseLink(await relay.createInvite())!;

  return {
    relay,
    newcomer,
    invite,
    async resident(handle, wrap) {
      const resident = await newcomer(wrap);
      await resident.engine.register({
        link: await invite(),
        handle: handle as Handle,
        name: handle.toUpperCase(),
      });
      return resident;
    },
    async close() {
      await Promise.all([...residents].map(({ engine }) => engine.close()));
      await relay.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** A time that only a hang takes, in ms; the limit of a test (vitest.config.ts) is longer. */
const HANG_MS = 60_000;

/** Resolves with the first snapshot that passes; rejects when nothing came for HANG_MS. */
export const until = <S>(view: View<S>, test: (snapshot: S) => boolean, what = 'the view'): Promise<S> =>
  new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      stop();
      reject(new Error(`${what} did not come: ${JSON.stringify(view.getSnapshot()).slice(0, 2000)}`));
    }, HANG_MS);
    const look = (): void => {
      const snapshot = view.getSnapshot();
      if (!test(snapshot)) return;
      clearTimeout(limit);
      stop();
      resolve(snapshot);
    };
    const stop = view.subscribe(look);
    look();
  });

export const online = (engine: Engine): Promise<EngineSnapshot> =>
  until(engine, ({ connection, catchingUp }) => connection === 'online' && !catchingUp, 'a connection');
