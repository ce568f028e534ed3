import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

const NO_RELAY = /ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|WebSocket|Failed to load resource/;

const expectSound = async (page: Page): Promise<void> => {
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
};

/** Lets a script of the app wait until the function that this returns is called. */
const hold = async (someone: Person, script: RegExp): Promise<() => void> => {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await someone.context.route(script, async (route) => {
    await held;
    await route.continue();
  });
  return release;
};

test('what takes long says so', async ({ person }) => {
  const ann = await person('Ann');
  const { page } = ann;
  const open = await hold(ann, /\/engine-worker-[^/]*\.js/);
  const show = await hold(ann, /\/welcome-[^/]*\.js/);
  await ann.open();
  await expect(page.getByRole('status').filter({ hasText: 'Opening your chats' })).toBeVisible();
  await expectSound(page);
  open();
  await expect(page.getByRole('status').filter({ hasText: 'Loading' })).toBeVisible();
  show();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
});

test('a browser that cannot keep keys is told apart before there is an account', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  // As private windows of some browsers do.
  await ann.context.route(/\/engine-worker-[^/]*\.js/, async (route) => {
    const response = await route.fetch();
    const body = `{
      const { put } = IDBObjectStore.prototype;
      const holds = (value) => value instanceof CryptoKey || Object.values(Object(value)).some((part) => part instanceof CryptoKey);
      IDBObjectStore.prototype.put = function (value, ...rest) {
        if (holds(value)) throw new DOMException('no keys', 'DataCloneError');
        return put.call(this, value, ...rest);
      };
    }
    ${await response.text()}`;
    await route.fulfill({ status: 200, contentType: 'text/javascript', body });
  });
  const page = await ann.open(relay.invite);
  await expect(page.getByRole('heading', { name: 'This browser cannot keep keys' })).toBeVisible();
  await expect(page.getByText('Open this page in an ordinary window')).toBeVisible();
  await expectSound(page);
});

test('no network, no relay and both again are told apart, and block nothing', async ({ relay, person }) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  ann.expectFailures(NO_RELAY);
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const told = page.getByRole('status', { name: 'Network' });
  await ann.context.setOffline(true);
  await expect(told).toContainText('Waiting for network');
  await expectSound(page);
  await relay.stop();
  await ann.context.setOffline(false);
  await expect(told).toContainText('The relay does not answer');
  await expectSound(page);
  // Everything goes on.
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Note to self' }).click();
  await anns.send('written meanwhile');
  await relay.start();
  await told.getByRole('button', { name: 'Try now' }).click();
  await expect(told).toBeEmpty();
});

test('a relay that knows the device no more says so, and nothing here is lost', async ({ relay, person }) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Note to self' }).click();
  await anns.send('kept');
  // The service worker may still be fetching what it keeps.
  ann.expectFailures(/WebSocket|40\d|ERR_CONNECTION_(?:REFUSED|RESET)/);
  await relay.query('DELETE FROM account');
  await relay.stop();
  await relay.start();
  await expect(page.getByRole('status', { name: 'Network' })).toContainText('does not know this device');
  await expect(anns.message('kept')).toBeVisible();
  await expectSound(page);
});

test('what cannot be opened any more can be deleted, to begin anew', async ({ relay, person }) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Note to self' }).click();
  await anns.send('not to be read any more');
  ann.expectFailures(/404/);
  await page.goto(`${relay.url}/robots.txt`);
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open('sotto');
        opening.addEventListener('success', () => {
          const clearing = opening.result.transaction('vault', 'readwrite');
          clearing.objectStore('vault').clear();
          clearing.addEventListener('complete', () => {
            opening.result.close();
            resolve(undefined);
          });
        });
      }),
  );
  await ann.open();
  await expect(page.getByRole('heading', { name: 'Your chats could not be opened' })).toBeVisible();
  await expectSound(page);
  await page.getByRole('button', { name: 'Delete what is here' }).click();
  await expect(page.getByRole('heading', { name: 'Everything here is deleted' })).toBeVisible();
  await page.getByRole('button', { name: 'To the start' }).click();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
});
