// The app with 100,000 messages: opened by its service worker, a conversation, and lists that are flung.
import type { Page } from '@playwright/test';
import { openTools, selfTimes } from '../engine/devtools.ts';
import type { Lab } from '../engine/lab.ts';
import { median, percentile } from '../measure.ts';
import { atLeast, atMost, type Figure } from '../relay/figures.ts';
import { type Offers, patient } from './offers.ts';

const OPENINGS = 9;
const TAPS = 24;
/** Those in sight above the offer to install, and how high each is. */
const ROWS = { count: 6, height: 68 };
const FLINGS = 6;
/** In pixels, and pixels a second. */
const FLING = { distance: 9000, speed: 6000 };
/** A frame at 60 Hz and two of them, each with a millisecond for the clock. */
const [ONE_FRAME, TWO_FRAMES] = [17.7, 34.4];

const hasController = (page: Page): Promise<unknown> =>
  page.waitForFunction(() => navigator.serviceWorker.controller !== null);

/** From navigation start, with a service worker that has to start first. */
const openList = async (page: Page, origin: string): Promise<number> => {
  const session = await page.context().newCDPSession(page);
  await session.send('ServiceWorker.enable');
  await session.send('ServiceWorker.stopAllWorkers');
  await page.goto(origin);
  const { time, isServed } = await page.evaluate(async () => {
    const time = await (globalThis as Offers).probe.list;
    const [navigation] = performance.getEntriesByType('navigation') as PerformanceNavigationTiming[];
    return { time, isServed: navigation!.workerStart > 0 };
  });
  if (!isServed) throw new Error('the service worker did not serve the page');
  return time;
};

const tapRows = async (page: Page): Promise<number[]> => {
  const times: number[] = [];
  const { x, y } = (await page.locator('.chat-list-scroll').boundingBox())!;
  await page.mouse.move(x + 100, y + 100);
  for (let tap = 0; tap < TAPS; tap += 1) {
    const row = tap % ROWS.count;
    if (row === 0 && tap > 0) {
      await page.mouse.wheel(0, ROWS.count * ROWS.height);
      await page.waitForTimeout(500);
    }
    await page.evaluate(() => (globalThis as Offers).probe.awaitTap());
    await page.mouse.click(x + 100, y + (row + 0.5) * ROWS.height);
    times.push(await patient(page.evaluate(() => (globalThis as Offers).probe.tapped!)));
    await page.waitForTimeout(200);
  }
  return times;
};

interface Smoothness {
  /** Frames a second. */
  rate: number;
  /** Percent of the frames. */
  late: number;
  veryLate: number;
  holes: number;
}

/** Flings a list to and fro by touch. */
const fling = async (page: Page, scroll: string, row: string, first: 1 | -1): Promise<Smoothness> => {
  const session = await page.context().newCDPSession(page);
  const box = (await page.locator(scroll).boundingBox())!;
  await page.evaluate(
    ([scroll, row]) => {
      Object.assign(globalThis, { unwatch: (globalThis as Offers).probe.watch(scroll!, row!) });
    },
    [scroll, row],
  );
  for (let turn = 0; turn < FLINGS; turn += 1)
    await session.send('Input.synthesizeScrollGesture', {
      x: box.x + box.width / 2,
      y: box.y + box.height / 2,
      yDistance: FLING.distance * (turn % 3 === 2 ? -first : first),
      speed: FLING.speed,
      preventFling: false,
      gestureSourceType: 'touch',
    });
  const { frames, holes } = await page.evaluate(() =>
    (globalThis as unknown as { unwatch: () => { frames: number[]; holes: number } }).unwatch(),
  );
  const times = frames.slice(1).map((time, at) => time - frames[at]!);
  const share = (count: number): number => (100 * count) / times.length;
  return {
    rate: 1000 / (times.reduce((sum, time) => sum + time, 0) / times.length),
    late: share(times.filter((time) => time > ONE_FRAME).length),
    veryLate: share(times.filter((time) => time > TWO_FRAMES).length),
    holes: share(holes),
  };
};

const smooth = (what: string, ours: Smoothness, bare: Smoothness): Figure[] => [
  {
    name: `fling ${what}`,
    value: ours.rate,
    unit: 'frames/s',
    reference: bare.rate,
    goal: atLeast('value', 59),
  },
  { name: `fling ${what}: over 16.7 ms`, value: ours.late, unit: '%', reference: bare.late },
  {
    name: `fling ${what}: over 33 ms`,
    value: ours.veryLate,
    unit: '%',
    reference: bare.veryLate,
    goal: atMost('value', 1),
  },
  { name: `fling ${what}: with a hole`, value: ours.holes, unit: '%', reference: bare.holes },
];

export const large = async (lab: Lab, bareUrl: string, isProfiled: boolean): Promise<Figure[]> => {
  await lab.app(async (page) => {
    await page.goto(lab.origin);
    await hasController(page);
    await page.waitForTimeout(2000);
  });
  const lists: number[] = [];
  for (let round = 0; round < OPENINGS; round += 1)
    await lab.app(async (page) => {
      lists.push(await openList(page, lab.origin));
      // What the start leaves to be done.
      await page.waitForTimeout(1500);
    });
  const { taps, list, log } = await lab.app(async (page) => {
    const tools = isProfiled ? await openTools(page) : undefined;
    await openList(page, lab.origin);
    await page.waitForTimeout(2000);
    const list = await fling(page, '.chat-list-scroll', '.chat-row', -1);
    await page.locator('.chat-list-scroll').evaluate((box) => (box.scrollTop = 0));
    await page.waitForTimeout(500);
    await tools?.startProfile('page');
    const taps = await tapRows(page);
    if (tools) console.error(selfTimes(await tools.endProfile('page'), 40).join('\n'));
    // The one of 20,000 messages.
    await page.locator('.chat-list-scroll').evaluate((box) => (box.scrollTop = 0));
    await page.locator('.chat-row').first().click();
    await page.locator('.message').first().waitFor();
    await page.waitForTimeout(1000);
    const log = await fling(page, '.message-list-scroll', '.message-list-row', 1);
    return { taps, list, log };
  });
  const bare = await lab.app(async (page) => {
    await page.goto(`${bareUrl}#rows`);
    return fling(page, '.chat-list-scroll', '.chat-row', -1);
  });
  return [
    { name: 'navigation to painted list', value: median(lists), unit: 'ms', goal: atMost('value', 500) },
    { name: 'tap to painted conversation, p50', value: median(taps), unit: 'ms', goal: atMost('value', 150) },
    { name: 'tap to painted conversation, p99', value: percentile(taps, 0.99), unit: 'ms' },
    ...smooth('the list', list, bare),
    ...smooth('a conversation', log, bare),
  ];
};
