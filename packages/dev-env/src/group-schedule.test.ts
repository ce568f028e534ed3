import type { ConversationId } from '@sotto/contract/ids';
import { CryptoError } from '@sotto/crypto/errors';
import { isSenderKeyDue } from '@sotto/crypto/sender-key';
import { EngineError } from '@sotto/engine/errors';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { accountOf, groupOf, people, sees } from './circle.ts';
import { addDevice } from './devices.ts';
import { withFaults } from './faults.ts';
import { newId } from './meeting.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

// Fewer than a device keeps: they run out more often, and making them is most of the work of a schedule.
vi.mock('../../crypto/src/limits.ts', async (original) => ({
  ...(await original<object>()),
  ONE_TIME_COUNT: 6,
  ONE_TIME_REFILL: 3,
}));

/** Time-boxed, unless there are so many `SCHEDULES` to run, from a `SEED` maybe: `npm run soak` sets them. */
const { SCHEDULES = '0', SEED } = globalThis.process?.env ?? {};
const LONG = Number(SCHEDULES);
const TIME_BOX_MS = 20_000;
const MOST_PEOPLE = 8;

const person = fc.nat({ max: MOST_PEOPLE - 1 });
const step = fc.record({
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant('send' as const) },
    { weight: 4, arbitrary: fc.constantFrom('add' as const, 'remove' as const) },
    { weight: 2, arbitrary: fc.constantFrom('leave' as const, 'promote' as const, 'rename' as const) },
    { weight: 2, arbitrary: fc.constantFrom('restart' as const, 'away' as const, 'back' as const) },
    { weight: 1, arbitrary: fc.constantFrom('device' as const, 'revoke' as const) },
    { weight: 2, arbitrary: fc.constant('pause' as const) },
  ),
  who: person,
  whom: person,
  /** Of the second device, where there is one. */
  second: fc.boolean(),
  /** Runs beside what comes next. */
  beside: fc.boolean(),
});
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;
const plan = fc.record({
  people: fc.integer({ min: 3, max: LONG > 0 ? MOST_PEOPLE : 5 }),
  steps: fc.array(step, { minLength: 1, maxLength: 25 }),
});

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

/** Somebody, with the device that was there first and maybe another. */
interface Player {
  first: Resident;
  second?: Resident;
  /** Devices that were revoked, with all that they have. */
  revoked: Resident[];
  away: boolean;
}

/** What cannot be done from where somebody stands is no failure. */
const tolerant = async (work: Promise<unknown>): Promise<void> => {
  await work.catch((error: unknown) => {
    const isKnown = error instanceof EngineError || error instanceof CryptoError;
    const isRelays = (error as { name?: string }).name === 'RelayError';
    const isClosed = (error as { name?: string }).name === 'StoreError';
    if (!isKnown && !isRelays && !isClosed) throw error;
  });
};

const comeBack = async (one: Player): Promise<void> => {
  if (!one.away) return;
  one.away = false;
  await one.first.restart();
  await one.second?.restart();
};

const addSecond = async (one: Player, wrap: Parameters<typeof addDevice>[2]): Promise<void> => {
  if (one.second || one.away) return;
  one.second = await addDevice(world, one.first, wrap);
};

const revokeSecond = async (one: Player): Promise<void> => {
  const { second } = one;
  if (!second || one.away) return;
  const { device } = second.engine.getSnapshot().devices.find(({ current }) => current)!;
  await one.first.engine.removeDevice(device);
  one.revoked.push(second);
  delete one.second;
};

const run = async (
  { kind, who, whom, second }: Step,
  all: Player[],
  { id, n, wrap }: { id: ConversationId; n: number; wrap: Parameters<typeof addDevice>[2] },
): Promise<void> => {
  const one = all[who % all.length]!;
  const other = accountOf(all[whom % all.length]!.first);
  const { engine } = (second && one.second) || one.first;
  if (kind === 'pause') await new Promise((resolve) => setTimeout(resolve, 30));
  if (kind === 'send') await tolerant(engine.send(id, `${n}`));
  if (kind === 'add') await tolerant(engine.addMembers(id, [other]));
  if (kind === 'remove') await tolerant(engine.removeMembers(id, [other]));
  if (kind === 'leave') await tolerant(engine.leaveGroup(id));
  if (kind === 'promote') await tolerant(engine.setRole(id, other, 'owner'));
  if (kind === 'rename') await tolerant(engine.setTitle(id, `title ${n}`));
  if (kind === 'restart' && !one.away) await one.first.restart();
  if (kind === 'away' && !one.away) {
    one.away = true;
    await Promise.all([one.first.engine.close(), one.second?.engine.close()]);
  }
  if (kind === 'back') await comeBack(one);
  if (kind === 'device') await tolerant(addSecond(one, wrap));
  if (kind === 'revoke') await tolerant(revokeSecond(one));
};

