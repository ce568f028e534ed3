import { createBox } from '../box.ts';
import { type Clock, systemClock } from '../clock.ts';
import { firstLive, setLive } from '../live.ts';
import { createLocalViews } from '../local-views.ts';
import { followModel } from '../model.ts';
import { type Reader, StoreError } from '../ports.ts';
import { readVault } from '../vault.ts';
import type { Engine } from '../views.ts';
import { createAsking } from './asking.ts';
import type { Channel, Held, Lock, Message, Said } from './channel.ts';
import { type CommandName, COMMANDS } from './commands.ts';
import { createDispatcher, type Executor, Gone } from './dispatcher.ts';
import { createWatch } from './watch.ts';
import { type OpenEngine, openWriter, type Writer } from './writer.ts';

/** In ms: then a store that could not be opened for writing is tried again. */
const REOPEN_MS = 3000;

export interface MemberParts {
  lock: Lock;
  channel: Channel;
  /** `onLost`: nothing can be read any more. */
  openReader(onLost: () => void): Promise<Reader>;
  /** Done before the lock is asked for: its holder keeps nobody waiting for what the engine is loaded from. */
  loadEngine?(): Promise<unknown>;
  openEngine: OpenEngine;
  clock?: Clock;
}

/** An engine to its page, whichever worker is the writer. */
export interface Member extends Engine {
  /** Where nobody looks, the lock is never taken from a writer that does not answer. */
  setVisible(visible: boolean): Promise<void>;
}

/**
 * One of several workers on the same store. It shows what is stored, from its own reading and what the writer tells,
 * and passes commands on to the writer; it becomes the writer when the one before it ends, or is frozen while somebody
 * looks at this page. Resolves when what is stored can be shown.
 *
 * @throws StoreError
 */
