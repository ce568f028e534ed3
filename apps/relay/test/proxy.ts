import { once } from 'node:events';
import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';

/** What becomes of bytes on their way: `hold` keeps them until `release`, `cut` breaks both ends of their connection. */
export type Verdict = 'pass' | 'drop' | 'hold' | 'cut';

export interface Way {
  /** Milliseconds that bytes take in each direction. */
  delay: number;
  /** Bytes go nowhere, connections stay: neither side hears of it. */
  silent: boolean;
  /** Asked for what goes to the server, and for what comes back. */
  toServer: (bytes: Buffer, connection: Pair) => Verdict;
  toClient: (bytes: Buffer, connection: Pair) => Verdict;
}

/** A connection through the proxy. `marked` is for whoever judges its bytes. */
export interface Pair {
  inward: Socket;
  outward: Socket;
  marked: boolean;
}

const pass = (): Verdict => 'pass';
const FREE: Way = { delay: 0, silent: false, toServer: pass, toClient: pass };

/** A TCP proxy in front of a port on this machine, that does to connections what networks do. */
export const startProxy = async (to: number) => {
  const way: Way = { ...FREE };
  const pairs = new Set<Pair>();
  let held: (() => void)[] = [];
  let open = true;

  const end = (pair: Pair): void => {
    pairs.delete(pair);
    pair.inward.destroy();
    pair.outward.destroy();
  };
  const carry = (pair: Pair, from: Socket, into: Socket, judge: 'toServer' | 'toClient'): void => {
    const write = (bytes: Buffer): void => {
      if (into.destroyed) return;
      // Whoever does not read here holds up whoever writes there.
      if (into.write(bytes)) return;
      from.pause();
      into.once('drain', () => from.resume());
    };
    from.on('data', (bytes: Buffer) => {
      if (way.silent) return;
      const verdict = way[judge](bytes, pair);
      if (verdict === 'cut') end(pair);
      if (verdict === 'hold') held.push(() => write(bytes));
      if (verdict !== 'pass') return;
      if (way.delay > 0) setTimeout(() => write(bytes), way.delay);
      else write(bytes);
    });
  };
  const server = createServer({ noDelay: true }, (inward) => {
    if (!open) return void inward.destroy();
    const outward = createConnection({ port: to, host: '127.0.0.1', noDelay: true });
    const pair: Pair = { inward, outward, marked: false };
    pairs.add(pair);
    for (const socket of [inward, outward])
      socket
        .on('error', () => undefined)
        // An end goes unheard where bytes do.
        .on('close', () => way.silent || end(pair));
    carry(pair, inward, outward, 'toServer');
    carry(pair, outward, inward, 'toClient');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const cut = (): void => {
    open = false;
    for (const pair of pairs) end(pair);
  };

  return {
    port,
    way,
    /** Breaks all that there are and refuses others. */
    cut,
    /** All is well again: for connections that are still there, and for new ones. */
    mend: (): void => {
      open = true;
      Object.assign(way, FREE);
    },
    /** What was held goes on its way. */
    release: (): void => {
      for (const write of held) write();
      held = [];
    },
    stop: (): void => {
      cut();
      server.close();
    },
  };
};
export type Proxy = Awaited<ReturnType<typeof startProxy>>;

/** Judges so that the connection breaks after `count` bytes in that direction. */
export const cutAfter = (count: number): Way['toServer'] => {
  let left = count;
  return (bytes) => ((left -= bytes.length) < 0 ? 'cut' : 'pass');
};

/** The statements that store envelopes and posts, by their names. */
export const STORES = { envelopes: ['insert-envelopes', 'insert-plain'], posts: ['insert-posts'] };

export const names = (bytes: Buffer, words: readonly string[]): boolean =>
  words.some((word) => bytes.includes(word));

/**
 * The failpoint around a commit: once bytes with one of `words` in them go to the server, `answer` says what becomes of what
 * comes back on that connection. `seen` counts how often that was.
 */
export const aroundCommit = (way: Way, words: readonly string[], answer: () => Verdict): { seen: number } => {
  const state = { seen: 0 };
  way.toServer = (bytes, pair) => {
    if (names(bytes, words)) {
      pair.marked = true;
      state.seen += 1;
    }
    return 'pass';
  };
  way.toClient = (_bytes, pair) => (pair.marked ? answer() : 'pass');
  return state;
};
