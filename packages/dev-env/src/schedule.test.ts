import type { ConversationId } from '@sotto/contract/ids';
import type { ConversationView, Engine } from '@sotto/engine/views';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { withFaults } from './faults.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

// Fewer than a device keeps: they run out more often, and making them is most of the work of a schedule.
vi.mock('../../crypto/src/limits.ts', async (original) => ({
  ...(await original<object>()),
  ONE_TIME_COUNT: 6,
  ONE_TIME_REFILL: 3,
}));

/** Time-boxed, unless there are so many `SCHEDULES` to run, from a `SEED` maybe: `npm run soak` sets them. */
const { SCHEDULES = '0', SEED } = globalThis.process?.env ?? {};
const LONG = Number(SCHEDULES);
/** So many schedules of a long run go at once: each waits most of its time. */
const LANES = SEED === undefined ? Math.min(LONG, 4) : 1;
const TIME_BOX_MS = 20_000;
const PEOPLE = 3;

const person = fc.nat({ max: PEOPLE - 1 });
const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('send' as const), from: person, to: person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), who: person }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), who: person }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pause' as const), ms: fc.nat({ max: 20 }) }) },
);

type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Numbers in [0, 1) that follow from a seed (mulberry32). */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const conversationWith = (engine: Engine) => engine.getSnapshot().me!.account as unknown as ConversationId;
const lines = (view: ConversationView, mine: boolean) =>
  view
    .getSnapshot()
    .messages.filter((message) => message.mine === mine)
    .map(({ text }) => text);

const open = async (engine: Engine, id: ConversationId): Promise<ConversationView> => {
  const view = (await engine.openConversation(id))!;
  while (view.getSnapshot().hasOlder) await view.loadOlder();
  return view;
};

it(
  'F1 F12 F13 every message is shown once, in order, whatever is lost, repeated or killed on the way',
  async () => {
    const run = async (seed: number, steps: Step[]): Promise<void> => {
      const next = random(seed);
      let faulty = true;
      const chance = (likelihood: number) => () => faulty && next() < likelihood;
      const transport = withFaults({
        loseSend: chance(0.1),
        loseAnswer: chance(0.1),
        repeat: chance(0.2),
      });
      const number = ++count;
      const people: Resident[] = [];
      for (let index = 0; index < PEOPLE; index += 1) {
        people.push(await world.resident(`p${index}_${number}`, { transport }));
      }
      const sent = new Map<string, string[]>();
      for (const [at, entry] of steps.entries()) {
        if (entry.kind === 'pause') await new Promise((resolve) => setTimeout(resolve, entry.ms));
        else if (entry.kind === 'restart') await people[entry.who]!.restart();
        else if (entry.kind === 'read') {
          const { engine } = people[entry.who]!;
          for (const { id } of engine.getSnapshot().conversations) await engine.markRead(id);
        } else if (entry.from !== entry.to) {
          const [from, to] = [people[entry.from]!.engine, people[entry.to]!.engine];
          const id = await from.addContact(to.getSnapshot().contact!);
          await from.send(id, `${at}`);
          const key = `${entry.from} ${entry.to}`;
          sent.set(key, [...(sent.get(key) ?? []), `${at}`]);
        }
      }
      faulty = false;
      for (const [key, expected] of sent) {
        const [from, to] = key.split(' ').map((index) => people[Number(index)]!.engine) as [Engine, Engine];
        const outgoing = await open(from, conversationWith(to));
        const settled = () =>
          outgoing
            .getSnapshot()
            .messages.every(({ mine, status }) => !mine || ['delivered', 'read'].includes(status));
        await until(outgoing, settled, `what ${key} sent`);
        const incoming = await open(to, conversationWith(from));
        expect(lines(outgoing, true)).toEqual(expected);
        expect(lines(incoming, false)).toEqual(expected);
        const unseen = incoming
          .getSnapshot()
          .messages.filter(({ mine, status }) => !mine && status === 'delivered');
        const listed = to.getSnapshot().conversations.find(({ id }) => id === conversationWith(from));
        expect(listed?.unread).toBe(unseen.length);
      }
      await Promise.all(people.map((resident) => resident.leave()));
    };
    const property = fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 1, maxLength: 40 }), run);
    const seed = SEED !== undefined && { seed: Number(SEED) };
    if (LONG > 0) {
      const lane = (numRuns: number) => fc.assert(property, { ...seed, numRuns });
      const share = Math.floor(LONG / LANES);
      await Promise.all(
        Array.from({ length: LANES }, (_, at) => lane(at === 0 ? LONG - share * (LANES - 1) : share)),
      );
      return;
    }
    // One after the other, each to its end: a hang is none that the time box hides.
    const end = Date.now() + TIME_BOX_MS;
    do await fc.assert(property, { ...seed, numRuns: 1 });
    while (Date.now() < end);
  },
  LONG > 0 ? 0 : 120_000,
);
