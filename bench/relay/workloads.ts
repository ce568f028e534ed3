// What `npm run bench -- relay` measures.
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { median } from '../measure.ts';
import { atLeast, atMost, type Figure, type Goal } from './figures.ts';
import type { Kind, Lab, Load, Running } from './lab.ts';
import type { Outcome, Task } from './load.ts';
import { fill, tidy } from './people.ts';
import type { Usage } from './probe.ts';
import { topFunctions } from './profile.ts';
import { startRedis } from './redis.ts';

export const WORKLOADS = ['W1', 'W2', 'W3', 'W4', 'W5', 'W6', 'idle'] as const;
export type Workload = (typeof WORKLOADS)[number];

const ROUNDS = 3;
/** Of what takes a moment only. */
const SHORT_ROUNDS = 11;
const WARM_MS = 800;
const MEASURE_MS = 3_000;
const PAIRS: [number, number] = [0, 100];
const PAIR: [number, number] = [0, 2];
const CHANNEL: [number, number] = [100, 200];
const RETURNING = 200;
const IDLE_FROM = 201;
const WARM_CONNECTIONS = 100;
const IDLE = [2_000, 10_000];
const WAITING = 1_000;
/** With fewer, two relays have no cores of their own. */
const CORES_FOR_TWO = 6;
const TOP = 25;

/** How many people a run needs. */
export const PEOPLE = IDLE_FROM + IDLE.at(-1)!;

