import { test as base, type Page } from '@playwright/test';
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
    await enter(visitor);
    await use(visitor);
    await visitor.leave();
    test.expect(visitor.problems, 'nothing unexpected on any console').toEqual([]);
  },
});

/** Opens the lab in the tab in use. */
export const enter = async (visitor: Person): Promise<Page> => {
  const tab = await visitor.open('/');
  await tab.waitForFunction(() => document.title === 'ready');
  return tab;
};

export const { expect } = test;
