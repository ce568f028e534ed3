import type { View } from '../views.ts';
import { diff, type Patch } from './patch.ts';
import { toWire, type WireError } from './wire-error.ts';

/** The part of a MessagePort, or of a worker's global scope, that is needed. */
export interface Port {
  postMessage(message: unknown): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

/** Something that changes and can be asked for things: every function of it but those of `View` may be called from afar. */
export type Served = View<object>;

/** A view on its way: what it shows now, and what can be called on it. */
export interface WireView {
  view: number;
  snapshot: object;
  methods: string[];
}

export type ToHost =
  /** Somebody listens from now on. */
  | { kind: 'hello' }
  | { kind: 'call'; id: number; view: number; method: string; args: unknown[] }
  /** The page shows what it was sent: it is ready for the next. */
  | { kind: 'took' };

export type ToClient =
  | { kind: 'opened'; root: WireView }
  | { kind: 'failed'; error: WireError }
  | { kind: 'patches'; patches: { view: number; patch: Patch }[] }
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'result'; id: number; opened: WireView }
  | { kind: 'result'; id: number; error: WireError };

/** The number of the view that everything begins with. */
export const ROOT = 1;

type Methods = Record<string, (...args: unknown[]) => unknown>;

const methodsOf = (target: object): string[] =>
  Object.entries(target)
    .filter(([name, value]) => typeof value === 'function' && name !== 'subscribe' && name !== 'getSnapshot')
    .map(([name]) => name);

const isView = (value: unknown): value is Served =>
  typeof value === 'object' && value !== null && 'subscribe' in value && 'getSnapshot' in value;

/**
 * Lets whoever holds the other end of `port` use `root`, and every view that its methods answer with. What one commit changes of
 * all views is sent at once, and drawn at once; and one such message is under way at a time: a page that is busy gets the sum
 * of what it missed.
 */
export const serve = (port: Port, opening: Promise<Served>): void => {
  const views = new Map<number, { target: Served; sent: object; stop(): void }>();
  let last = 0;
  let underWay = 0;
  let isDue = false;
  const post = (message: ToClient): void => port.postMessage(message);

  const flush = (): void => {
    isDue = false;
    const patches = [...views].flatMap(([view, entry]) => {
      const next = entry.target.getSnapshot();
      const patch = diff(entry.sent, next);
      entry.sent = next;
      return patch ? [{ view, patch }] : [];
    });
    if (patches.length === 0) return;
    underWay += 1;
    post({ kind: 'patches', patches });
  };

  const changed = (): void => {
    if (isDue || underWay > 0) return;
    isDue = true;
    // Once all that listen to the same commit have heard of it.
    queueMicrotask(flush);
  };

  const took = (): void => {
    underWay -= 1;
    if (underWay === 0) flush();
  };

  const show = (target: Served): WireView => {
    const view = (last += 1);
    const snapshot = target.getSnapshot();
    views.set(view, { target, sent: snapshot, stop: target.subscribe(changed) });
    return { view, snapshot, methods: methodsOf(target) };
  };

  const call = async ({ id, view, method, args }: ToHost & { kind: 'call' }): Promise<void> => {
    try {
      const entry = views.get(view);
      if (!entry) return post({ kind: 'result', id, value: undefined });
      if (view !== ROOT && method === 'close') {
        entry.stop();
        views.delete(view);
      }
      const value = await (entry.target as unknown as Methods)[method]!(...args);
      // Whoever asked for something sees what came of it, also when a change is under way.
      flush();
      post(isView(value) ? { kind: 'result', id, opened: show(value) } : { kind: 'result', id, value });
    } catch (error) {
      post({ kind: 'result', id, error: toWire(error) });
    }
  };

  const answer = (): void =>
    void opening.then(
      (root) => post({ kind: 'opened', root: show(root) }),
      (error: unknown) => post({ kind: 'failed', error: toWire(error) }),
    );
  // Also where nobody ever asks.
  opening.catch(() => undefined);

  port.addEventListener('message', ({ data }) => {
    const message = data as ToHost;
    if (message.kind === 'took') took();
    else if (message.kind === 'hello') answer();
    else void call(message);
  });
};
