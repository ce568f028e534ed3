import { expect, test } from '../fixtures/test.ts';
import { choose, openSettings, who } from '../pages/settings.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound, meet } from '../pages/talk.ts';

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

  await openSettings(anns.page);
  const name = ann.page.getByLabel('Your name');
  await name.fill('');
  await ann.page.getByRole('button', { name: 'Save' }).click();
  await expect(ann.page.getByText('Say what you want to be called.')).toBeVisible();
  await name.fill('Anna Lind');
  await ann.page.getByRole('button', { name: 'Save' }).click();
  await expect(ann.page.getByText('Saved.')).toBeVisible();
  await expect(bobs.chat('Anna Lind')).toBeVisible();

  await expect(who(ann.page, 'Read receipts', 'Everyone')).toBeChecked();
  const receipts = who(ann.page, 'Read receipts', 'Nobody');
  await receipts.click();
  await expect(receipts).toBeChecked();
  await bobs.send('Seen?');
  await anns.open('Bob');
  await anns.send('I have read it');
  await expect(bobs.message('I have read it')).toBeVisible();
  await bobs.expectStatus('Seen?', 'Delivered');

  // Kept, and shown again.
  await ann.page.reload();
  await openSettings(anns.page);
  await expect(receipts).toBeChecked();
  await choose(ann.page, 'Read receipts', 'Contacts');
  await anns.open('Bob');
  await bobs.send('And now?');
  await bobs.expectStatus('And now?', 'Read');
  await openSettings(anns.page);
  await expect(ann.page.getByRole('region', { name: 'Devices' })).toContainText('This device');
  await expect(ann.page.getByRole('region', { name: 'Storage' })).toContainText('Sotto takes');
});

test('when somebody was here last is shown to contacts, unless they keep it to themselves', async ({
  relay,
  person,
}) => {
  const [anns, bobs] = await meet(relay, person);
  const { page } = bobs;
  const looks = (attended: boolean): Promise<void> =>
    page.evaluate((is) => {
      document.hasFocus = () => is;
      dispatchEvent(new Event(is ? 'focus' : 'blur'));
    }, attended);
  const head = anns.page.locator('.conversation-handle');
  const lastSeen = /Last seen (today|yesterday) at \d/;
  // It is said at the start, and repeated later than a test waits.
  await page.reload();
  await expect(head).toContainText('Online');
  await looks(false);
  await expect(head).toHaveText(lastSeen);
  await expect(head).not.toContainText('Online');
  await anns.page.reload();
  await expect(head).toHaveText(lastSeen);
  // That stands in her store. What is said live reaches only who is connected.
  await bobs.send('Still here');
  await expect(bobs.message('Still here').getByTitle(/Delivered|Read/)).toBeAttached();
  await anns.page.getByRole('link', { name: 'About Bob' }).click();
  await expect(anns.page.getByText(lastSeen)).toBeVisible();
  await expectSound(anns.page, 'the contact');
  await anns.open('Bob');

  await looks(true);
  await expect(head).toContainText('Online');
  await expect(head).not.toContainText('Last seen');
  await openSettings(bobs.page);
  await expectSound(page, 'the settings');
  await choose(page, 'Last seen', 'Nobody');
  await expect(who(page, 'Last seen', 'Everyone')).toHaveCount(0);
  await looks(false);
  await expect(head).not.toContainText('Online');
  await expect(head).not.toContainText('Last seen');
  // Who hides that they are here may still show when they were.
  await looks(true);
  await choose(page, 'Online', 'Nobody');
  await choose(page, 'Last seen', 'Contacts');
  await expect(head).not.toContainText('Online');
  await expect(head).not.toContainText('Last seen');
  await looks(false);
  await expect(head).toHaveText(lastSeen);
});

test('what the browser keeps is said; colors, text size and language are as chosen, in every tab and after a reload', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  // Whether this Chromium keeps what is stored is its own affair.
  await ann.page.addInitScript(() => {
    const says = { keeps: false };
    Object.assign(globalThis, { says });
    StorageManager.prototype.persist = async () => says.keeps;
  });
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  const ground = (): Promise<string> =>
    page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await page.emulateMedia({ colorScheme: 'light' });
  await openSettings(anns.page);
  const storage = page.getByRole('region', { name: 'Storage' });
  await expect(storage).toContainText('The browser may delete it');
  await expect(storage).not.toContainText('did not agree');
  await storage.getByRole('button', { name: 'Ask the browser to keep it' }).click();
  await expect(storage).toContainText('The browser did not agree');
  await page.evaluate(() => Object.assign((globalThis as unknown as { says: object }).says, { keeps: true }));
  await storage.getByRole('button', { name: 'Ask the browser to keep it' }).click();
  await expect(storage).toContainText('The browser has promised to keep it');
  await expect(storage.getByRole('button')).toHaveCount(0);

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
