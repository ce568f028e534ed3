import { expect, test } from '@playwright/test';
import path from 'node:path';
import { build, type Rolldown } from 'vite';
import { catalogues } from '../../apps/web/scripts/catalogues.mjs';

const ENTRY = path.resolve(import.meta.dirname, '../../apps/web/test/many-chats.tsx');

/** The page of the list as one script and one sheet. */
const bundle = async (): Promise<{ script: string; sheet: string }> => {
  const [result] = (await build({
    configFile: false,
    logLevel: 'error',
    plugins: [catalogues()],
    define: { 'process.env.NODE_ENV': '"production"' },
    build: {
      write: false,
      lib: { entry: ENTRY, formats: ['iife'], name: 'many', fileName: 'many', cssFileName: 'many' },
    },
  })) as Rolldown.RolldownOutput[];
  const files = result!.output;
  const script = files.find((file) => file.type === 'chunk')!.code;
  const sheet = files.find((file) => file.type === 'asset' && file.fileName.endsWith('.css'));
  return { script, sheet: sheet?.type === 'asset' ? String(sheet.source) : '' };
};

test('a list of a thousand draws what is in sight, and arrows and scrolling reach all of it', async ({
  page,
}) => {
  const { script, sheet } = await bundle();
  await page.setContent('<div id="root"></div>');
  await page.addStyleTag({ content: sheet });
  await page.addScriptTag({ content: script });
  const rows = page.getByRole('listitem');
  await expect(rows.first()).toContainText('Person 0');
  expect(await rows.count()).toBeLessThan(60);
  await expect(rows.first()).toHaveAttribute('aria-setsize', '1000');

  // One row after the other, past what is drawn.
  await rows.first().getByRole('link').focus();
  for (let index = 1; index <= 40; index += 1) {
    await expect(page.locator(`[data-index="${index}"] a`)).toBeAttached();
    await page.keyboard.press('ArrowDown');
    await expect(page.locator(`[data-index="${index}"] a`)).toBeFocused();
  }
  await expect(page.getByRole('link', { name: /Person 40\b/ })).toBeInViewport();
  expect(await rows.count()).toBeLessThan(60);

  await page.locator('.chat-list-scroll').evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await expect(page.getByRole('link', { name: /Person 999\b/ })).toBeInViewport();
  const overlaps = await rows.evaluateAll((items) => {
    const tops = items.map((item) => item.getBoundingClientRect()).toSorted((a, b) => a.top - b.top);
    return tops.filter((box, at) => at > 0 && box.top < tops[at - 1]!.bottom - 1).length;
  });
  expect(overlaps).toBe(0);
});
