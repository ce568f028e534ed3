// A relay as it ships, but for its limits, and a Chromium with a profile on disk and nothing but what page.ts offers.
import type { CDPSession, Page } from '@playwright/test';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from '../../apps/relay/src/config.ts';
import { createRelay } from '../../apps/relay/src/relay.ts';
import { UNLIMITED } from '../../apps/relay/src/services/limits.ts';
import { bundle } from '../../e2e/crypto/lab.ts';
import { launch } from '../chromium.ts';
import type * as inPage from './page.ts';

const HTML =
  '<!doctype html><meta charset="utf-8"><title>lab</title><script type="module" src="/bench.js"></script>';
const SCRIPT = "globalThis.lab = await import('/bundle.js');\ndocument.title = 'ready';\n";

export type InPage = typeof inPage;
export type Offers = typeof globalThis & { lab: InPage };

export interface Lab {
  origin: string;
  page: Page;
  session: CDPSession;
  invite(): Promise<string>;
  /** What the page's process has used of the processors so far, in ms: all of its threads. */
  cpu(): Promise<number>;
  /** The page anew, with what its profile holds. */
  reload(): Promise<void>;
  close(): Promise<void>;
}

export const openLab = async (): Promise<Lab> => {
  const folder = mkdtempSync(path.join(tmpdir(), 'sotto-bench-'));
  const closers: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 })];
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0).toReversed()) await closer();
  };
  try {
    const web = path.join(folder, 'web');
    mkdirSync(web);
    const script = await bundle('bench/groups/page.ts', 'bench-groups');
    copyFileSync(path.join(script, 'bundle.js'), path.join(web, 'bundle.js'));
    writeFileSync(path.join(web, 'bench.js'), SCRIPT);
    writeFileSync(path.join(web, 'index.html'), HTML);
    const relay = await createRelay({
      ...readConfig({
        SOTTO_DATA: path.join(folder, 'relay'),
        SOTTO_WEB: web,
        PORT: '0',
        LOG_LEVEL: 'silent',
      }),
      limits: UNLIMITED,
    });
    closers.push(() => relay.close());
    const origin = `http://localhost:${relay.port}`;
    const context = await launch(path.join(folder, 'profile'), { serviceWorkers: 'block' });
    closers.push(() => context.close());
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    await session.send('Performance.enable');
    const reload = async (): Promise<void> => {
      await page.goto(origin);
      await page.waitForFunction(() => document.title === 'ready');
    };
    await reload();
    return {
      origin,
      page,
      session,
      invite: () => relay.createInvite(),
      async cpu() {
        const { metrics } = await session.send('Performance.getMetrics');
        return 1000 * metrics.find(({ name }) => name === 'ProcessTime')!.value;
      },
      reload,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
