// `npm run bench -- groups [--json] [--sizes 10,100,1000] [--profile]`: groups in Chromium; `--engines chromium,firefox,webkitgtk`:
// their cryptography alone, there. Run by scripts/bench.mjs.
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ConversationId } from '../packages/contract/src/ids.ts';
import { parseLink } from '../packages/contract/src/link.ts';
import { type Profile, selfTimes } from './engine/devtools.ts';
import { ENGINES, measureEngines } from './groups/engines.ts';
import { type Lab, type Offers, openLab } from './groups/lab.ts';
import { type Contact, makeMembers, type Member, until, write } from './groups/members.ts';
import type { Took } from './groups/page.ts';
import { atMost, type Figure, printFigures } from './relay/figures.ts';

const TEXTS = 40;
const WAITING = 200;

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const sizes = (option('--sizes') ?? '10,100,1000').split(',').map(Number);
const isProfiled = process.argv.includes('--profile');
const json = process.argv.includes('--json');
const largest = Math.max(...sizes);

const say = (text: string): void => {
  if (!json) console.error(text);
};

const newGroup = (): ConversationId => randomBytes(16).toString('base64url') as ConversationId;

type Cost = Took & { cpu: number };

/** With what the page's process used of the processors meanwhile. */
const costOf = async (lab: Lab, work: () => Promise<Took>): Promise<Cost> => {
  const before = await lab.cpu();
  const took = await work();
  return { ...took, cpu: (await lab.cpu()) - before };
};

/** Shows where the page's time goes in what is named. */
const profiled = async <T>({ session }: Lab, name: string, work: () => Promise<T>): Promise<T> => {
  if (!isProfiled) return work();
  await session.send('Profiler.enable');
  await session.send('Profiler.setSamplingInterval', { interval: 200 });
  await session.send('Profiler.start');
  const result = await work();
  const { profile } = (await session.send('Profiler.stop')) as { profile: Profile };
  const file = path.resolve('test-results', `bench-groups-${name}.cpuprofile`);
  writeFileSync(file, JSON.stringify(profile));
  console.error([...selfTimes(profile, 25), file].join('\n'));
  return result;
};

const run = {
  make: ({ page }: Lab, id: ConversationId, members: readonly Member[]) =>
    page.evaluate(([group, some]) => (globalThis as Offers).lab.make(group, 'bench', some), [
      id,
      members.map(({ contact }) => contact),
    ] as const),
  add: ({ page }: Lab, id: ConversationId, { contact }: Member) =>
    page.evaluate(([group, one]) => (globalThis as Offers).lab.add(group, one), [id, contact] as const),
  remove: ({ page }: Lab, id: ConversationId, { contact }: Member) =>
    page.evaluate(([group, one]) => (globalThis as Offers).lab.remove(group, one), [id, contact] as const),
  write: ({ page }: Lab, id: ConversationId, texts: number) =>
    page.evaluate(([to, count]) => (globalThis as Offers).lab.write(to, count), [id, texts] as const),
  bare: ({ page }: Lab, count: number) =>
    page.evaluate((handOvers) => (globalThis as Offers).lab.bareHandOvers(handOvers), count),
};

/** In ms for each text that waits: in a group of `size`, or in the conversation with `writer`. */
const receive = async (
  lab: Lab,
  writer: Member,
  me: Contact,
  group?: { id: ConversationId; size: number },
): Promise<Cost> => {
  const engine = await writer.start();
  const to = group?.id ?? (me.account as unknown as ConversationId);
  try {
    await until(engine, ({ connection, catchingUp, conversations }) => {
      const members = conversations.find(({ id }) => id === group?.id)?.group?.members;
      return connection === 'online' && !catchingUp && members === group?.size;
    });
    if (!group) await engine.addContact(me);
    // The keys go ahead, and are taken in.
    await write(engine, to, 1);
    await lab.page.waitForTimeout(1000);
    await lab.page.evaluate(() => (globalThis as Offers).lab.close());
    await write(engine, to, WAITING);
  } finally {
    await engine.close();
  }
  await lab.reload();
  const from = group?.id ?? (writer.contact.account as unknown as ConversationId);
  const took = await profiled(lab, `receive-${group?.size ?? 'direct'}`, () =>
    costOf(lab, async () => {
      const ms = await lab.page.evaluate(([id, texts]) => (globalThis as Offers).lab.receive(id, texts), [
        from,
        WAITING + 1,
      ] as const);
      return { ms, uploads: 0, bytes: 0, longest: 0 };
    }),
  );
  return { ...took, ms: took.ms / WAITING, cpu: took.cpu / WAITING };
};

