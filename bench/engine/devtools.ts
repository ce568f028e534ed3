// The worker of a page through the DevTools protocol.
import type { CDPSession, Page } from '@playwright/test';

export interface Heap {
  usedSize: number;
  embedderHeapUsedSize?: number;
  backingStorageSize?: number;
}

export interface CallNode {
  id: number;
  callFrame: { functionName: string; url: string; lineNumber: number };
}
export interface Profile {
  nodes: CallNode[];
  samples: number[];
  timeDeltas: number[];
}

/** What can be asked of the page's only worker. */
const attach = async (session: CDPSession) => {
  let last = 0;
  const answers = new Map<number, (result: unknown) => void>();
  const found = new Promise<string>((resolve) => {
    session.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
      if (targetInfo.type === 'worker') resolve(sessionId);
    });
  });
  session.on('Target.receivedMessageFromTarget', ({ message }) => {
    const { id, result } = JSON.parse(message) as { id?: number; result?: unknown };
    if (id !== undefined) answers.get(id)?.(result);
  });
  await session.send('Target.setAutoAttach', {
    autoAttach: true,
    waitForDebuggerOnStart: false,
    flatten: false,
  });
  return async <T>(method: string, params: object = {}): Promise<T> => {
    const sessionId = await found;
    last += 1;
    const id = last;
    const answer = new Promise<unknown>((resolve) => answers.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await session.send('Target.sendMessageToTarget', { sessionId, message });
    return (await answer) as T;
  };
};

const total = ({ usedSize, embedderHeapUsedSize = 0, backingStorageSize = 0 }: Heap): number =>
  (usedSize + embedderHeapUsedSize + backingStorageSize) / 1024 / 1024;

type Side = 'page' | 'worker';

export const openTools = async (page: Page) => {
  const session = await page.context().newCDPSession(page);
  const worker = await attach(session);
  const ask = (
    of: Side,
    method: 'Profiler.enable' | 'Profiler.start' | 'Profiler.stop' | 'Profiler.setSamplingInterval',
    params: object = {},
  ) => (of === 'worker' ? worker(method, params) : session.send(method, params as never));
  return {
    /** MiB of the page and of its worker, after a collection. */
    async memory(): Promise<{ page: number; worker: number }> {
      await session.send('HeapProfiler.collectGarbage');
      await worker('HeapProfiler.collectGarbage');
      return {
        page: total((await session.send('Runtime.getHeapUsage')) as Heap),
        worker: total(await worker<Heap>('Runtime.getHeapUsage')),
      };
    },
    async startProfile(of: Side = 'worker'): Promise<void> {
      await ask(of, 'Profiler.enable');
      await ask(of, 'Profiler.setSamplingInterval', { interval: 500 });
      await ask(of, 'Profiler.start');
    },
    async endProfile(of: Side = 'worker'): Promise<Profile> {
      return ((await ask(of, 'Profiler.stop')) as { profile: Profile }).profile;
    },
  };
};

/** Where the time went by itself, the most first: ms and the function. */
export const selfTimes = ({ nodes, samples, timeDeltas }: Profile, most: number): string[] => {
  const names = new Map(
    nodes.map(({ id, callFrame: { functionName, url, lineNumber } }) => [
      id,
      `${functionName || '(anonymous)'} ${url.split('/').at(-1)}:${lineNumber + 1}`,
    ]),
  );
  const times = new Map<string, number>();
  for (const [at, id] of samples.entries()) {
    const name = names.get(id)!;
    times.set(name, (times.get(name) ?? 0) + (timeDeltas[at] ?? 0) / 1000);
  }
  return [...times]
    .toSorted((a, b) => b[1] - a[1])
    .slice(0, most)
    .map(([name, ms]) => `${ms.toFixed(0).padStart(7)} ms  ${name}`);
};