const stateOf = async ({ store }: Resident, id: string) => (await store.get('group', id))?.state;
const messagesOf = ({ store }: Resident, id: string) =>
  store.messages({ conversation: id }, { limit: 1000 }).then((rows) => rows.filter(({ note }) => !note));

const devicesOf = ({ first, second }: Player): Resident[] => [first, ...(second ? [second] : [])];

/** Who was to read each message, by its id: what its author knew when it left. */
const addressed = async (all: readonly Player[], id: string) => {
  const sent = new Map<string, { author: string; to: string[]; text: string }>();
  for (const one of all) {
    for (const resident of [...devicesOf(one), ...one.revoked]) {
      const { device } = (await resident.store.get('self', 'self'))!;
      for (const row of await messagesOf(resident, id)) {
        if (row.device === device && row.at !== undefined)
          sent.set(row.id, { author: row.from, to: row.to ?? [], text: row.text });
      }
    }
  }
  return sent;
};

/** Whether a device knows of all devices of somebody: what it said before one of them was not for that one. */
const knows = async ({ store }: Resident, other: Player): Promise<boolean> => {
  const account = accountOf(other.first);
  const self = (await store.get('self', 'self'))!;
  const keys = self.account === account ? self : await store.get('contact', account);
  const known = new Set(keys?.devices.map(({ device }) => device));
  const named = await Promise.all(devicesOf(other).map((one) => one.store.get('self', 'self')));
  return named.every((one) => known.has(one!.device));
};

/** Whether the next that a device writes is under a new key, which it hands to everybody: then it learns whom there is. */
const isToBeHanded = async (one: Resident, id: string): Promise<boolean> => {
  const { account, device } = (await one.store.get('self', 'self'))!;
  const sending = (await one.store.get('sender', [id, account, device]))?.sending;
  const state = await stateOf(one, id);
  return !sending || !state || isSenderKeyDue(sending.own, state, Date.now());
};

/** Waits until who is in the group has it as the relay does, with nothing on its way; who that is. */
const settled = async (all: readonly Player[], id: string): Promise<Player[]> => {
  const devices = all.flatMap(devicesOf);
  for (const { engine } of devices) engine.nudge();
  await Promise.all(devices.map(({ engine }) => online(engine)));
  let members: Player[] = [];
  await expect
    .poll(async () => {
      const states = await Promise.all(devices.map((one) => stateOf(one, id)));
      const newest = states.reduce((a, b) => ((b?.epoch ?? -1) > (a?.epoch ?? -1) ? b : a))!;
      members = all.filter(({ first }) => newest.members.some(({ account }) => account === accountOf(first)));
      const inIt = await Promise.all(members.flatMap(devicesOf).map((one) => stateOf(one, id)));
      const same = inIt.every((state) => state?.hash.join() === newest.hash.join());
      const pairs = members.flatMap((one) =>
        members
          .flatMap(devicesOf)
          .map(async (device) => (await isToBeHanded(device, id)) || knows(device, one)),
      );
      const isKnown = (await Promise.all(pairs)).every(Boolean);
      return same && isKnown && devices.every(({ engine }) => engine.getSnapshot().unsent === 0);
    })
    .toBe(true);
  return members;
};

