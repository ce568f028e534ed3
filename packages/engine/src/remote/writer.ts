import type { Live } from '../live.ts';
import { noticesOf } from '../model.ts';
import { StoreError, type Write } from '../ports.ts';
import type { Engine } from '../views.ts';
import type { Channel, Message } from './channel.ts';
import { COMMANDS } from './commands.ts';
import { toWire } from './wire-error.ts';

/** An engine on a store opened for writing, and the generation of that store. */
export interface OpenedEngine {
  engine: Engine;
  term: number;
}

export interface EngineHooks {
  onCommit(writes: readonly Write[]): void;
  onLive(live: Live): void;
  /** The engine has closed by itself: the store has another writer. */
  onStopped?: () => void;
}

export type OpenEngine = (hooks: EngineHooks) => Promise<OpenedEngine>;

export interface Writer {
  term: number;
  /** Carries a command out here. */
  call(method: string, args: unknown[]): Promise<unknown>;
  /** Lets what is under way end, then closes. */
  close(): Promise<void>;
  /** Closes at once and says nothing more: another is the writer. */
  drop(): void;
}

interface Options {
  channel: Channel;
  openEngine: OpenEngine;
  /** Somebody else has opened the store and waits. */
  onHello?: () => void;
  hooks?: EngineHooks;
}

/** Opens the engine of the lock's holder, tells the others of what it commits and does what they ask of it. */
export const openWriter = async ({ channel, openEngine, onHello, hooks }: Options): Promise<Writer> => {
  let opened = undefined as OpenedEngine | undefined;
  let live: Live | undefined;
  let count = 0;
  let closed = false;
  const underWay = new Set<Promise<unknown>>();

  const post = (message: Message): void => {
    if (!closed) channel.postMessage(message);
  };

  const tellState = (): void => {
    if (opened && live) post({ kind: 'state', term: opened.term, count, live });
  };

  const call = async (method: string, args: unknown[]): Promise<unknown> => {
    if (!opened || !(method in COMMANDS)) throw new TypeError(`no command ${method}`);
    return (opened.engine as unknown as Record<string, (...args: unknown[]) => unknown>)[method]!(...args);
  };

  /** Not of a store that has another writer by now: that one will be asked again. */
  const isMoot = (error: unknown): boolean =>
    error instanceof StoreError && (error.code === 'superseded' || error.code === 'closed');

  const answer = async ({ id, term, method, args }: Message & { kind: 'call' }): Promise<void> => {
    try {
      post({ kind: 'answer', id, term, value: await call(method, args) });
    } catch (error) {
      if (!isMoot(error)) post({ kind: 'answer', id, term, error: toWire(error) });
    }
  };

  channel.addEventListener('message', ({ data }) => {
    if (closed) return;
    const message = data as Message;
    if (message.kind === 'ping') post({ kind: 'pong' });
    else if (message.kind === 'hello') {
      tellState();
      onHello?.();
    } else if (message.kind === 'call' && message.term === opened?.term) {
      const work = answer(message).finally(() => underWay.delete(work));
      underWay.add(work);
    }
  });

  opened = await openEngine({
    onCommit(writes) {
      hooks?.onCommit(writes);
      const notices = noticesOf(writes);
      if (notices.length === 0 || !opened) return;
      count += 1;
      post({ kind: 'commit', term: opened.term, count, notices });
    },
    onLive(next) {
      if (closed) return;
      if (next.phase === 'stopped') return hooks?.onStopped?.();
      live = next;
      hooks?.onLive(next);
      tellState();
    },
  });
  tellState();

  return {
    term: opened.term,
    call,
    async close() {
      await Promise.all(underWay);
      closed = true;
      await opened.engine.close();
    },
    drop() {
      closed = true;
      opened.engine.close().catch(() => undefined);
    },
  };
};
