// The cryptography of groups in Chromium, Firefox and WebKitGTK: what a member's device computes, without store or network.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { bundle, serve } from '../../e2e/crypto/lab.ts';
import { driveFirefox } from '../../e2e/engines/bidi.ts';
import { Profile, startDisplay } from '../../e2e/engines/browsers.ts';
import { driveWebKit } from '../../e2e/engines/webdriver.ts';
import { launch } from '../chromium.ts';
import type { Figure } from '../relay/figures.ts';
import type * as cost from './cost.ts';

export const ENGINES = ['chromium', 'firefox', 'webkitgtk'] as const;
type Name = (typeof ENGINES)[number];
type Evaluate = (source: string) => Promise<unknown>;

const TIMES = 200;
const LARGE = 1000;

const withBrowser = async <T>(
  name: Name,
  url: string,
  work: (evaluate: Evaluate) => Promise<T>,
): Promise<T> => {
  if (name === 'chromium') {
    const folder = mkdtempSync(path.join(tmpdir(), 'sotto-bench-'));
    const context = await launch(folder);
    try {
      const page = await context.newPage();
      await page.goto(url);
      return await work((source) => page.evaluate(source));
    } finally {
      await context.close();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  }
  const profile = await Profile.make();
  const display = name === 'webkitgtk' ? await startDisplay() : undefined;
  try {
    const driven = display ? await driveWebKit(profile, display.name) : await driveFirefox(profile);
    try {
      await driven.goto(url);
      return await work((source) => driven.evaluate(source));
    } finally {
      await driven.close();
    }
  } finally {
    await display?.end();
    await profile.remove();
  }
};

const ready = async (evaluate: Evaluate): Promise<void> => {
  while ((await evaluate('document.title')) !== 'ready') await new Promise((done) => setTimeout(done, 100));
};

export const measureEngines = async (names: readonly Name[]): Promise<Figure[]> => {
  const lab = await serve(await bundle('bench/groups/cost.ts', 'bench-groups-cost'));
  const figures: Figure[] = [];
  try {
    for (const name of names) {
      await withBrowser(name, lab.url, async (evaluate) => {
        await ready(evaluate);
        const run = <K extends keyof typeof cost>(what: K, ...args: Parameters<(typeof cost)[K]>) =>
          evaluate(`globalThis.lab.${what}(${args.join(', ')})`) as ReturnType<(typeof cost)[K]>;
        const few = await run('texts', 10, TIMES);
        const many = await run('texts', LARGE, TIMES);
        const handOver = await run('handOvers', TIMES);
        const removal = await run('removal', LARGE, 20);
        const put = (what: string, value: number, reference?: number): void => {
          const beside = reference === undefined ? {} : { reference };
          figures.push({ name: `${name}: ${what}`, value, unit: 'ms', ...beside });
        };
        put('a text to 1,000, sealed', many.send, few.send);
        put('a text of 1,000, opened', many.receive, few.receive);
        put('a key for one member', handOver);
        put('a removal in 1,000, its entry', removal);
        put('two keys for 1,000', 2 * LARGE * handOver);
      });
    }
  } finally {
    await lab.close();
  }
  return figures;
};
