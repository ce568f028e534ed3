import { test as base, expect } from '@playwright/test';
import { RelayProcess } from '../fixtures/relay.ts';
import { driveFirefox } from './bidi.ts';
import { Profile, startDisplay, type Engine } from './browsers.ts';
import { Tab } from './tab.ts';
import { Visitor } from './visitor.ts';
import { driveWebKit } from './webdriver.ts';

interface Fixtures {
  relay: RelayProcess;
  /** Lets somebody arrive with a browser of their own, which is driven. */
  person: () => Promise<Tab>;
}

interface WorkerFixtures {
  engine: Engine;
  /** One for all tests: each has databases of its own. */
  visitor: Visitor;
}

export const test = base.extend<Fixtures, WorkerFixtures>({
  // The projects of playwright.config.ts.
  engine: [async ({}, use, { project }) => use(project.name as Engine), { scope: 'worker' }],

  visitor: [
    async ({ engine }, use) => {
      const visitor = await Visitor.arrive(engine);
      await use(visitor);
      await visitor.leave();
    },
    { scope: 'worker', timeout: 60_000 },
  ],

  relay: async ({}, use) => {
    const relay = await RelayProcess.prepare();
    try {
      await relay.start();
      await use(relay);
    } finally {
      await relay.dispose();
    }
  },

  person: async ({ engine }, use) => {
    const ends: (() => Promise<void>)[] = [];
    const tabs: Tab[] = [];
    try {
      await use(async () => {
        const profile = await Profile.make();
        ends.push(() => profile.remove());
        // One display each: only one window of a display has the focus, and nothing is read without.
        const display = engine === 'webkitgtk' ? await startDisplay() : undefined;
        if (display) ends.push(() => display.end());
        const driven = display ? await driveWebKit(profile, display.name) : await driveFirefox(profile);
        ends.push(() => driven.close());
        const tab = new Tab(driven);
        tabs.push(tab);
        return tab;
      });
    } finally {
      for (const end of ends.toReversed()) await end();
    }
    expect(tabs.flatMap((tab) => tab.driven.problems)).toEqual([]);
  },
});

export { expect };
