import type { Page } from '@playwright/test';
import { linkDevice } from '../fixtures/devices.ts';
import { expect, test } from '../fixtures/test.ts';
import { openSettings } from '../pages/settings.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

/** What a browser says, and must say, of a device that is no more and of a relay that does not answer. */
const GONE = /401|WebSocket|Failed to load resource|ERR_CONNECTION_REFUSED/;

/** Everything of an account that the browser holds for this page. */
const held = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((resolve) => request.addEventListener('success', () => resolve(request.result)));
    const names = (await indexedDB.databases()).map(({ name }) => name!);
    const rows: string[] = [];
    for (const name of names) {
      const database = await done(indexedDB.open(name));
      for (const table of database.objectStoreNames) {
        const count = await done(database.transaction(table).objectStore(table).count());
        // A start, also one of the service worker, makes a store with a key of its own and nothing else.
        if (count > 0 && table !== 'generation' && table !== 'vault') rows.push(table);
      }
      database.close();
    }
    return {
      rows,
      local: Object.keys(localStorage),
      session: Object.keys(sessionStorage),
      cookie: document.cookie,
      caches: (await caches.keys()).filter((name) => !name.startsWith('workbox-precache')),
    };
  });

const NOTHING = { rows: [], local: [], session: [], cookie: '', caches: [] };

test('who signs out leaves nothing behind, in no tab, and the account goes on elsewhere', async ({
  relay,
  person,
}) => {
  test.setTimeout(180_000);
  const ann = await person('Ann');
  const other = await person('Ann elsewhere');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('Hello');
  // It may ask before the other has let it in.
  other.expectFailures(/404.*\/v1\/session\/tokens/);
  await linkDevice(ann.page, await other.open());
  await anns.open('Bob');
  await anns.send('to be deleted');
  const { page } = ann;
  const tab = await ann.tab();
  await expect(tab.getByRole('button', { name: 'Menu' })).toBeVisible();
  await page.bringToFront();
  await openSettings(page);
  await expect(page.getByRole('region', { name: 'Devices' }).getByText('Another device')).toBeVisible();
  await page.getByRole('radio', { name: 'Dark' }).check();
  await page.getByRole('button', { name: 'Sign out' }).click();
  const dialog = page.getByRole('dialog', { name: 'Sign out on this device?' });
  await expect(dialog).toContainText('your keys, all messages and drafts');
  await expect(dialog).toContainText('your other device');
  await expectSound(page, 'signing out');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();

  ann.expectFailures(GONE);
  await page.getByRole('button', { name: 'Sign out' }).click();
  await dialog.getByRole('button', { name: 'Sign out and delete' }).click();
  await expect(page.getByRole('heading', { name: 'Everything here is deleted' })).toBeVisible();
  await expect(page.getByText('The relay did not answer')).toBeHidden();
  await expectSound(page, 'signed out');
  await expect(tab.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
  await tab.close();
  await page.getByRole('button', { name: 'To the start' }).click();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
  await page.goto(`${relay.url}/v1/nothing`);
  expect(await held(page)).toEqual(NOTHING);

  // The relay lets that device in no more, and the other one is all that is left.
  await other.page.reload();
  await openSettings(other.page);
  await expect(other.page.getByRole('region', { name: 'Devices' }).getByText('Another device')).toBeHidden();
  await expect(other.page.getByRole('region', { name: 'Account' })).toBeVisible();
});

test('without the relay everything goes all the same, and that it was not told is said', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  ann.expectFailures(GONE);
  await relay.stop();
  await openSettings(page);
  await page.getByRole('button', { name: 'Sign out' }).click();
  const dialog = page.getByRole('dialog', { name: 'Sign out on this device?' });
  await expect(dialog).toContainText('This is the only device of @ann');
  await dialog.getByRole('button', { name: 'Sign out and delete' }).click();
  await expect(page.getByRole('heading', { name: 'Everything here is deleted' })).toBeVisible();
  await expect(page.getByText('The relay did not answer')).toBeVisible();
  // The app still opens from its cache.
  await page.getByRole('button', { name: 'To the start' }).click();
  await expect(page.getByText('The relay does not answer. Check your network')).toBeVisible();
});

test('an account is deleted by who types its handle, and its handle is free', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const link = await anns.invite();
  const { page } = ann;
  await openSettings(page);
  await page.getByRole('button', { name: 'Delete account' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete @ann for good?' });
  await dialog.getByRole('textbox').fill('anna');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(dialog.getByText('That is not your handle')).toBeVisible();
  await expectSound(page, 'deleting an account');
  expect(await relay.query('SELECT handle FROM account')).toEqual([{ handle: 'ann' }]);

  ann.expectFailures(GONE);
  await dialog.getByRole('textbox').fill('@Ann');
  await dialog.getByRole('button', { name: 'Delete for good' }).click();
  await expect(page.getByRole('heading', { name: 'Everything here is deleted' })).toBeVisible();
  expect(await relay.query('SELECT handle FROM account')).toEqual([]);
  await page.goto(`${relay.url}/v1/nothing`);
  expect(await held(page)).toEqual(NOTHING);

  bob.expectFailures(/404|account-unknown/);
  const bobs = new Sotto(await bob.open(link));
  await bobs.fillIn('Bob', 'ann');
  await expect(bob.page.getByText('@ann').first()).toBeVisible();
  await expect.poll(() => relay.query('SELECT handle FROM account')).toEqual([{ handle: 'ann' }]);
});

test('another device is removed from here, and can delete what it has', async ({ relay, person }) => {
  const ann = await person('Ann');
  const other = await person('Ann elsewhere');
  await Sotto.join(ann, relay.invite, 'ann');
  // It may ask before the other has let it in.
  other.expectFailures(/404.*\/v1\/session\/tokens/);
  await linkDevice(ann.page, await other.open());
  await openSettings(ann.page);
  const devices = ann.page.getByRole('region', { name: 'Devices' });
  const row = devices.getByRole('listitem').filter({ hasText: 'Another device' });
  const code = /Code ⁨?([\w-]{6})/.exec((await row.textContent()) ?? '')?.[1];
  await openSettings(other.page);
  const own = other.page.getByRole('listitem').filter({ hasText: 'This device' });
  await expect(own).toContainText(code!);

  other.expectFailures(GONE);
  await row.getByRole('button', { name: 'Remove' }).click();
  const dialog = ann.page.getByRole('dialog');
  await expect(dialog).toContainText('It gets no new messages');
  await dialog.getByRole('button', { name: 'Remove' }).click();
  await expect(row).toBeHidden();
  await expect(other.page.getByRole('heading', { name: 'This device was removed' })).toBeVisible();
  await expectSound(other.page, 'removed from elsewhere');
  await other.page.getByRole('button', { name: 'Delete what is here' }).click();
  await expect(other.page.getByRole('heading', { name: 'Everything here is deleted' })).toBeVisible();
  await other.page.goto(`${relay.url}/v1/nothing`);
  expect(await held(other.page)).toEqual(NOTHING);
});
