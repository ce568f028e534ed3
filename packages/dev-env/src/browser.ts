import type { Channel, Held, Lock } from '@sotto/engine/remote/channel';
import { createEngine } from '@sotto/engine/engine';
import { type Member, openMember } from '@sotto/engine/remote/member';
import { visit, type VisitEnd } from '@sotto/engine/remote/visit';
import type { OpenEngine } from '@sotto/engine/remote/writer';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { createTransport } from '@sotto/transport/transport';

/** A tab of a browser, with its own worker. */
export interface Tab {
  member: Member;
  /** It stops as a frozen page does: it hears nothing, says nothing and stores nothing. */
  freeze(): void;
  thaw(): void;
  /** Whether what others say is lost on the way. */
  deafen(deaf: boolean): void;
  /** It is gone, from one moment to the next, with its lock. */
  kill(): void;
}

interface Waiter {
  grant(held: Held): void;
}

/** What Web Locks do for one name. */
const createLocks = () => {
  let holder: { lose(): void } | undefined;
  const queue: Waiter[] = [];

  const grant = (waiter: Waiter): void => {
    let lose = (): void => undefined;
    const lost = new Promise<void>((resolve) => {
      lose = resolve;
    });
    const mine = { lose };
    holder = mine;
    waiter.grant({
      lost,
      release() {
        if (holder !== mine) return;
        holder = undefined;
        const next = queue.shift();
        if (next) grant(next);
      },
    });
  };

  return (onHeld: (held: Held) => void): Lock => ({
    acquire: ({ steal = false, signal }) =>
      new Promise((resolve, reject) => {
        const waiter: Waiter = {
          grant(held) {
            onHeld(held);
            resolve(held);
          },
        };
        if (steal) holder?.lose();
        if (steal || !holder) return grant(waiter);
        queue.push(waiter);
        signal?.addEventListener('abort', () => {
          const at = queue.indexOf(waiter);
          if (at >= 0) queue.splice(at, 1);
          reject(new Error('aborted'));
        });
      }),
    tryAcquire: async () => {
      if (holder) return undefined;
      return new Promise((resolve) => grant({ grant: resolve }));
    },
  });
};

/** Lets everything through, until it is shut. */
const createGate = () => {
  let open: (() => void) | undefined;
  let passing: Promise<void> = Promise.resolve();
  return {
    pass: () => passing,
    shut(): void {
      passing = new Promise((resolve) => {
        open = resolve;
      });
    },
    open: (): void => open?.(),
  };
};

let names = 0;

/** One disk, one lock and one BroadcastChannel, and tabs that share them. */
export const createBrowser = (origin: string) => {
  const name = `sotto-${(names += 1)}`;
  const disk = createMemoryDisk();
  const locks = createLocks();
  const channels: BroadcastChannel[] = [];
  const tabs = new Set<Tab>();

  const tab = async (): Promise<Tab> => {
    const gate = createGate();
    let dead = false;
    let deaf = false;
    let held: Held | undefined;
    const raw = new BroadcastChannel(name);
    channels.push(raw);
    const channel: Channel = {
      postMessage: (message) => void gate.pass().then(() => dead || raw.postMessage(message)),
      addEventListener: (type, listener) =>
        raw.addEventListener(type, (event) => {
          const { data } = event as { data: unknown };
          if (deaf) return;
          void gate.pass().then(() => dead || listener({ data }));
        }),
      close() {
        dead = true;
        raw.close();
      },
    };
    const openEngine: OpenEngine = async ({ onCommit, onLive }) => {
      const store = disk.open();
      const engine = await createEngine({
        store: {
          ...store,
          async commit(writes) {
            await gate.pass();
            if (dead) await new Promise(() => undefined);
            await store.commit(writes);
          },
        },
        transport: createTransport({ origin }),
        onCommit,
        onLive,
      });
      stop = () => engine.close();
      return { engine, term: store.generation };
    };
    let stop: () => Promise<void> = async () => undefined;
    const lock = locks((next) => {
      held = next;
    });
    const member = await openMember({ lock, channel, openReader: async () => disk.reader(), openEngine });
    const made: Tab = {
      member,
      freeze: gate.shut,
      thaw: gate.open,
      deafen(next) {
        deaf = next;
      },
      kill() {
        dead = true;
        gate.open();
        void stop();
        held?.release();
        tabs.delete(made);
      },
    };
    tabs.add(made);
    return made;
  };

  /** What a service worker does when it is woken. */
  const wake = (): Promise<VisitEnd> => {
    const channel = new BroadcastChannel(name);
    channels.push(channel);
    return visit({
      lock: locks(() => undefined),
      channel,
      openEngine: async ({ onCommit, onLive }) => {
        const store = disk.open();
        const transport = createTransport({ origin });
        return {
          engine: await createEngine({ store, transport, onCommit, onLive }),
          term: store.generation,
        };
      },
      limit: 20_000,
    });
  };

  return {
    tab,
    wake,
    async close(): Promise<void> {
      await Promise.all(
        [...tabs].map(async ({ thaw, member }) => {
          thaw();
          await member.close();
        }),
      );
      for (const channel of channels) channel.close();
    },
  };
};
