import { test as base } from '@playwright/test';
import { Person } from '../fixtures/people.ts';
import { bundle, serve, type Lab } from './lab.ts';
import type * as page from './page.ts';

/** What `page.evaluate` finds in the page. */
declare global {
  var lab: typeof page;
}

interface Fixtures {
  /** Somebody whose browser has the lab open. */
  visitor: Person;
}

export const test = base.extend<Fixtures, { lab: Lab }>({
  lab: [
    async ({}, use, { workerIndex }) => {
      const lab = await serve(await bundle('e2e/crypto/page.ts', `crypto-${workerIndex}`));
      await use(lab);
      await lab.close();
    },
    { scope: 'worker' },
  ],
  visitor: async ({ playwright, lab }, use) => {
    const visitor = await Person.arrive('visitor', playwright.chromium, lab.url);
    const tab = await visitor.open('/');
    await tab.waitForFunction(() => document.title === 'ready');
    await use(visitor);
    await visitor.leave();
    test.expect(visitor.problems, 'nothing unexpected on any console').toEqual([]);
  },
});

export const { expect } = test;