/** Everybody who is in it says one thing more, which everybody who is in it reads on every device, and nobody else. */
const lastRound = async (all: readonly Player[], members: readonly Player[], id: ConversationId) => {
  const texts = members.map((_, at) => `last of ${at}`);
  for (const [at, { first }] of members.entries()) {
    // Whoever was put in by somebody that they do not know is asked.
    const isAsked = first.engine.getSnapshot().conversations.some((one) => one.id === id && one.request);
    if (isAsked) await first.engine.accept(id);
    await first.engine.send(id, texts[at]!);
  }
  for (const resident of members.flatMap(devicesOf)) {
    const missing = async () => {
      const have = new Set((await messagesOf(resident, id)).map(({ text }) => text));
      return texts.filter((text) => !have.has(text));
    };
    await expect.poll(missing, { message: 'what a member misses of the last' }).toEqual([]);
  }
  const outside = all.flatMap((one) => [...(members.includes(one) ? [] : devicesOf(one)), ...one.revoked]);
  for (const resident of outside) {
    const had = (await messagesOf(resident, id)).filter(({ text }) => text.startsWith('last'));
    expect(had.map(({ text }) => text)).toEqual([]);
  }
};

it(
  'A2 A3 members come to one state, read all that was for them, and nobody else reads any of it',
  async () => {
    const play = async (seed: number, { people: count, steps }: { people: number; steps: Step[] }) => {
      const next = random(seed);
      let faulty = true;
      const chance = (likelihood: number) => () => faulty && next() < likelihood;
      const transport = withFaults({
        loseSend: chance(0.04),
        loseAnswer: chance(0.04),
        repeat: chance(0.2),
        delay: () => (faulty && next() < 0.2 ? next() * 20 : 0),
      });
      const wrap = { transport };
      const residents = await people(
        world,
        'play',
        Array.from({ length: count }, () => wrap),
      );
      const all = residents.map((first): Player => ({ first, revoked: [], away: false }));
      const id = newId() as unknown as ConversationId;
      const began = residents.slice(0, count - 1);
      await began[0]!.engine.createGroup({ id, title: 'play', members: began.slice(1).map(accountOf) });
      await Promise.all(began.map((one) => sees(one, id, count - 1)));
      // Two who may change everything.
      await began[0]!.engine.setRole(id, accountOf(began[1]!), 'owner');
      await until(began[1]!.engine, () => groupOf(began[1]!, id)?.role === 'owner', 'the role');
      let beside: Promise<void>[] = [];
      for (const [n, entry] of steps.entries()) {
        beside.push(run(entry, all, { id, n, wrap }));
        if (entry.beside) continue;
        await Promise.all(beside);
        beside = [];
      }
      await Promise.all(beside);
      faulty = false;
      await Promise.all(all.map(comeBack));
      const members = await settled(all, id);
      const sent = await addressed(all, id);
      for (const [at, { first: one }] of all.entries()) {
        const me = accountOf(one);
        const due = [...sent].filter(([, { author, to }]) => author === me || to.includes(me));
        const missing = async () => {
          const have = new Set((await messagesOf(one, id)).map((row) => row.id));
          return due.flatMap(([message, { text }]) => (have.has(message) ? [] : [text]));
        };
        await expect.poll(missing, { message: `what ${at} misses` }).toEqual([]);
      }
      for (const [at, one] of all.entries()) {
        const me = accountOf(one.first);
        for (const resident of [...devicesOf(one), ...one.revoked]) {
          const rows = await messagesOf(resident, id);
          const foreign = rows.filter(
            ({ from, id: message }) => from !== me && !sent.get(message)?.to.includes(me),
          );
          expect(
            foreign.map(({ text }) => text),
            `what ${at} should not have`,
          ).toEqual([]);
          expect(new Set(rows.map(({ id: message }) => message)).size).toBe(rows.length);
          expect((await resident.store.get('group', id))?.stopped).toBeUndefined();
        }
      }
      await lastRound(all, members, id);
      await Promise.all(
        all.flatMap((one) => [...devicesOf(one), ...one.revoked].map((each) => each.leave())),
      );
    };
    const property = fc.asyncProperty(fc.nat(), plan, play);
    const seed = SEED !== undefined && { seed: Number(SEED) };
    // What hangs would hang at each attempt to make it smaller.
    if (LONG > 0) return fc.assert(property, { ...seed, numRuns: LONG, endOnFailure: true });
    // One after the other, each to its end: a hang is none that the time box hides.
    const end = Date.now() + TIME_BOX_MS;
    do await fc.assert(property, { ...seed, numRuns: 1, endOnFailure: true });
    while (Date.now() < end);
    return undefined;
  },
  LONG > 0 ? 0 : 240_000,
);
