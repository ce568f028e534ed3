import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

const open = async ({ page }: Sotto): Promise<void> => {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
};

test('the name is told to others, receipts are not sent when they are off', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('Hello');
  await anns.open('Bob');
  await anns.send('Hello yourself');
  await bobs.expectStatus('Hello', 'Read');

  await open(anns);
  const name = ann.page.getByLabel('Your name');
  await name.fill('');
  await ann.page.getByRole('button', { name: 'Save' }).click();
  await expect(ann.page.getByText('Say what you want to be called.')).toBeVisible();
  await name.fill('Anna Lind');
  await ann.page.getByRole('button', { name: 'Save' }).click();
  await expect(ann.page.getByText('Saved.')).toBeVisible();
  await expect(bobs.chat('Anna Lind')).toBeVisible();

  const receipts = ann.page.getByRole('switch', { name: 'Read receipts' });
  await expect(receipts).toBeChecked();
  await receipts.click();
  await expect(receipts).not.toBeChecked();
  await bobs.send('Seen?');
  await anns.open('Bob');
  await anns.send('I have read it');
  await expect(bobs.message('I have read it')).toBeVisible();
  await bobs.expectStatus('Seen?', 'Delivered');

  // Kept, and shown again.
  await ann.page.reload();
  await open(anns);
  await expect(receipts).not.toBeChecked();
  await expect(ann.page.getByRole('region', { name: 'Devices' })).toContainText('This device');
  await expect(ann.page.getByRole('region', { name: 'Storage' })).toContainText('Sotto takes');
});

test('colors, text size and language are as chosen, in every tab and after a reload', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  const ground = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  await open(anns);
  expect(await ground()).toBe('rgb(255, 255, 255)');
  await page.getByRole('radio', { name: 'Dark' }).check();
  expect(await ground()).toBe('rgb(16, 20, 21)');
  const other = await ann.tab();
  await page.bringToFront();
  await page.getByRole('radio', { name: 'Larger' }).check();
  await expect(other.locator('html')).toHaveAttribute('data-text', 'larger');

  await page.getByRole('combobox', { name: 'Language' }).selectOption('ar');
  await expect(page.getByRole('heading', { name: 'الإعدادات' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('dir', 'rtl');
  await expect(other.locator('html')).toHaveAttribute('lang', 'ar');
  await page.reload();
  await expect(page.getByRole('heading', { name: 'الإعدادات' })).toBeVisible();
  expect(await ground()).toBe('rgb(16, 20, 21)');
  await page.getByRole('combobox', { name: 'اللغة' }).selectOption('');
  await expect(page.getByRole('heading', { name: 'Settings' })).toBeVisible();
  await expect(page.locator('html')).toHaveAttribute('dir', 'ltr');
});
