import { appendFile, cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

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
    await expect(page.locator('meta[name=next]')).toHaveCount(0);
    await prompt.getByRole('button', { name: 'Later' }).click();
    await expect(prompt).toBeEmpty();

    await page.reload();
    await expect(prompt).toContainText('A new version is ready');
    await expect(page.locator('meta[name=next]')).toHaveCount(0);
    await prompt.getByRole('button', { name: 'Reload' }).click();
    // The worker before it may still fetch and send for the page that was left, for up to 25 seconds.
    await expect(page.locator('meta[name=next]')).toHaveCount(1, { timeout: 40_000 });
    await expect(page.getByRole('button', { name: 'Menu' })).toBeVisible();
    await expect(prompt).toBeEmpty();
  });
});
