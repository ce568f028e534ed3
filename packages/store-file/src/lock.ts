import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { basename, dirname } from 'node:path';
import { StoreError } from '@sotto/engine/ports';

/** open(2) of macOS: with a lock that no other open file has. */
const O_EXLOCK = 0x20;

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** An abstract socket: the kernel gives its name to one process, and takes it back however that ends. */
const lockOnLinux = async (path: string): Promise<() => void> => {
  const { dev, ino } = await stat(dirname(path));
  const name = createHash('sha256').update(JSON.stringify([dev, ino, basename(path)]));
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(`\0sotto-store-${name.digest('base64url')}`, resolve);
  });
  server.unref();
  return () => void server.close();
};

const lockOnDarwin = async (path: string): Promise<() => void> => {
  const { O_RDWR, O_CREAT, O_NONBLOCK } = constants;
  const file = await open(`${path}.lock`, O_RDWR | O_CREAT | O_NONBLOCK | O_EXLOCK, 0o600);
  return () => void file.close();
};

/**
 * Keeps every other process from opening the store at `path` until what it returns is called or this one ends, however
 * it does.
 *
 * @throws StoreError `blocked` when another has it, `failed` on a system whose locks are not known here
 */
export const lockFile = async (path: string): Promise<() => void> => {
  const lock = { linux: lockOnLinux, darwin: lockOnDarwin }[process.platform as string];
  if (!lock) throw new StoreError('failed', { cause: new Error(`no lock on ${process.platform}`) });
  try {
    return await lock(path);
  } catch (cause) {
    const held = ['EADDRINUSE', 'EAGAIN', 'EWOULDBLOCK'].includes(String(codeOf(cause)));
    throw new StoreError(held ? 'blocked' : 'failed', { cause });
  }
};