const engines = option('--engines')?.split(',') ?? [];
if (engines.length > 0) {
  printFigures(await measureEngines(ENGINES.filter((name) => engines.includes(name))), json, 'groups');
  process.exit();
}

const lab = await openLab();
const end = (): void => void lab.close().finally(() => process.exit(1));
process.once('SIGINT', end).once('SIGTERM', end);
try {
  const start = performance.now();
  const members = await makeMembers(lab.origin, lab.invite, largest);
  say(`${members.length} members registered in ${((performance.now() - start) / 1000).toFixed(0)} s`);
  const link = parseLink(await lab.invite())!;
  const me = await lab.page.evaluate((from) => (globalThis as Offers).lab.open(from), link);
  await lab.page.evaluate(
    (some) => (globalThis as Offers).lab.meet(some),
    members.map(({ contact }) => contact),
  );
  // Somebody who is only written to, and somebody who writes as well.
  const friend = members.at(-1)!;
  const writer = members[0]!;
  for (const { contact } of [friend, writer])
    await lab.page.evaluate((one) => (globalThis as Offers).lab.befriend(one), contact);
  const figures: Figure[] = [];
  const put = (name: string, value: number, unit: string, rest: Partial<Figure> = {}): void => {
    figures.push({ name, value, unit, ...rest });
  };
  const direct = friend.contact.account as unknown as ConversationId;
  await run.write(lab, direct, 5);
  const alone = await costOf(lab, () => run.write(lab, direct, TEXTS));
  const received = await receive(lab, writer, me);

  for (const size of sizes.toSorted((a, b) => b - a)) {
    const isLargest = size === largest;
    const label = size.toLocaleString('en');
    const id = newGroup();
    // One more is added and removed.
    const others = members.slice(0, size - 2);
    const guest = members[size - 2]!;
    const made = await profiled(lab, `make-${size}`, () => costOf(lab, () => run.make(lab, id, others)));
    const first = await costOf(lab, () => run.write(lab, id, 1));
    const name = isLargest ? 'first contact' : 'known';
    put(`${label}: make the group (${name})`, made.ms, 'ms');
    put(`${label}: first message (its key to everybody)`, first.ms, 'ms');
    await run.write(lab, id, 5);
    const text = await profiled(lab, `send-${size}`, () => costOf(lab, () => run.write(lab, id, TEXTS)));
    const goal = size === 1000 ? { goal: atMost('value', 5) } : {};
    put(`${label}: send a text, CPU`, text.cpu / TEXTS, 'ms', { reference: alone.cpu / TEXTS, ...goal });
    put(`${label}: send a text, until the relay has it`, text.ms / TEXTS, 'ms', {
      reference: alone.ms / TEXTS,
    });
    put(`${label}: send a text, uploads`, text.uploads / TEXTS, '', { goal: atMost('value', 1) });
    put(`${label}: send a text, bytes`, text.bytes / TEXTS, 'B', { reference: alone.bytes / TEXTS });
    const added = await costOf(lab, () => run.add(lab, id, guest));
    put(`${label}: add one`, added.ms, 'ms');
    put(`${label}: add one, uploads`, added.uploads, '');
    const [removed, rotated] = await profiled(lab, `remove-${size}`, async () => [
      await costOf(lab, () => run.remove(lab, id, guest)),
      await costOf(lab, () => run.write(lab, id, 1)),
    ]);
    const bare = await run.bare(lab, 2 * (size - 2));
    const limit = size === 1000 ? { goal: atMost('value', 3000) } : {};
    put(`${label}: remove one and rotate`, removed!.ms + rotated!.ms, 'ms', { reference: bare, ...limit });
    put(`${label}: of that, the removal`, removed!.ms, 'ms');
    put(`${label}: CPU`, removed!.cpu + rotated!.cpu, 'ms');
    put(`${label}: longest task`, Math.max(removed!.longest, rotated!.longest), 'ms');
    put(`${label}: uploads for each member`, (removed!.uploads + rotated!.uploads) / (size - 2), '');
    put(`${label}: bytes for each member`, (removed!.bytes + rotated!.bytes) / (size - 2), 'B');
    const got = await receive(lab, writer, me, { id, size: size - 1 });
    put(`${label}: receive a text`, got.ms, 'ms', { reference: received.ms });
    put(`${label}: receive a text, CPU`, got.cpu, 'ms', { reference: received.cpu });
  }
  printFigures(figures, json, 'groups');
} finally {
  await lab.close();
}
