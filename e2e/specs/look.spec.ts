import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { expectReflow, expectStill } from '../pages/fit.ts';
import { inEveryLook } from '../pages/looks.ts';
import { Sotto } from '../pages/sotto.ts';

/**
 * Nothing for axe to find, and nothing wider than the screen, in both sizes and themes; nothing that moves, and nothing cut off
 * where there is little room.
 */
const expectSound = async (page: Page, screen: string): Promise<void> => {
  await inEveryLook(page, async (look) => {
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    expect(found, `${screen}, ${look}`).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, `${screen}, ${look} is wider than the screen`).toBeLessThanOrEqual(0);
    await expectStill(page, `${screen}, ${look}`);
  });
  await expectReflow(page, screen);
};

test('axe finds nothing on any screen', async ({ relay, person }) => {
  test.setTimeout(300_000);
  const ann = await person('Ann');
  const bob = await person('Bob');
  const { page } = ann;
  await ann.open();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
  await expectSound(page, 'welcome');
  await ann.open(relay.invite);
  await expect(page.getByLabel('Your name')).toBeVisible();
  await expectSound(page, 'join');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  await expectSound(page, 'empty list');
  await page.getByRole('button', { name: 'Invite someone' }).click();
  await expect(page.getByLabel('Invite link')).toHaveValue(/join/);
  await expectSound(page, 'invite');
  const link = await page.getByLabel('Invite link').inputValue();
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'New chat' }).click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectSound(page, 'new chat');
  await page.getByRole('button', { name: 'Close' }).click();
  await page.getByRole('button', { name: 'Menu' }).click();
  await expect(page.getByRole('menu')).toBeVisible();
  await expectSound(page, 'menu');
  await page.getByRole('menuitem', { name: 'Your contact link' }).click();
  await expect(page.getByRole('dialog').locator('.qr-code')).toBeVisible();
  await expectSound(page, 'contact link');
  await page.getByRole('button', { name: 'Close' }).click();

  const bobs = await Sotto.join(bob, link, 'bob');
  await bobs.open('ann');
  await bobs.send('Hello');
  await expect(anns.chat('Bob')).toContainText('1 unread message');
  await expectSound(page, 'list');
  await page.setViewportSize({ width: 1280, height: 800 });
  await anns.chat('Bob').click({ button: 'right' });
  await expect(page.getByRole('menu')).toBeVisible();
  await expectSound(page, 'menu of a chat');
  await page.keyboard.press('Escape');
  await page.getByRole('searchbox').fill('hello');
  await expect(page.locator('mark')).toBeVisible();
  await expectSound(page, 'search');
  await page.getByRole('searchbox').fill('');
  await page.setViewportSize({ width: 1280, height: 800 });
  await anns.open('Bob');
  await anns.send('Hello yourself');
  await expectSound(page, 'conversation');
  await page.getByRole('link', { name: 'About Bob' }).click();
  await expect(page.getByRole('heading', { name: 'Is it really them?' })).toBeVisible();
  await expectSound(page, 'contact');

  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'New group' }).click();
  await page.getByLabel('Name of the group').fill('Trip');
  await page.getByRole('checkbox', { name: /Bob/ }).check();
  await expectSound(page, 'new group');
  await page.getByRole('button', { name: 'Make the group' }).click();
  await anns.send('Who comes along?');
  await bobs.open('Trip');
  await bobs.send('I do');
  await expect(anns.message('I do')).toBeVisible();
  await expectSound(page, 'group conversation');
  await page.getByRole('link', { name: 'About Trip' }).click();
  await expect(page.getByRole('heading', { name: '2 members' })).toBeVisible();
  await expectSound(page, 'group');

  await page.goto(`${relay.url}/#/requests`);
  await expect(page.getByRole('heading', { name: 'Message requests' })).toBeVisible();
  await expectSound(page, 'requests');
  await page.goto(`${relay.url}/#/settings`);
  await page.getByRole('combobox', { name: 'Language' }).selectOption('ar');
  await expect(page.getByRole('heading', { name: 'الإعدادات' })).toBeVisible();
  await expectSound(page, 'settings in Arabic');
  await page.goto(`${relay.url}/#/`);
  await expectSound(page, 'list in Arabic');
});
