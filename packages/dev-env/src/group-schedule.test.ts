import type { ConversationId } from '@sotto/contract/ids';
import { CryptoError } from '@sotto/crypto/errors';
import { EngineError } from '@sotto/engine/errors';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { accountOf, people, sees } from './circle.ts';
import { withFaults } from './faults.ts';
import { newId } from './meeting.ts';
import { createWorld, online, type Resident, type World } from './world.ts';

/** Time-boxed, unless there are so many `SCHEDULES` to run, from a `SEED` maybe: `npm run soak` sets them. */
const { SCHEDULES = '0', SEED } = globalThis.process?.env ?? {};
const LONG = Number(SCHEDULES);
const TIME_BOX_MS = 20_000;
const PEOPLE = 4;

const person = fc.nat({ max: PEOPLE - 1 });
const step = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('send' as const) },
    { weight: 2, arbitrary: fc.constantFrom('add' as const, 'remove' as const) },
    { weight: 1, arbitrary: fc.constantFrom('leave' as const, 'promote' as const, 'rename' as const) },
    { weight: 1, arbitrary: fc.constantFrom('restart' as const, 'away' as const) },
    { weight: 2, arbitrary: fc.constant('pause' as const) },
  ),
  who: person,
  whom: person,
  /** Runs beside what comes next. */
  beside: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Numbers in [0, 1) that follow from a seed (mulberry32). */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

/** What cannot be done from where somebody stands is no failure. */
const tolerant = async (work: Promise<unknown>): Promise<void> => {
  await work.catch((error: unknown) => {
    const isKnown = error instanceof EngineError || error instanceof CryptoError;
    const isRelays = (error as { name?: string }).name === 'RelayError';
    const isClosed = (error as { name?: string }).name === 'StoreError';
    if (!isKnown && !isRelays && !isClosed) throw error;
  });
};

const run = async (
  { kind, who, whom }: Step,
  all: Resident[],
  id: ConversationId,
  n: number,
): Promise<void> => {
  const one = all[who]!;
  const other = accountOf(all[whom]!);
  const { engine } = one;
  if (kind === 'pause') await new Promise((resolve) => setTimeout(resolve, 30));
  if (kind === 'send') await tolerant(engine.send(id, `${n}`));
  if (kind === 'add') await tolerant(engine.addMembers(id, [other]));
  if (kind === 'remove') await tolerant(engine.removeMembers(id, [other]));
  if (kind === 'leave') await tolerant(engine.leaveGroup(id));
  if (kind === 'promote') await tolerant(engine.setRole(id, other, 'owner'));
  if (kind === 'rename') await tolerant(engine.setTitle(id, `title ${n}`));
  if (kind === 'restart') await one.restart();
  if (kind === 'away') {
    await engine.close();
    await one.restart();
  }
};

const stateOf = async ({ store }: Resident, id: string) => (await store.get('group', id))?.state;
const messagesOf = ({ store }: Resident, id: string) =>
  store.messages({ conversation: id }, { limit: 1000 }).then((rows) => rows.filter(({ note }) => !note));

/** Who was to read each message, by its id: what its author knew when it left. */
const addressed = async (all: readonly Resident[], id: string) => {
  const sent = new Map<string, { author: string; to: string[]; text: string }>();
  for (const one of all) {
    for (const row of await messagesOf(one, id)) {
      const isOwn = row.from === accountOf(one) && row.at !== undefined;
      if (isOwn) sent.set(row.id, { author: row.from, to: row.to ?? [], text: row.text });
    }
  }
  return sent;
};

/** Waits until who is in the group has it as the relay does, with nothing on its way. */
const settled = async (all: readonly Resident[], id: string) => {
  for (const { engine } of all) engine.nudge();
  await Promise.all(all.map(({ engine }) => online(engine)));
  await expect
    .poll(async () => {
      const states = await Promise.all(all.map((one) => stateOf(one, id)));
      const newest = states.reduce((a, b) => ((b?.epoch ?? -1) > (a?.epoch ?? -1) ? b : a))!;
      const members = all.filter((one) => newest.members.some(({ account }) => account === accountOf(one)));
      const inIt = await Promise.all(members.map((one) => stateOf(one, id)));
      const same = inIt.every((state) => state?.hash.join() === newest.hash.join());
      return same && members.every(({ engine }) => engine.getSnapshot().unsent === 0);
    })
    .toBe(true);
};

it(
  'A2 A3 members come to one state, read all that was for them, and nobody else reads any of it',
  async () => {
    const play = async (seed: number, steps: Step[]): Promise<void> => {
      const next = random(seed);
      let faulty = true;
      const chance = (likelihood: number) => () => faulty && next() < likelihood;
      const transport = withFaults({
        loseSend: chance(0.04),
        loseAnswer: chance(0.04),
        repeat: chance(0.2),
        delay: () => (faulty && next() < 0.2 ? next() * 20 : 0),
      });
      const all = await people(
        world,
        'play',
        Array.from({ length: PEOPLE }, () => ({ transport })),
      );
      const id = newId() as unknown as ConversationId;
      await all[0]!.engine.createGroup({ id, title: 'play', members: all.slice(1, 3).map(accountOf) });
      await Promise.all(all.slice(0, 3).map((one) => sees(one, id, 3)));
      let beside: Promise<void>[] = [];
      for (const [n, entry] of steps.entries()) {
        beside.push(run(entry, all, id, n));
        if (entry.beside) continue;
        await Promise.all(beside);
        beside = [];
      }
      await Promise.all(beside);
      faulty = false;
      await settled(all, id);
      const sent = await addressed(all, id);
      for (const [at, one] of all.entries()) {
        const me = accountOf(one);
        const due = [...sent].filter(([, { author, to }]) => author === me || to.includes(me));
        const missing = async () => {
          const have = new Set((await messagesOf(one, id)).map((row) => row.id));
          return due.flatMap(([message, { text }]) => (have.has(message) ? [] : [text]));
        };
        await expect.poll(missing, { message: `what ${at} misses` }).toEqual([]);
        const rows = await messagesOf(one, id);
        const foreign = rows.filter(
          ({ from, id: message }) => from !== me && !sent.get(message)?.to.includes(me),
        );
        expect(
          foreign.map(({ text }) => text),
          `what ${at} should not have`,
        ).toEqual([]);
        expect(new Set(rows.map(({ text }) => text)).size).toBe(rows.length);
        expect((await one.store.get('group', id))?.stopped).toBeUndefined();
      }
      await Promise.all(all.map(({ engine }) => engine.close()));
    };
    const property = fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 1, maxLength: 25 }), play);
    const seed = SEED !== undefined && { seed: Number(SEED) };
    if (LONG > 0) return fc.assert(property, { ...seed, numRuns: LONG });
    // One after the other, each to its end: a hang is none that the time box hides.
    const end = Date.now() + TIME_BOX_MS;
    do await fc.assert(property, { ...seed, numRuns: 1, endOnFailure: true });
    while (Date.now() < end);
    return undefined;
  },
  LONG > 0 ? 0 : 240_000,
);