export const openMember = async (parts: MemberParts): Promise<Member> => {
  const { lock, channel, openReader, loadEngine, openEngine, clock = systemClock } = parts;
  const early: Message[] = [];
  let hear = (message: Message): void => void early.push(message);
  channel.addEventListener('message', ({ data }) => hear(data as Message));

  const live = createBox(firstLive(undefined));
  const dispatcher = createDispatcher();
  const asking = createAsking(channel);
  let closed = false;
  let visible = false;
  let held: Held | undefined;
  let writer: Writer | undefined;
  let opening: Promise<Writer> | undefined;
  let queueing = new AbortController();
  /** The writer, as far as this worker has heard. */
  let known = { term: 0, count: 0 };
  let tail: Promise<unknown> = Promise.resolve();

  const watch = createWatch({
    clock,
    ping: () => channel.postMessage({ kind: 'ping' }),
    onDead: () => queueing.abort(),
  });

  const shut = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    watch.stop();
    queueing.abort();
    dispatcher.close();
    asking.abandon();
    // Also one that is on its way.
    await opening?.then(
      (last) => last.close(),
      () => undefined,
    );
    held?.release();
    channel.close();
  };

  /** An engine opened anew would find an empty store. */
  const lost = (): void => {
    setLive(live, { storeProblem: 'closed' });
    void shut();
  };

  // What is told from here on is kept, so that nothing falls between the reading and the listening.
  const reader = readVault(await openReader(lost));
  const model = await followModel(reader);
  if (closed) throw new StoreError('closed');
  live.set({ ...live.getSnapshot(), ...firstLive(model.self, model.outbox.size) });
  const views = createLocalViews(model, live);

  const setExecutor = (executor: Executor | undefined): void => {
    dispatcher.set(executor);
    asking.abandon();
  };

  /** Takes in what the writer tells; all of it anew where something was missed. */
  const heed = async (said: Said): Promise<void> => {
    if (closed || held || said.term < known.term) return;
    const first = known.term === 0;
    const other = said.term !== known.term;
    const expected = said.kind === 'commit' ? known.count + 1 : known.count;
    const missed = !first && (other || said.count !== expected);
    known = { term: said.term, count: said.count };
    if (missed) await model.resync();
    else if (said.kind === 'commit') await model.follow(said.notices);
    if (closed || held) return;
    if (said.kind === 'state') live.set(said.live);
    if (other) setExecutor(asking.ask(said.term));
  };

  /** In the order in which it was said: an answer shows nothing that its commit has not shown before. */
  const inOrder = (step: () => Promise<void> | void): void => {
    tail = tail.then(step).catch(() => undefined);
  };

  const receive = (message: Message): void => {
    if (closed) return;
    if (message.kind === 'state' || message.kind === 'commit') inOrder(() => heed(message));
    else if (message.kind === 'answer') inOrder(() => asking.answered(message));
    else if (message.kind !== 'pong') return;
    watch.heard();
  };

  const here =
    (by: Writer): Executor =>
    async (method, args) => {
      try {
        return await by.call(method, args);
      } catch (error) {
        throw writer === by ? error : new Gone();
      }
    };

  /** The writer from when the lock is held until it is lost, or somebody else has opened the store. */
  const reign = async (lost: Promise<void>): Promise<void> => {
    let over = false;
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => {
      end = resolve;
    });
    /** Before any command of this engine can fail for it: they go to the next writer. */
    const depose = (): void => {
      if (over) return;
      over = true;
      writer = undefined;
      setExecutor(undefined);
      end();
    };
    opening = openWriter({
      channel,
      openEngine,
      hooks: {
        onCommit: (writes) => void model.apply(writes).catch(() => undefined),
        onLive: (next) => {
          if (!over && !closed) live.set(next);
        },
        onStopped: depose,
      },
    });
    const opened = await opening;
    try {
      void lost.then(depose);
      if (closed) return;
      known = { term: opened.term, count: 0 };
      await model.resync();
      if (over || closed) return;
      writer = opened;
      setExecutor(here(opened));
      await ended;
    } finally {
      if (!closed) opened.drop();
    }
  };

  /** Waits for the lock like everybody else; steals it when its holder does not answer. */
  const acquire = async (): Promise<Held> => {
    await loadEngine?.().catch(() => undefined);
    if (queueing.signal.aborted && !closed) {
      // Nobody answered while this was not in the queue yet: there may have been nobody.
      queueing = new AbortController();
      if (visible) watch.start();
    }
    return lock.acquire({ signal: queueing.signal }).catch(() => {
      queueing = new AbortController();
      if (closed) throw new StoreError('closed');
      return lock.acquire({ steal: true });
    });
  };

  const stand = async (): Promise<void> => {
    held = await acquire();
    if (closed) return held.release();
    watch.stop();
    try {
      await reign(held.lost);
    } catch (error) {
      if (closed) return;
      const code = error instanceof StoreError ? error.code : 'failed';
      setLive(live, { storeProblem: code });
      setExecutor(() => Promise.reject(error));
      await new Promise<void>((resolve) => clock.after(REOPEN_MS, resolve));
      setExecutor(undefined);
    }
    // Then its end is waited for before the lock is let go.
    if (closed) return;
    held.release();
    held = undefined;
    channel.postMessage({ kind: 'hello' });
    if (visible) watch.start();
  };

  const run = async (): Promise<void> => {
    while (!closed) {
      await stand().catch(() => new Promise<void>((resolve) => clock.after(REOPEN_MS, resolve)));
    }
  };

  hear = receive;
  for (const message of early) receive(message);
  channel.postMessage({ kind: 'hello' });
  void run();

  const names = Object.keys(COMMANDS) as CommandName[];
  const commands = names.map((name) => [name, (...args: unknown[]) => dispatcher.run(name, args)]);
  return {
    ...(Object.fromEntries(commands) as Pick<Engine, CommandName>),
    ...views,
    async setVisible(next) {
      visible = next;
      if (closed || held) return;
      channel.postMessage({ kind: 'hello' });
      if (visible) watch.start();
      else watch.stop();
    },
    async close() {
      setLive(live, { phase: 'stopped', connection: 'offline' });
      await shut();
      reader.close();
    },
  };
};
