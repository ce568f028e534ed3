import { defineConfig } from '@playwright/test';
import { findChromium } from './scripts/browser.mjs';

const browser = findChromium();

export default defineConfig({
  outputDir: 'test-results/browser',
  // Each test has a relay with its own database and one browser for each person.
  workers: 2,
  fullyParallel: true,
  retries: 0,
  forbidOnly: true,
  timeout: 90_000,
  globalTimeout: 45 * 60_000,
  expect: { timeout: 15_000 },
  reporter: 'list',
  use: {
    actionTimeout: 15_000,
    navigationTimeout: 20_000,
    locale: 'en-GB',
    trace: 'retain-on-failure',
    screenshot: 'only-on-failure',
    launchOptions: {
      args: browser?.args ?? [],
      ...(browser?.executablePath === undefined ? {} : { executablePath: browser.executablePath }),
    },
  },
  projects: [
    { name: 'specs', testDir: 'e2e/specs', use: { viewport: { width: 1280, height: 800 } } },
    // The same suites in every engine; the story in those that are not Chromium, where e2e/specs has it.
    ...(['chromium', 'firefox', 'webkitgtk'] as const).map((engine) => ({
      name: engine,
      testDir: 'e2e/engines',
      // A run clears the folders of its projects, and what another left is still to be read.
      outputDir: `test-results/${engine}`,
      fullyParallel: false,
      timeout: 180_000,
      testIgnore: engine === 'chromium' ? '**/story.spec.ts' : [],
    })),
    // Of the components, in the built Storybook.
    { name: 'stories', testDir: 'e2e/stories', outputDir: 'test-results/stories' },
    // `npm run screenshots`
    ...(process.env['SCREENSHOTS']
      ? [
          {
            name: 'screenshots',
            testDir: 'e2e/screenshots',
            snapshotPathTemplate: '{testDir}/baseline/{arg}{ext}',
          },
        ]
      : []),
  ],
});
