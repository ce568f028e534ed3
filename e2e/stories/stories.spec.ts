import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test as base } from '@playwright/test';
import { readdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { preview } from 'vite';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BUILT = path.join(ROOT, 'test-results', 'storybook');
const UI = path.join(ROOT, 'apps/web/src/ui');
/** Drawn as part of another. */
const PARTS = new Set(['emoji-picker-popup.tsx', 'menu-popup.tsx']);
const LOOKS = [
  { theme: 'light', direction: 'ltr' },
  { theme: 'dark', direction: 'ltr' },
  { theme: 'light', direction: 'rtl' },
];

/** What the preview of Storybook has in its page. */
interface Preview {
  __STORYBOOK_ADDONS_CHANNEL__: {
    once(event: string, listener: (data: unknown) => void): void;
    emit(event: string, data: unknown): void;
  };
}

const test = base.extend<object, { site: string }>({
  site: [
    async ({}, use) => {
      const server = await preview({
        configFile: false,
        root: ROOT,
        logLevel: 'silent',
        build: { outDir: BUILT },
        preview: { host: '127.0.0.1', port: 0 },
      });
      await use(`http://127.0.0.1:${(server.httpServer.address() as AddressInfo).port}`);
      await server.close();
    },
    { scope: 'worker' },
  ],
});

const storyIds = (): string[] => {
  const { entries } = JSON.parse(readFileSync(path.join(BUILT, 'index.json'), 'utf8')) as {
    entries: Record<string, { id: string; type: string }>;
  };
  return Object.values(entries).flatMap(({ id, type }) => (type === 'story' ? id : []));
};

/** Draws another story in the page that is there. */
const show = (page: Page, storyId: string): Promise<string> =>
  page.evaluate(
    (id) =>
      new Promise<string>((resolve) => {
        const channel = (globalThis as unknown as Preview).__STORYBOOK_ADDONS_CHANNEL__;
        for (const event of ['storyThrewException', 'storyErrored', 'storyMissing'])
          channel.once(event, () => resolve(event));
        // That of the one before may still come.
        const rendered = (drawn: unknown): void => {
          if (drawn === id) resolve('storyRendered');
          else channel.once('storyRendered', rendered);
        };
        channel.once('storyRendered', rendered);
        channel.emit('setCurrentStory', { storyId: id, viewMode: 'story' });
      }),
    storyId,
  );

for (const { theme, direction } of LOOKS)
  test(`axe finds nothing on any story, ${theme}, ${direction}`, async ({ page, site }) => {
    test.setTimeout(300_000);
    const problems: string[] = [];
    page.on(
      'console',
      (message) => message.type() === 'error' && problems.push(`${message.text()} ${message.location().url}`),
    );
    page.on('pageerror', (error) => problems.push(String(error)));
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (origin !== site && protocol.startsWith('http')) problems.push(`asked for ${request.url()}`);
    });
    // What a browser asks for by itself.
    await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
    await page.emulateMedia({ reducedMotion: 'reduce' });
    const ids = storyIds();
    const globals = `theme:${theme};direction:${direction}`;
    await page.goto(`${site}/iframe.html?id=${ids[0]}&viewMode=story&globals=${globals}`);
    await page.locator('.story, .story-screen').waitFor();
    for (const id of [...ids.slice(1), ids[0]!]) {
      expect(await show(page, id), id).toBe('storyRendered');
      await expect(page.locator(':is(.story, .story-screen) > *').first()).toBeAttached();
      // What shows itself late, or has to be loaded.
      if (id.startsWith('spinner-')) await expect(page.locator('.spinner-ring')).toBeVisible();
      if (id.startsWith('emoji-')) await expect(page.getByRole('gridcell').first()).toBeVisible();
      if (id.startsWith('menu-')) await expect(page.getByRole('menu')).toBeVisible();
      const { violations } = await new AxeBuilder({ page }).disableRules('page-has-heading-one').analyze();
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
      expect.soft(found, id).toEqual([]);
    }
    expect(problems).toEqual([]);
  });

test('every component has stories', () => {
  const files = new Set(readdirSync(UI));
  const without = [...files].filter(
    (name) =>
      /^[\w-]+\.tsx$/.test(name) && !PARTS.has(name) && !files.has(name.replace('.tsx', '.stories.tsx')),
  );
  expect(without).toEqual([]);
});
