import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { type Reader, type Store, StoreError } from '@sotto/engine/ports';
import { copyOf, readTables } from '@sotto/store-memory/tables';
import { type Database, openDatabase } from './database.ts';
import { guarded, ifThere } from './files.ts';
import { lockFile } from './lock.ts';

export interface FileOptions {
  /** The file of the store. Its folder is there and can be written to. */
  path: string;
  /** Opens it. Without one a key file does, which is made with the store. */
  passphrase?: string;
  /** Where the key file is: `path` with `.key` behind it, if not said. */
  keyFile?: string;
}

/** What stores are opened on, one after the other or at once, within one process. */
export interface FileDisk {
  /**
   * Becomes the only writer.
   *
   * @throws StoreError `blocked` while another process, or another disk, has the file; `sealed` when the key or the
   *   passphrase is not its own; `newer`; `full`; `failed` when it is damaged
   */
  open(): Promise<Store>;
  /** Reads alone: whoever writes goes on. @throws StoreError as open */
  reader(): Promise<Reader>;
}

/** Runs tasks one after the other, also after one that failed. */
const createQueue = () => {
  let tail: Promise<unknown> = Promise.resolve();
  return <R>(task: () => Promise<R>): Promise<R> => {
    const done = tail.then(() => guarded(task));
    tail = done.catch(() => undefined);
    return done;
  };
};

/** Files whose stores were closed, and when they are let go of: a store's `close` does not wait for that. */
const leaving = new Map<string, Promise<unknown>>();

/** The one name of a file, there or not yet. */
const nameOf = async (path: string): Promise<string> =>
  (await ifThere(realpath(path))) ?? join(await realpath(dirname(path)), basename(path));

/** Opens the file once for all that use it at a time. */
const createShare = ({ path, passphrase, keyFile }: FileOptions) => {
  let opened: { file: string; database: Database; release: () => void } | undefined;
  let users = 0;

  const load = async () => {
    const file = await nameOf(path);
    await leaving.get(file);
    const release = await lockFile(file);
    try {
      const secret = passphrase === undefined ? { keyFile: keyFile ?? `${file}.key` } : { passphrase };
      return { file, database: await openDatabase(file, secret), release };
    } catch (error) {
      release();
      throw error;
    }
  };

  const leave = async (): Promise<void> => {
    users -= 1;
    if (users > 0 || !opened) return;
    const { database, release } = opened;
    opened = undefined;
    try {
      await database.close();
    } finally {
      release();
    }
  };

  return {
    async use(): Promise<Database> {
      opened ??= await load();
      users += 1;
      return opened.database;
    },
    leave,
    /** `left` is when somebody who uses it has left. */
    leaves(left: Promise<unknown>): void {
      const { file } = opened!;
      leaving.set(file, left);
      void left.then(() => leaving.get(file) === left && leaving.delete(file));
    },
  };
};

/**
 * The engine's store in one sealed file, for Node. All of it is held in memory too. A commit resolves when it is on the
 * disk. Nothing is opened before it is asked for; the file is let go of when the last store is closed.
 */
export const createFileDisk = (options: FileOptions): FileDisk => {
  const queue = createQueue();
  const share = createShare(options);

  const read = (database: Database) => {
    let closed = false;
    const check = () => {
      if (closed) throw new StoreError('closed');
    };
    const close = () => {
      if (closed) return;
      closed = true;
      share.leaves(queue(share.leave).catch(() => undefined));
    };
    return { check, reader: readTables(database.tables, { check, close }) };
  };

  const begin = async (): Promise<Database> => {
    const database = await share.use();
    try {
      await database.begin();
    } catch (error) {
      await share.leave();
      throw error;
    }
    return database;
  };

  return {
    reader: () => queue(async () => read(await share.use()).reader),
    open: () =>
      queue(async () => {
        const database = await begin();
        const mine = database.generation;
        const { check, reader } = read(database);
        return {
          ...reader,
          generation: mine,
          async commit(writes) {
            check();
            const changes = copyOf(writes);
            await queue(async () => {
              if (mine !== database.generation) throw new StoreError('superseded');
              await database.commit(changes);
            });
            if (database.wasteful) void queue(async () => database.wasteful && database.compact());
          },
        };
      }),
  };
};
