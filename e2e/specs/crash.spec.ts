import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

const NO_RELAY = /ERR_CONNECTION|WebSocket|Failed to load resource/;

test('kill -9 of the browser in the middle of a burst: what was shown is there, nothing is sent twice', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  let bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  const all = Array.from({ length: 20 }, (_, index) => `burst ${index};`);
  for (const text of all) {
    await bobs.composer.fill(text);
    await bobs.composer.press('Enter');
  }
  const shown = await bobs.texts();
  await bob.crash();
  bobs = new Sotto(await bob.open());
  await bobs.open('ann');
  await bobs.send('after');
  await bobs.expectStatus('after', 'Delivered');
  const kept = await bobs.texts();
  // What was stored is a beginning of what was written, and no shorter than what was shown.
  expect(kept.at(-1)).toBe('after');
  expect(kept.slice(0, -1)).toEqual(all.slice(0, kept.length - 1));
  expect(kept.length - 1).toBeGreaterThanOrEqual(shown.length);
  await anns.open('Bob');
  await expect.poll(() => anns.texts()).toEqual(kept);
});

test('kill -9 of the browser with a message stored and not sent: it leaves once after the next start', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  let bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('first');
  await bobs.expectStatus('first', 'Delivered');
  for (const someone of [ann, bob]) someone.expectFailures(NO_RELAY);
  await relay.stop();
  await bobs.send('stored');
  await bobs.expectStatus('stored', 'Waiting');
  await bob.crash();
  await relay.start();
  await anns.retry();
  bobs = new Sotto(await bob.open());
  await bobs.open('Ann');
  await bobs.expectStatus('stored', 'Delivered');
  expect(await bobs.texts()).toEqual(['first', 'stored']);
  await anns.open('Bob');
  await expect.poll(() => anns.texts()).toEqual(['first', 'stored']);
});

/** The store of a page's worker takes nothing, as on a device without room; DevTools' own quota has no effect on it. */
const setFull = (page: Page, full: boolean): Promise<void> =>
  page.workers()[0]!.evaluate((on) => {
    const rows = IDBObjectStore.prototype as IDBObjectStore & { room?: IDBObjectStore['put'] };
    rows.room ??= rows.put;
    rows.put = on
      ? () => {
          throw new DOMException('no room', 'QuotaExceededError');
        }
      : rows.room;
  }, full);

test('a full device says so, acknowledges nothing that it could not store, and goes on when there is room', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('hello');
  await bobs.expectStatus('hello', 'Delivered');
  const second = new Sotto(await bob.tab(bob.page.url()));
  await expect(second.message('hello')).toBeVisible();
  await anns.open('Bob');

  await setFull(bob.page, true);
  await anns.send('is there room?');
  for (const { page } of [bobs, second]) await expect(page.getByText('This device is full')).toBeVisible();
  await expectSound(bobs.page, 'a full device');
  await anns.expectStatus('is there room?', 'Sent');
  await expect(bobs.message('is there room?')).toHaveCount(0);
  // What cannot be stored comes back into the field, whichever tab it was written in.
  for (const tab of [bobs, second]) {
    await tab.composer.fill('not stored');
    await tab.composer.press('Enter');
    await expect(tab.page.getByText('no room left on this device').first()).toBeVisible();
    await expect(tab.composer).toHaveValue('not stored');
  }

  await setFull(bob.page, false);
  await expect(second.message('is there room?')).toBeVisible();
  await anns.expectStatus('is there room?', 'Read');
  for (const { page } of [bobs, second]) await expect(page.getByText('This device is full')).toHaveCount(0);
  await bobs.composer.press('Enter');
  await bobs.expectStatus('not stored', 'Read');
  expect(await anns.texts()).toEqual(['hello', 'is there room?', 'not stored']);
});