const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** One measurement of a load: what came of it, and what the relays spent on it. */
interface Sample extends Outcome {
  /** Seconds of relay per 1,000. */
  cpu: number;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const perSecond = ({ count, seconds }: Outcome): number => count / seconds;

const sample = async (
  lab: Lab,
  load: Load,
  relays: readonly Running[],
  task: Partial<Task>,
  look: (relay: Running, over: boolean) => Promise<Usage> = (relay) => relay.usage(),
): Promise<Sample> => {
  const { kind } = relays[0]!;
  await tidy(lab.pools[kind]);
  const used = async (over: boolean): Promise<number> =>
    sum((await Promise.all(relays.map((relay) => look(relay, over)))).map(({ cpu }) => cpu));
  const marks: Promise<number>[] = [];
  const base = { do: 'pairs' as const, people: PAIRS, warmMs: WARM_MS, measureMs: MEASURE_MS };
  const whole = { ...base, real: kind === 'real', ports: relays.map(({ port }) => port), ...task };
  const outcome = await load.run(whole, () => marks.push(used(marks.length > 0)));
  if (outcome.count === 0) throw new Error(`Nothing came through: ${whole.do}, ${kind}.`);
  const [before = Number.NaN, after = Number.NaN] = await Promise.all(marks);
  const cpu = (after - before) / (outcome.count / 1000);
  await load.run({ ...whole, do: 'close' });
  return { ...outcome, cpu };
};

type Both = Record<Kind, Sample[]>;

/** Both sides by turns, so that whatever slows the machine slows them alike. */
const byTurns = async (take: (kind: Kind) => Promise<Sample>, rounds = ROUNDS): Promise<Both> => {
  const both: Both = { reference: [], real: [] };
  for (let round = 0; round < rounds; round += 1)
    for (const kind of ['reference', 'real'] as const) both[kind].push(await take(kind));
  return both;
};

const figure = (
  name: string,
  unit: string,
  { real, reference }: { real: Sample[]; reference: Sample[] },
  of: (sample: Sample) => number,
  goal?: Goal,
): Figure => ({
  name,
  unit,
  value: median(real.map(of)),
  reference: median(reference.map(of)),
  ...(goal && { goal }),
});

type Sides = Record<Kind, Running>;

/** What runs against one relay of each kind, and which figures come of it. */
export const STEADY: Partial<Record<Workload, (lab: Lab, load: Load, sides: Sides) => Promise<Figure[]>>> = {
  W1: async (lab, load, sides) => {
    const both = await byTurns((kind) => sample(lab, load, [sides[kind]], { people: PAIR, window: 1 }));
    return [
      figure('W1 one at a time, p50', 'ms', both, ({ p50 }) => p50),
      figure('W1 one at a time, p99', 'ms', both, ({ p99 }) => p99, atMost('ratio', 1.5)),
    ];
  },
  W2: async (lab, load, sides) => {
    const both = await byTurns((kind) => sample(lab, load, [sides[kind]], { window: 16 }));
    return [
      figure('W2 50 pairs', 'messages/s', both, perSecond, atLeast('ratio', 0.6)),
      figure('W2 50 pairs, p99', 'ms', both, ({ p99 }) => p99),
      figure('W2 relay CPU per 1,000', 's', both, ({ cpu }) => cpu, atMost('value', 0.03)),
    ];
  },
  W3: async (lab, load, sides) => {
    const task = { do: 'channel' as const, people: CHANNEL, window: 16 };
    const both = await byTurns((kind) => sample(lab, load, [sides[kind]], task));
    return [
      figure('W3 channel of 100', 'deliveries/s', both, perSecond, atLeast('ratio', 0.6)),
      figure('W3 channel of 100, p99', 'ms', both, ({ p99 }) => p99),
      figure('W3 relay CPU per 1,000', 's', both, ({ cpu }) => cpu),
    ];
  },
  W5: async (lab, load, sides) => {
    const both = await byTurns(async (kind) => {
      await fill(lab.pools[kind], lab.people[RETURNING]!, WAITING);
      const people: [number, number] = [RETURNING, RETURNING + 1];
      return sample(lab, load, [sides[kind]], { do: 'fetch', people, waiting: WAITING });
    }, SHORT_ROUNDS);
    return [figure('W5 1,000 waiting', 'ms', both, ({ seconds }) => seconds * 1000, atMost('ratio', 2))];
  },
};

/** Connections to a fresh relay: how fast they come, and what each one takes while nothing happens. */
const idleConnections = async (lab: Lab, loads: Load[], kind: Kind, signIn = kind === 'real') => {
  const relay = await lab.start(kind);
  const connect = async (from: number, to: number): Promise<number> => {
    const middle = from + Math.round((to - from) / loads.length);
    const outcomes = await Promise.all(
      loads.map((load, i) => {
        const people: [number, number] = i === 0 ? [from, middle] : [middle, to];
        return load.run({ do: 'connect', real: signIn, ports: [relay.port], people });
      }),
    );
    return Math.max(...outcomes.map(({ seconds }) => seconds));
  };
  // What a first connection brings with it is not counted to each.
  await connect(0, WARM_CONNECTIONS);
  const before = await relay.collected();
  const found: { connections: number; kib: number; perSecond: number }[] = [];
  let [connected, seconds] = [0, 0];
  for (const connections of IDLE) {
    seconds += await connect(IDLE_FROM + connected, IDLE_FROM + connections);
    connected = connections;
    const { rss } = await relay.collected();
    found.push({
      connections,
      kib: (rss - before.rss) / 1024 / connections,
      perSecond: connections / seconds,
    });
  }
  for (const load of loads) await load.run({ do: 'close', real: false, ports: [], people: [0, 0] });
  await relay.stop();
  return found;
};

export const w4 = async (lab: Lab, load: Load): Promise<Figure[]> => {
  const second = await lab.startLoad();
  const reference = await idleConnections(lab, [load, second], 'reference');
  const signedIn = await idleConnections(lab, [load, second], 'reference', true);
  const real = await idleConnections(lab, [load, second], 'real');
  await second.stop();
  return real.flatMap(({ connections, kib, perSecond }, i) => {
    const beside = reference[i]!;
    const name = `W4 ${connections.toLocaleString('en')}`;
    return [
      {
        name: `${name} idle, each`,
        unit: 'KiB',
        value: kib,
        reference: beside.kib,
        goal: atMost('difference', 10),
      },
      {
        name: `${name} connects`,
        unit: 'connects/s',
        value: perSecond,
        reference: beside.perSecond,
        goal: atLeast('ratio', 0.5),
      },
      {
        name: `${name} connects, bare sign-in`,
        unit: 'connects/s',
        value: perSecond,
        reference: signedIn[i]!.perSecond,
      },
    ];
  });
};

/** The relay over two processes, beside the same relay alone. */
export const w6 = async (lab: Lab, load: Load): Promise<Figure[]> => {
  const redis = await startRedis(lab.folder);
  if (!redis) {
    say('W6 left out: there is no redis-server on the PATH.');
    return [];
  }
  try {
    const alone = await lab.start('real');
    const two = [
      await lab.start('real', { redisUrl: redis.url }),
      await lab.start('real', { redisUrl: redis.url }),
    ];
    const both: Both = { reference: [], real: [] };
    for (let round = 0; round < ROUNDS; round += 1) {
      both.reference.push(await sample(lab, load, [alone], { window: 16 }));
      both.real.push(await sample(lab, load, two, { window: 16 }));
    }
    for (const relay of [alone, ...two]) await relay.stop();
    const roomy = availableParallelism() >= CORES_FOR_TWO;
    return [
      figure(
        'W6 two relays beside one',
        'messages/s',
        both,
        perSecond,
        roomy ? atLeast('ratio', 1.3) : undefined,
      ),
      figure(
        'W6 CPU of both per 1,000',
        's',
        both,
        ({ cpu }) => cpu,
        roomy ? undefined : atMost('ratio', 1.6),
      ),
    ];
  } finally {
    await redis.stop();
  }
};

/** A relay that has seen one sign-in and one message, and has nothing to do. */
export const idle = async (lab: Lab, load: Load): Promise<Figure[]> => {
  const megabytes = async (kind: Kind): Promise<number> => {
    const relay = await lab.start(kind);
    const { port } = relay;
    const task = { real: kind === 'real', ports: [port], people: PAIR, window: 1 };
    await load.run({ ...task, do: 'pairs', measureMs: 1 });
    await load.run({ ...task, do: 'close' });
    const { rss } = await relay.usage();
    await relay.stop();
    return rss / 1024 / 1024;
  };
  const reference = await megabytes('reference');
  const value = await megabytes('real');
  return [{ name: 'idle relay process', unit: 'MB', value, reference, goal: atMost('value', 128) }];
};

/** Where the relay spends its time under each workload. */
export const profile = async (lab: Lab, load: Load, only: ReadonlySet<Workload>): Promise<void> => {
  const tasks: Partial<Record<Workload, Partial<Task>>> = {
    W1: { people: PAIR, window: 1 },
    W2: { window: 16 },
    W3: { do: 'channel', people: CHANNEL, window: 16 },
    W4: { do: 'connect', people: [IDLE_FROM, IDLE_FROM + IDLE[0]!] },
  };
  for (const [name, task] of Object.entries(tasks)) {
    if (!only.has(name as Workload)) continue;
    const relay = await lab.start('real');
    const { count, seconds } = await sample(lab, load, [relay], task, (_, over) =>
      over ? relay.profiled() : relay.profile(),
    );
    await relay.stop();
    console.log(`\n${name}: ${(count / seconds).toFixed(0)}/s while profiled`);
    for (const line of topFunctions(path.join(lab.folder, 'relay.cpuprofile'), TOP)) console.log(line);
  }
};
