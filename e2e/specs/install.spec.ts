import { appendFile, cp, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

/** What a build of another version does to an app: files of other names that name each other. */
const rebuild = async (folder: string): Promise<void> => {
  const assets = path.join(folder, 'assets');
  const names = await readdir(assets);
  const next = (name: string): string => name.replace(/(?=\.\w+$)/, 'x');
  for (const name of names) await rename(path.join(assets, name), path.join(assets, next(name)));
  const index = path.join(folder, 'index.html');
  await writeFile(index, (await readFile(index, 'utf8')).replace('</title>', '</title><meta name="next" />'));
  const worker = path.join(folder, 'sw.js');
  const manifest = /(\{[^{}]*"?url"?:\s*"index\.html"[^{}]*\})/;
  const script = (await readFile(worker, 'utf8')).replace(manifest, (entry) =>
    entry.replace(/("?revision"?:\s*")[^"]+"/, '$12"'),
  );
  await writeFile(worker, `${script}\n`);
  const texts = [index, worker, ...names.map((name) => path.join(assets, next(name)))];
  for (const file of texts.filter((name) => /\.(?:html|js|css)$/.test(name))) {
    let text = await readFile(file, 'utf8');
    for (const name of names) text = text.replaceAll(name, next(name));
    await writeFile(file, text);
  }
};

/** What a browser says of a tab behind another; a driven one says it of none. */
const turn = (page: Page, visibilityState: 'visible' | 'hidden'): Promise<void> =>
  page.evaluate((state) => {
    Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, visibilityState);

const isNext = (page: Page) => expect(page.locator('meta[name=next]'));

const DIST = path.resolve(import.meta.dirname, '../../apps/web/dist');

test('it installs: a manifest with icons that are there, in the sizes that it says', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const page = await ann.open();
  const href = await page.locator('link[rel=manifest]').getAttribute('href');
  const manifest = await (await fetch(new URL(href!, relay.url))).json();
  expect(manifest).toMatchObject({ name: 'Sotto', display: 'standalone', start_url: '/', id: '/' });
  const icons: { src: string; sizes: string; purpose: string }[] = manifest.icons;
  expect(icons.map(({ purpose }) => purpose)).toEqual(expect.arrayContaining(['any', 'maskable']));
  for (const { src, sizes } of icons) {
    const size = await page.evaluate(async (url) => {
      const image = await createImageBitmap(await (await fetch(url)).blob());
      return `${image.width}x${image.height}`;
    }, src);
    expect(size).toBe(sizes);
  }
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const session = await ann.context.newCDPSession(page);
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  expect(installabilityErrors.map(({ errorId }) => errorId)).toEqual([]);
});

test.describe('a new version', () => {
  let folder: string;
  test.use({
    // A copy of the app that the test may change under the relay's feet.
    relayEnv: async ({}, use) => {
      folder = await mkdtemp(path.join(tmpdir(), 'sotto-web-'));
      await cp(DIST, folder, { recursive: true, filter: (file) => !file.endsWith('.br') });
      await use({ SOTTO_WEB: folder });
      await rm(folder, { recursive: true, force: true });
    },
  });

  test('is offered, and used when the person says so', async ({ relay, person }) => {
    const ann = await person('Ann');
    const anns = await Sotto.join(ann, relay.invite, 'ann');
    const { page } = anns;
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    const index = path.join(folder, 'index.html');
    const html = await readFile(index, 'utf8');
    const next = html.replace('</title>', '</title><meta name="next" />');
    expect(next).not.toBe(html);
    await writeFile(index, next);
    // What Workbox does when a precached file changes: the worker has another manifest.
    const worker = path.join(folder, 'sw.js');
    const script = await readFile(worker, 'utf8');
    const changed = script.replace(/(\{[^{}]*"?url"?:\s*"index\.html"[^{}]*\})/, (entry) =>
      entry.replace(/("?revision"?:\s*")[^"]+"/, '$12"'),
    );
    expect(changed).not.toBe(script);
    await writeFile(worker, changed);
    await appendFile(worker, '\n');

    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    const prompt = page.getByRole('status', { name: 'Updates' });
    await expect(prompt).toContainText('A new version is ready');
    await expectSound(page, 'a new version');
    await expect(page.locator('meta[name=next]')).toHaveCount(0);
    await prompt.getByRole('button', { name: 'Later' }).click();
    await expect(prompt).toBeEmpty();

    await page.reload();
    await expect(prompt).toContainText('A new version is ready');
    await expect(page.locator('meta[name=next]')).toHaveCount(0);
    const reload = prompt.getByRole('button', { name: 'Reload' });
    // The worker before it does not let go: the page is loaded anew all the same.
    await page.evaluate(() => {
      ServiceWorker.prototype.postMessage = () => undefined;
    });
    await reload.click();
    await expect(reload).toBeDisabled();
    await expect(reload).toBeEnabled({ timeout: 30_000 });

    await reload.click();
    // The worker before it may still fetch and send for the page that was left, for up to 25 seconds.
    await expect(page.locator('meta[name=next]')).toHaveCount(1, { timeout: 40_000 });
    await expect(page.getByRole('button', { name: 'Menu' })).toBeVisible();
    await expect(prompt).toBeEmpty();
  });

  test('is taken over by the other tabs without losing what is being written there', async ({
    relay,
    person,
  }) => {
    const ann = await person('Ann');
    const anns = await Sotto.join(ann, relay.invite, 'ann');
    const { page } = anns;
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.getByRole('button', { name: 'Menu' }).click();
    await page.getByRole('menuitem', { name: 'Note to self' }).click();
    await anns.send('as it was');
    const behind = await ann.tab(page.url());
    const drafting = new Sotto(await ann.tab(page.url()));
    await drafting.composer.fill('begun');
    await expect(page.getByRole('navigation', { name: 'Chats' })).toContainText('begun');
    // It knows of the draft, and keeps that beside the change.
    const editing = new Sotto(await ann.tab(page.url()));
    await expect(editing.composer).toHaveValue('begun');
    await editing.message('as it was').press('e');
    await expect(editing.composer).toHaveValue('as it was');
    await editing.composer.fill('as it will be');
    await turn(behind, 'hidden');

    await rebuild(folder);
    // What is gone is asked for by the tab that has not got it.
    ann.expectFailures(/404|Refused to apply style/);
    const session = await ann.context.newCDPSession(page);
    await session.send('Network.clearBrowserCache');
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update());
    await page.getByRole('status', { name: 'Updates' }).getByRole('button', { name: 'Reload' }).click();
    await isNext(page).toHaveCount(1, { timeout: 40_000 });

    // Nobody looks there.
    await isNext(behind).toHaveCount(1);
    const told = (tab: Page) => tab.getByRole('status', { name: 'Updates' });
    for (const { page: tab } of [drafting, editing])
      await expect(told(tab)).toContainText('updated in another tab');
    // Where there is a draft, what is gone brings the new version with it.
    await drafting.page.getByRole('button', { name: 'Menu' }).click();
    await isNext(drafting.page).toHaveCount(1);
    await expect(drafting.composer).toHaveValue('begun');
    await expect(told(drafting.page)).toBeEmpty();
    // Where something is written that is no draft, the person says when.
    await editing.page.getByRole('button', { name: 'Menu' }).click();
    await expect(editing.page.getByRole('status').filter({ hasText: 'Loading' })).toBeVisible();
    await turn(editing.page, 'hidden');
    await turn(editing.page, 'visible');
    // Longer than a draft takes to be stored.
    await editing.page.waitForTimeout(3000);
    await expect(editing.composer).toHaveValue('as it will be');
    await editing.composer.press('Enter');
    await expect(editing.message('as it will be')).toBeVisible();
    await told(editing.page).getByRole('button', { name: 'Reload' }).click();
    await isNext(editing.page).toHaveCount(1);
    await expect(editing.message('as it will be')).toBeVisible();
  });
});
