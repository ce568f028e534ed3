import path from 'node:path';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { inEveryLook } from '../pages/looks.ts';
import { Sotto } from '../pages/sotto.ts';

const ALL = path.resolve(import.meta.dirname, '../../test-results/screenshots');
const DOCS = path.resolve(import.meta.dirname, '../../docs/images');

const shoot = (page: Page, screen: string): Promise<void> =>
  inEveryLook(page, async (look) => {
    await page.screenshot({ path: path.join(ALL, `${screen}-${look}.png`) });
  });

test('every screen, in both sizes and themes', async ({ relay, person }) => {
  test.setTimeout(300_000);
  const ann = await person('Mara Lind');
  const bob = await person('Jonas Weber');
  const eve = await person('Ida Sol');
  const { page } = ann;
  await ann.open();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
  await shoot(page, 'welcome');
  await ann.open(relay.invite);
  await expect(page.getByLabel('Your name')).toBeVisible();
  await shoot(page, 'join');
  const anns = await Sotto.join(ann, relay.invite, 'mara');
  await shoot(page, 'empty');
  const links = [await anns.invite(), await anns.invite()];
  await page.getByRole('button', { name: 'Invite someone' }).click();
  await expect(page.getByLabel('Invite link')).toHaveValue(/join/);
  await shoot(page, 'invite');
  await page.getByRole('button', { name: 'Close' }).click();

  const eves = await Sotto.join(eve, links[1]!, 'ida');
  await eves.open('mara');
  await eves.send('The tent is dry again. I can bring it on Friday.');
  const bobs = await Sotto.join(bob, links[0]!, 'jonas');
  await bobs.open('mara');
  await bobs.send('Did you get home all right?');
  await page.setViewportSize({ width: 1280, height: 800 });
  await shoot(page, 'list');
  await page.setViewportSize({ width: 1280, height: 800 });
  await anns.open('Jonas Weber');
  await anns.send('Just now. The last train stood an hour in the fields, no light and no signal.');
  await anns.send('I wrote to you from there; it left by itself when we came into town.');
  await bobs.send('I saw. All three at once, in the right order :)');
  await anns.send('Breakfast at nine?');
  await bobs.send('At nine. I’ll bring bread.');
  await anns.expectStatus('Breakfast at nine?', 'Read');
  await shoot(page, 'conversation');
  for (const look of ['desktop-light', 'phone-dark']) {
    const size = look.startsWith('phone') ? { width: 390, height: 844 } : { width: 1280, height: 800 };
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: look.endsWith('dark') ? 'dark' : 'light' });
    await page.screenshot({ path: path.join(DOCS, `${look}.png`) });
  }
});
