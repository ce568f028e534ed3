// `npm run bench -- engine [--json] [--only list,reads,search,receive] [--keep <folder>] [--profile]`: the app with 100,000
// messages in Chromium, beside bare IndexedDB and WebCrypto. Run by scripts/bench.mjs.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { openTools, selfTimes } from './engine/devtools.ts';
import { type Lab, type Offers, openLab } from './engine/lab.ts';
import type { Probe } from './engine/probe.ts';
import { openSenders } from './engine/senders.ts';
import { median } from './measure.ts';
import { atLeast, atMost, type Figure, printFigures } from './relay/figures.ts';

const SIZE = { conversations: 500, messages: 100_000 };
const PARTS = ['list', 'reads', 'search', 'receive'] as const;
const OPENINGS = 9;
const CLICKS = 15;
const ROUNDS = { reads: 31, searches: 7 };
const WAITING = { messages: 10_000, senders: 20, run: 25 };
const IN_FLIGHT = 100;
const PATIENCE_MS = 300_000;

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
};
const only = option('--only')?.split(',') ?? [...PARTS];
const isProfiled = process.argv.includes('--profile');
const json = process.argv.includes('--json');

const say = (text: string): void => {
  if (!json) console.error(text);
};

const figure = (name: string, value: number, reference?: number, goal?: Figure['goal']): Figure => ({
  name,
  value,
  unit: 'ms',
  ...(reference !== undefined && { reference }),
  ...(goal && { goal }),
});

/** In the app: until the list, and then a conversation, can be seen; and what memory that takes. */
const list = async (lab: Lab): Promise<Figure[]> => {
  const lists: number[] = [];
  const clicks: number[] = [];
  let memory = { page: 0, worker: 0 };
  for (let round = 0; round < OPENINGS; round += 1) {
    await lab.app(async (page) => {
      const tools = await openTools(page);
      await page.goto(lab.origin);
      lists.push(
        await page.evaluate(async () => {
          const { probe } = globalThis as Offers;
          return (await probe.list) - probe.script();
        }),
      );
      await page.waitForFunction(() => (globalThis as Offers).probe.said.caughtUp !== undefined);
      if (round < OPENINGS - 1) return;
      await page.waitForTimeout(2000);
      for (let click = 0; click < CLICKS; click += 1) {
        const at = click;
        clicks.push(await page.evaluate((row) => (globalThis as Offers).probe.open(row), at));
        await page.waitForTimeout(200);
      }
      memory = await tools.memory();
    });
  }
  const reference = await lab.lab((page) =>
    page.evaluate((rounds) => (globalThis as Offers).lab.listReference(rounds), OPENINGS),
  );
  return [
    figure('app: script to painted list', median(lists), reference, atMost('value', 300)),
    figure('app: click to painted conversation', median(clicks), undefined, atMost('value', 100)),
    { name: 'memory: page', value: memory.page, unit: 'MiB' },
    { name: 'memory: worker', value: memory.worker, unit: 'MiB' },
  ];
};

const reads = async (lab: Lab): Promise<Figure[]> => {
  const { last, first, back } = await lab.lab((page) =>
    page.evaluate(([url, rounds]) => (globalThis as Offers).lab.reads(url, rounds), [
      lab.worker,
      ROUNDS.reads,
    ] as const),
  );
  return [
    figure('open at the last message', last!.value, last!.reference, atMost('value', 100)),
    figure('open at the first unread', first!.value, first!.reference, atMost('value', 100)),
    figure('scroll back 1,000', back!.value, back!.reference),
  ];
};

const search = async (lab: Lab): Promise<Figure[]> => {
  const found = await lab.lab((page) =>
    page.evaluate(([url, rounds]) => (globalThis as Offers).lab.searches(url, rounds), [
      lab.worker,
      ROUNDS.searches,
    ] as const),
  );
  return Object.entries(found).map(([name, { value, reference }]) =>
    figure(`search: ${name}`, value, reference, atMost('value', 50)),
  );
};

/** What waits at the relay when the app opens. */
const leaveMessages = async (lab: Lab): Promise<void> => {
  const { messages, senders: count, run } = WAITING;
  await lab.lab(async (page) => {
    await page.evaluate(() => (globalThis as Offers).lab.open());
    const senders = await openSenders(lab.origin, lab.invite, lab.contact, count);
    try {
      await page.evaluate((accounts) => (globalThis as Offers).lab.answer(accounts), senders.accounts);
      await senders.answered();
      await page.evaluate(() => (globalThis as Offers).lab.close());
      await senders.write(messages, run);
    } finally {
      await senders.close();
    }
  });
};

const receive = async (lab: Lab): Promise<Figure[]> => {
  const start = performance.now();
  await leaveMessages(lab);
  say(
    `${WAITING.messages} messages left at the relay in ${((performance.now() - start) / 1000).toFixed(0)} s`,
  );
  const { said, tasks, listed } = await lab.app(async (page) => {
    const tools = await openTools(page);
    await page.goto(lab.origin);
    if (isProfiled) await tools.startProfile();
    await page.waitForFunction(() => (globalThis as Offers).probe.said.caughtUp !== undefined, undefined, {
      timeout: PATIENCE_MS,
      polling: 200,
    });
    if (isProfiled) {
      const profile = await tools.endProfile();
      const file = path.resolve('test-results', 'bench-engine.cpuprofile');
      writeFileSync(file, JSON.stringify(profile));
      console.error([...selfTimes(profile, 40), file].join('\n'));
    }
    return page.evaluate(async () => {
      const { said, tasks, list: painted } = (globalThis as Offers).probe;
      return { said, tasks, listed: await painted };
    });
  });
  const reference = await lab.lab((page) =>
    page.evaluate((batch) => (globalThis as Offers).lab.receiveReference(20 * batch, batch), IN_FLIGHT),
  );
  const { online, caughtUp } = said as Required<Probe['said']>;
  const longest = Math.max(0, ...tasks.filter(([at]) => at > listed).map(([, ms]) => ms));
  const rate = WAITING.messages / ((caughtUp - online) / 1000);
  return [
    { name: 'receive 10,000', value: rate, unit: '/s', reference, goal: atLeast('value', 1500) },
    // The browser tells of none below 50 ms.
    figure('receive: longest task of the page', longest, undefined, atMost('value', 50)),
  ];
};

const lab = await openLab(SIZE, { keep: option('--keep') });
const end = (): void => void lab.close().finally(() => process.exit(1));
process.once('SIGINT', end).once('SIGTERM', end);
try {
  if (lab.filled) {
    const { sealed, bare, indexed } = lab.filled;
    say(
      `store filled in ${sealed.toFixed(0)} ms, bare in ${bare.toFixed(0)}, indexed in ${indexed.toFixed(0)}`,
    );
  }
  const figures: Figure[] = [];
  const parts = { list, reads, search, receive };
  for (const part of PARTS) if (only.includes(part)) figures.push(...(await parts[part](lab)));
  printFigures(figures, json, 'engine');
} finally {
  await lab.close();
}
