// Put into the app's page before its first script: notes when something is painted, what its worker says of the connection,
// and tasks that hold the page up.
import { ROOT, type ToClient } from '../../packages/engine/src/remote/host.ts';
import { painted } from '../painted.ts';

interface Probe {
  /** Start and duration of tasks over 50 ms, in ms. */
  tasks: [start: number, duration: number][];
  /** When the worker's snapshots first said it, in ms. */
  said: Partial<Record<'online' | 'caughtUp', number>>;
  /** When the list was there to be seen. */
  list: Promise<number>;
  /** When the first script was there. */
  script(): number;
  /** Clicks on one of the conversations there; in ms until its messages can be seen. */
  open(at: number): Promise<number>;
}

const shown = (): string | undefined => document.querySelector<HTMLElement>('.message')?.dataset['id'];

const probe: Probe = {
  tasks: [],
  said: {},
  list: painted(() => document.querySelector('.chat-row') !== null),
  script: () =>
    Math.min(
      ...performance
        .getEntriesByType('resource')
        .filter(({ name }) => /\/assets\/[^/]*\.js$/.test(name))
        .map((entry) => (entry as PerformanceResourceTiming).responseEnd),
    ),
  async open(at) {
    const before = shown();
    const start = performance.now();
    const done = painted(() => ![undefined, before].includes(shown()));
    const rows = document.querySelectorAll<HTMLElement>('.chat-row');
    rows[at % rows.length]!.click();
    return (await done) - start;
  },
};

new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) probe.tasks.push([startTime, duration]);
}).observe({ type: 'longtask', buffered: true });

const note = (set: Record<string, unknown>): void => {
  const now = performance.now();
  if (set['connection'] === 'online') probe.said.online ??= now;
  if (set['catchingUp'] === false) probe.said.caughtUp ??= now;
};

const hear = ({ data }: MessageEvent<ToClient>): void => {
  if (data.kind === 'opened') note(data.root.snapshot as Record<string, unknown>);
  if (data.kind !== 'patches') return;
  for (const { view, patch } of data.patches) if (view === ROOT) note(patch.set);
};

globalThis.Worker = class extends Worker {
  constructor(url: string | URL, options?: WorkerOptions) {
    super(url, options);
    this.addEventListener('message', hear);
  }
};
(globalThis as unknown as { probe: Probe }).probe = probe;

export type { Probe };
