import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Handle } from '@sotto/contract/ids';
import { parseLink } from '@sotto/contract/link';
import { createEngine } from '@sotto/engine/engine';
import type { Transport } from '@sotto/engine/ports';
import type { Engine, EngineSnapshot, View } from '@sotto/engine/views';
import { readConfig } from '@sotto/relay/config';
import { createRelay, type Relay } from '@sotto/relay/relay';
import { createMemoryDisk, type MemoryDisk } from '@sotto/store-memory/memory-store';
import { createTransport } from '@sotto/transport/transport';

/** Somebody with one device: what is on its disk stays when the engine is killed and started again. */
export interface Resident {
  disk: MemoryDisk;
  engine: Engine;
  /** Starts another engine on the same disk, as a browser does after a crash: the one before is not closed. */
  restart(): Promise<Engine>;
}

/** A relay with its embedded database in a folder of its own, and engines that talk to it. */
export interface World {
  relay: Relay;
  /** Somebody who has an account. `wrap` stands between the engine and the network. */
  resident(handle: string, wrap?: (transport: Transport) => Transport): Promise<Resident>;
  close(): Promise<void>;
}

export const createWorld = async (): Promise<World> => {
  const folder = await mkdtemp(join(tmpdir(), 'sotto-world-'));
  const relay = await createRelay({
    ...readConfig({ SOTTO_DATA: folder, PORT: '0', LOG_LEVEL: 'silent' }),
  });
  const residents: Resident[] = [];
  return {
    relay,
    async resident(handle, wrap = (transport) => transport) {
      const disk = createMemoryDisk();
      const start = () =>
        createEngine({ store: disk.open(), transport: wrap(createTransport({ origin: relay.url })) });
      const resident: Resident = {
        disk,
        engine: await start(),
        async restart() {
          const before = resident.engine;
          resident.engine = await start();
          void before.close();
          return resident.engine;
        },
      };
      residents.push(resident);
      const link = parseLink(await relay.createInvite())!;
      await resident.engine.register({ link, handle: handle as Handle, name: handle.toUpperCase() });
      return resident;
    },
    async close() {
      await Promise.all(residents.map(({ engine }) => engine.close()));
      await relay.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** Resolves with the first snapshot that passes; rejects after a time that only a hang takes. */
export const until = <S>(view: View<S>, test: (snapshot: S) => boolean, what = 'the view'): Promise<S> =>
  new Promise((resolve, reject) => {
    const limit = setTimeout(() => {
      stop();
      reject(new Error(`${what} did not come: ${JSON.stringify(view.getSnapshot()).slice(0, 2000)}`));
    }, 20_000);
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
