import { loseKeys, OBSTACLES } from '../fixtures/obstacles.ts';
import type { Person } from '../fixtures/people.ts';
import { expect, test } from '../fixtures/test.ts';
import { expectStill } from '../pages/fit.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';
import { wordsOf } from '../screenshots/words.ts';

const NO_RELAY =
  /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_INTERNET_DISCONNECTED|WebSocket|Failed to load resource/;

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

test('what takes long says so, and nothing that does not', async ({ person }) => {
  const ann = await person('Ann');
  const { page } = ann;
  const open = await hold(ann, /\/engine-worker-[^/]*\.js/);
  const show = await hold(ann, /\/welcome-[^/]*\.js/);
  await page.emulateMedia({ reducedMotion: 'reduce' });
  // No time passes but by `runFor`.
  await page.clock.install({ time: 0 });
  await page.clock.pauseAt(1000);
  await ann.open();
  const said = page.locator('.spinner');
  await expect(said).toBeAttached();
  await page.clock.runFor(290);
  await expect(said).toBeEmpty();
  await page.clock.runFor(20);
  await expect(said).toHaveText('Opening your chats');
  await expectStill(page, 'opening');
  await page.clock.resume();
  await expectSound(page, 'opening');
  open();
  await expect(page.getByRole('status').filter({ hasText: 'Loading' })).toBeVisible();
  show();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
});

test('a menu that takes long to load says so', async ({ relay, person }) => {
  const ann = await person('Ann');
  const { page } = ann;
  // With one, every script of the app is there already.
  await page.addInitScript(() => {
    navigator.serviceWorker.register = () => Promise.reject(new Error('none'));
  });
  await Sotto.join(ann, relay.invite, 'ann');
  const show = await hold(ann, /\/menu-popup-[^/]*\.js/);
  await page.getByRole('button', { name: 'Menu' }).click();
  const told = page.getByRole('status').filter({ hasText: 'Loading' });
  await expect(told).toBeVisible();
  await expectSound(page, 'a screen that loads');
  show();
  await expect(page.getByRole('menu')).toBeVisible();
  await expect(told).toBeHidden();
});

test('a browser that cannot keep keys is told apart before there is an account', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  await loseKeys(ann.context);
  const page = await ann.open(relay.invite);
  await expect(page.getByRole('heading', { name: 'This browser cannot keep keys' })).toBeVisible();
  await expect(page.getByText('Open this page in an ordinary window')).toBeVisible();
  await expectSound(page, 'no keys');

  // What other browsers and addresses lack.
  const word = wordsOf('en');
  for (const { name, title, take } of OBSTACLES) {
    const tab = await ann.context.newPage();
    await tab.addInitScript(take);
    await tab.goto(relay.url);
    await expect(tab.getByRole('heading', { name: word(title) })).toBeVisible();
    await expectSound(tab, name);
    await tab.close();
  }
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
  await expectSound(page, 'no network');
  await relay.stop();
  await ann.context.setOffline(false);
  await expect(told).toContainText('The relay does not answer');
  await expectSound(page, 'no relay');
  // Everything goes on.
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Note to self' }).click();
  await anns.send('written meanwhile');
  await relay.start();
  // It may have tried by itself just now.
  await expect(async () => {
    const tryNow = told.getByRole('button', { name: 'Try now' });
    if (await tryNow.isVisible()) await tryNow.click({ timeout: 1000 });
    await expect(told).toBeEmpty({ timeout: 2000 });
  }).toPass();
});

test('a relay that knows the device no more says so, and what can be done: nothing here is lost', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Note to self' }).click();
  await anns.send('kept');
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  ann.expectFailures(/WebSocket|40\d|ERR_CONNECTION_(?:REFUSED|RESET)/);
  await relay.query('DELETE FROM account');
  await relay.stop();
  await relay.start();
  const told = page.getByRole('status', { name: 'Network' });
  // It may have tried in vain while the relay was away, and waits longer each time.
  await expect(async () => {
    const tryNow = told.getByRole('button', { name: 'Try now' });
    if (await tryNow.isVisible()) await tryNow.click({ timeout: 1000 });
    await expect(told).toContainText('does not know this device', { timeout: 2000 });
  }).toPass();
  await expect(anns.message('kept')).toBeVisible();
  await expectSound(page, 'an unknown device');

  await told.getByRole('button', { name: 'What now?' }).click();
  const dialog = page.getByRole('dialog', { name: 'The relay does not know this device' });
  await expect(dialog).toContainText('can still be read');
  await expectSound(page, 'what to do');
  await dialog.getByRole('button', { name: 'Try now' }).click();
  await expect(dialog).toBeHidden();
  await expect(told).toContainText('does not know this device');
  await told.getByRole('button', { name: 'What now?' }).click();
  await dialog.getByRole('button', { name: 'Delete what is here…' }).click();
  const sure = page.getByRole('dialog', { name: 'Delete everything here?' });
  await expectSound(page, 'deleting what is here');
  await sure.getByRole('button', { name: 'Delete what is here' }).click();
  await expect(page.getByRole('heading', { name: 'Everything here is deleted' })).toBeVisible();
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
  await expectSound(page, 'what cannot be opened');
  await page.getByRole('button', { name: 'Delete what is here' }).click();
  await expect(page.getByRole('heading', { name: 'Everything here is deleted' })).toBeVisible();
  await page.getByRole('button', { name: 'To the start' }).click();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
});
