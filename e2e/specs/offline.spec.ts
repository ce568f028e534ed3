import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { choose, expectSound } from '../pages/talk.ts';

/** What a browser says, and must say, when nothing answers. */
const NO_RELAY = /ERR_CONNECTION_REFUSED|ERR_INTERNET_DISCONNECTED|WebSocket|Failed to load resource/;

test('with the relay gone the app opens, shows everything, and takes messages that leave later, once, in order', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const first = await Sotto.join(bob, await anns.invite(), 'bob');
  await first.open('ann');
  await first.send('before');
  await first.expectStatus('before', 'Delivered');
  await anns.open('Bob');
  await anns.send('answer');
  await expect(first.message('answer')).toBeVisible();
  await bob.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));

  for (const someone of [ann, bob]) someone.expectFailures(NO_RELAY);
  await relay.stop();

  // The browser is started anew: nothing is left in memory.
  await bob.restart();
  let bobs = new Sotto(await bob.open());
  await expect(bobs.chat('Ann')).toContainText('answer');
  await bobs.open('Ann');
  expect(await bobs.texts()).toEqual(['before', 'answer']);
  await expect(bob.page.getByText('The relay does not answer')).toBeVisible();
  await expect(bob.page.getByText('Sotto is by invitation')).toBeHidden();

  await bobs.send('one');
  await bobs.send('two');
  await bobs.expectStatus('two', 'Waiting');
  await expect(bobs.chat('Ann').getByTitle('Waiting')).toBeAttached();
  await bobs.send('a slip');
  await choose(bobs, 'a slip', 'Do not send');
  await expect(bobs.message('a slip')).toHaveCount(0);
  await bob.page.reload();
  bobs = new Sotto(bob.page);
  await expect(bobs.message('two')).toBeVisible();
  await bobs.send('three');

  await relay.start();
  for (const one of [anns, bobs]) await one.retry();
  await bobs.expectStatus('three', 'Read');
  await expect(bobs.chat('Ann').getByTitle('Read')).toBeAttached();
  await expect(anns.message('three')).toBeVisible();
  expect(await anns.texts()).toEqual(['before', 'answer', 'one', 'two', 'three']);
  expect(await bobs.texts()).toEqual(['before', 'answer', 'one', 'two', 'three']);
  await expect(bob.page.getByText('The relay does not answer')).toBeHidden();
});

test('a store that the browser threw away is named, and is no empty account', async ({ relay, person }) => {
  const ann = await person('Ann');
  await Sotto.join(ann, relay.invite, 'ann');
  await ann.page.goto('about:blank');
  ann.expectFailures(/404/);
  const page = await ann.open('/v1/nothing');
  await page.evaluate(
    () =>
      new Promise((resolve) => {
        const request = indexedDB.deleteDatabase('sotto');
        request.addEventListener('success', resolve);
      }),
  );
  await ann.open();
  await expect(page.getByRole('heading', { name: 'Your chats are gone from this browser' })).toBeVisible();
  await expectSound(page, 'a store that is gone');
  await page.getByRole('button', { name: 'Begin again' }).click();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
});
