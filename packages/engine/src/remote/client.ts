import { createEmitter } from '../emitter.ts';
import type { View } from '../views.ts';
import { type Port, ROOT, type ToClient, type ToHost, type WireView } from './host.ts';
import { applyPatch, type Patch } from './patch.ts';
import { fromWire } from './wire-error.ts';

type Result = Extract<ToClient, { kind: 'result' }>;

/**
 * What is served at the other end of `port`, with the same methods and snapshots; in these what did not change stays
 * the same object. Rejects with what kept it from opening.
 */
export const connect = <T extends View<object>>(port: Port): Promise<T> => {
  const calls = new Map<number, (result: Result) => void>();
  const views = new Map<number, { apply(patch: Patch): void; emit(): void }>();
  let last = 0;
  const post = (message: ToHost): void => port.postMessage(message);

  const call = (view: number, method: string, args: unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      const id = (last += 1);
      calls.set(id, (result) => {
        calls.delete(id);
        if ('error' in result) reject(fromWire(result.error));
        else resolve('opened' in result ? open(result.opened) : result.value);
      });
      post({ kind: 'call', id, view, method, args });
    });

  const open = ({ view, snapshot: first, methods }: WireView): View<object> => {
    const emitter = createEmitter();
    let snapshot = first;
    views.set(view, {
      apply: (patch) => void (snapshot = applyPatch(snapshot, patch)),
      emit: emitter.emit,
    });
    const remote = methods.map((method) => [
      method,
      (...args: unknown[]) => {
        if (view !== ROOT && method === 'close') views.delete(view);
        return call(view, method, args);
      },
    ]);
    return { ...Object.fromEntries(remote), subscribe: emitter.subscribe, getSnapshot: () => snapshot };
  };

  return new Promise((resolve, reject) => {
    port.addEventListener('message', ({ data }) => {
      const message = data as ToClient;
      if (message.kind === 'opened') resolve(open(message.root) as T);
      else if (message.kind === 'failed') reject(fromWire(message.error));
      else if (message.kind === 'result') calls.get(message.id)?.(message);
      else {
        for (const { view, patch } of message.patches) views.get(view)?.apply(patch);
        for (const { view } of message.patches) views.get(view)?.emit();
        post({ kind: 'took' });
      }
    });
    post({ kind: 'hello' });
  });
};
