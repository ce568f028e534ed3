import type { ConversationId } from '@sotto/contract/ids';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { withFaults } from './faults.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

/** Time-boxed, unless there are so many `SCHEDULES` to run, from a `SEED` maybe: `npm run soak` sets them. */
const { SCHEDULES = '0', SEED } = globalThis.process?.env ?? {};
const LONG = Number(SCHEDULES);
const TIME_BOX_MS = 15_000;
const PEOPLE = 2;
const DEVICES = 3;

const who = { person: fc.nat({ max: PEOPLE - 1 }), device: fc.nat({ max: DEVICES - 1 }) };
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('send' as const), ...who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('add' as const), ...who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), ...who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('away' as const), ...who }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('read' as const), ...who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pause' as const), ...who }) },
);
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never;

/** Numbers in [0, 1) that follow from a seed (mulberry32). */
const random = (seed: number) => () => {
  seed = (seed + 0x6d2b79f5) | 0;
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

interface Device {
  resident: Resident;
  person: number;
  /** The messages that were sent since it was there. */
  since: number;
}

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const idOf = ({ resident }: Device) => resident.engine.getSnapshot().me!.account as unknown as ConversationId;

/** One relay, two people, some devices each, and what was sent, in the order in which it was written. */
const createPlay = async (wrap: Parameters<typeof addDevice>[2]) => {
  const number = ++count;
  const devices: Device[] = [];
  const sent: string[] = [];
  for (let person = 0; person < PEOPLE; person += 1) {
    devices.push({ resident: await world.resident(`d${person}_${number}`, wrap), person, since: 0 });
  }
  const [first, second] = devices as [Device, Device];
  await first.resident.engine.addContact(second.resident.engine.getSnapshot().contact!);
  await second.resident.engine.addContact(first.resident.engine.getSnapshot().contact!);
  const other = ({ person }: Device) => idOf(person === 0 ? second : first);
  const pick = ({ person, device }: Step): Device => {
    const own = devices.filter((one) => one.person === person);
    return own[device % own.length]!;
  };

  const run = async (entry: Step): Promise<void> => {
    const one = pick(entry);
    const { engine } = one.resident;
    if (entry.kind === 'pause') await new Promise((resolve) => setTimeout(resolve, 10));
    else if (entry.kind === 'restart') await one.resident.restart();
    else if (entry.kind === 'read') await engine.markRead(other(one));
    else if (entry.kind === 'send') {
      const text = `${sent.length} ${devices.indexOf(one)}`;
      sent.push(text);
      await engine.send(other(one), text);
    } else if (entry.kind === 'away') {
      await engine.close();
      await one.resident.restart();
    } else if (devices.filter(({ person }) => person === one.person).length < DEVICES) {
      const since = sent.length;
      const resident = await addDevice(world, one.resident, wrap);
      devices.push({ resident, person: one.person, since: Math.max(since, sent.length) });
    }
  };

  /** What a device shows, once it shows all that it has to. */
  const shown = async (device: Device): Promise<string[]> => {
    const view = (await device.resident.engine.openConversation(other(device)))!;
    const due = sent.slice(device.since);
    const texts = () => view.getSnapshot().messages.map(({ text }) => text);
    const isThere = () =>
      due.every((text) => texts().includes(text)) &&
      view.getSnapshot().messages.every(({ status }) => status !== 'waiting');
    await until(view, isThere, `what device ${devices.indexOf(device)} shows (${due.join(', ')})`);
    view.close();
    return texts();
  };
  return { devices, run, shown };
};

it(
  'F1 F12 F13 every device shows each message once, and all in one order, whatever devices are added, lost, late or killed',
  async () => {
    const play = async (seed: number, steps: Step[]): Promise<void> => {
      const next = random(seed);
      let faulty = true;
      const chance = (likelihood: number) => () => faulty && next() < likelihood;
      const transport = withFaults({
        loseSend: chance(0.07),
        loseAnswer: chance(0.07),
        repeat: chance(0.2),
        delay: () => (faulty && next() < 0.2 ? next() * 20 : 0),
      });
      const { devices, run, shown } = await createPlay({ transport });
      for (const entry of steps) await run(entry);
      faulty = false;
      const lists: string[][] = [];
      for (const device of devices) lists.push(await shown(device));
      for (const [at, list] of lists.entries()) {
        expect(new Set(list).size, `device ${at}`).toBe(list.length);
        for (const [index] of devices.entries()) {
          const mine = list
            .filter((text) => text.endsWith(` ${index}`))
            .map((text) => Number.parseInt(text, 10));
          expect(mine, `device ${at}, of ${index}`).toEqual(mine.toSorted((a, b) => a - b));
        }
        const common = list.filter((text) => lists[0]!.includes(text));
        expect(common, `device ${at}`).toEqual(lists[0]!.filter((text) => list.includes(text)));
      }
      await Promise.all(devices.map(({ resident }) => resident.engine.close()));
    };
    const property = fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 1, maxLength: 25 }), play);
    const seed = SEED !== undefined && { seed: Number(SEED) };
    if (LONG > 0) return fc.assert(property, { ...seed, numRuns: LONG });
    // One after the other, each to its end: a hang is none that the time box hides.
    const end = Date.now() + TIME_BOX_MS;
    do await fc.assert(property, { ...seed, numRuns: 1 });
    while (Date.now() < end);
    return undefined;
  },
  LONG > 0 ? 0 : 120_000,
);
