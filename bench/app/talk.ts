// Two people in two browsers, and the same on a bare page over a bare Socket.IO.
import type { BrowserContext, Page } from '@playwright/test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundle } from '../../e2e/crypto/lab.ts';
import { RelayProcess } from '../../e2e/fixtures/relay.ts';
import { Sotto } from '../../e2e/pages/sotto.ts';
import { launch } from '../chromium.ts';
import { percentile } from '../measure.ts';
import { atMost, type Figure } from '../relay/figures.ts';
import { startBare } from './bare.ts';
import { type Offers, patient } from './offers.ts';

const ROUNDS = 3;
const MESSAGES = 100;
/** Of an unhurried hand, in ms. */
const KEY_MS = 45;
const PAUSE_MS = 150;
const WORDS = ['bread', 'nine', 'train', 'field', 'light', 'home'];

interface Times {
  keys: number[];
  /** From Enter: painted for the writer, painted for the reader, the tick of having been read painted for the writer. */
  own: number[];
  seen: number[];
  read: number[];
}

const newTimes = (): Times => ({ keys: [], own: [], seen: [], read: [] });

interface Pair {
  writer: Page;
  reader: Page;
}

const write = async ({ writer, reader }: Pair, count: number, name: string, times?: Times): Promise<void> => {
  await writer.getByRole('textbox', { name: 'Message' }).click();
  for (const page of [writer, reader]) await page.evaluate(() => (globalThis as Offers).probe.sync());
  for (let at = 0; at < count; at += 1) {
    const text = `${WORDS[at % WORDS.length]} ${name}${at}`;
    const own = writer.evaluate((text) => (globalThis as Offers).probe.bubble(text), text);
    const read = writer.evaluate((text) => (globalThis as Offers).probe.tick(text, 'read'), text);
    const seen = reader.evaluate((text) => (globalThis as Offers).probe.bubble(text), text);
    await writer.keyboard.type(text, { delay: KEY_MS });
    await writer.waitForTimeout(PAUSE_MS);
    await writer.keyboard.press('Enter');
    const painted = await patient(Promise.all([own, seen, read]));
    const entered = await writer.evaluate(() => (globalThis as Offers).probe.entered);
    const [ownMs, seenMs, readMs] = painted.map((time) => time - entered) as [number, number, number];
    times?.own.push(ownMs);
    times?.seen.push(seenMs);
    times?.read.push(readMs);
    await writer.waitForTimeout(PAUSE_MS);
  }
  times?.keys.push(...(await writer.evaluate(() => (globalThis as Offers).probe.keys)));
};

/** In new tabs of both browsers. */
const inTabs = async (
  browsers: readonly BrowserContext[],
  probe: string,
  open: (page: Page, at: number) => Promise<void>,
  work: (pair: Pair) => Promise<void>,
): Promise<void> => {
  const pages: Page[] = [];
  for (const [at, browser] of browsers.entries()) {
    const page = await browser.newPage();
    pages.push(page);
    await page.addInitScript({ path: probe });
    await open(page, at);
  }
  await work({ writer: pages[0]!, reader: pages[1]! });
  await Promise.all(pages.map((page) => page.close()));
};

/** Two accounts that have written to each other. */
const befriend = async (browsers: readonly BrowserContext[], relay: RelayProcess): Promise<void> => {
  const [ann, bob] = [await browsers[0]!.newPage(), await browsers[1]!.newPage()];
  const [anns, bobs] = [new Sotto(ann), new Sotto(bob)];
  await ann.goto(relay.invite);
  await anns.fillIn('Ann', 'ann');
  const link = await anns.invite();
  await bob.goto(link);
  await bobs.fillIn('Bob', 'bob');
  await bobs.open('ann');
  await bobs.send('hello');
  await anns.open('Bob');
  await anns.send('hello to you');
  await bobs.message('hello to you').waitFor();
  await ann.close();
  await bob.close();
};

const figuresOf = (ours: Times, bare: Times): Figure[] => {
  const line = (name: string, of: keyof Times, share: number, goal?: number): Figure => ({
    name,
    value: percentile(ours[of], share),
    unit: 'ms',
    reference: percentile(bare[of], share),
    ...(goal !== undefined && { goal: atMost('value', goal) }),
  });
  return [
    line('letter in the composer, p50', 'keys', 0.5),
    line('letter in the composer, p99', 'keys', 0.99, 30),
    line('Enter to own bubble, p50', 'own', 0.5),
    line('Enter to own bubble, p99', 'own', 0.99),
    line('Enter to bubble at the other, p50', 'seen', 0.5, 40),
    line('Enter to bubble at the other, p99', 'seen', 0.99, 100),
    line('Enter to tick of read, p50', 'read', 0.5),
    line('Enter to tick of read, p99', 'read', 0.99, 200),
  ];
};

export const talk = async (say: (text: string) => void): Promise<Figure[]> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-bench-'));
  const relay = await RelayProcess.prepare();
  const browsers: BrowserContext[] = [];
  const bare = await startBare();
  try {
    const probe = path.join(await bundle('bench/app/probe.ts', 'bench-app-probe'), 'bundle.js');
    await relay.start();
    for (const name of ['ann', 'bob']) browsers.push(await launch(path.join(folder, name)));
    await befriend(browsers, relay);
    const [ours, theirs] = [newTimes(), newTimes()];
    const names = ['Bob', 'Ann'];
    const openApp = async (page: Page, at: number): Promise<void> => {
      await page.goto(relay.url);
      await new Sotto(page).open(names[at]!);
    };
    const openBare = async (page: Page): Promise<void> => {
      await page.goto(bare.url);
      await page.getByText('connected').waitFor();
    };
    for (let round = 0; round < ROUNDS; round += 1) {
      const name = `r${round}n`;
      for (const [open, times] of [
        [openApp, ours],
        [openBare, theirs],
      ] as const)
        await inTabs(browsers, probe, open, async (pair) => {
          await write(pair, 5, `warm${name}`);
          await pair.writer.evaluate(() => void ((globalThis as Offers).probe.keys.length = 0));
          await write(pair, MESSAGES, name, times);
        });
      say(`round ${round + 1} of ${ROUNDS}`);
    }
    return figuresOf(ours, theirs);
  } finally {
    await Promise.all(browsers.map((browser) => browser.close()));
    await bare.close();
    await relay.dispose();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
};
