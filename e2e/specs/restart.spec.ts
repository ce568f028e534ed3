import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

const NO_RELAY = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|WebSocket|Failed to load resource/;

test('F1 kill -9 of the relay in the middle of a burst loses nothing and repeats nothing', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bob.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  for (const someone of [ann, bob]) someone.expectFailures(NO_RELAY);
  await bobs.open('ann');
  await bobs.send('first');
  await bobs.expectStatus('first', 'Delivered');

  // What was acknowledged while nobody was there to fetch it has to survive.
  await ann.close();
  await bobs.send('kept');
  await bobs.expectStatus('kept', 'Sent');
  await relay.kill();
  await relay.start();

  const expected = ['first', 'kept'];
  for (let index = 0; index < 30; index += 1) {
    const text = `burst ${index};`;
    expected.push(text);
    await bobs.composer.fill(text);
    await bobs.composer.press('Enter');
    if (index === 15) await relay.kill();
    if (index === 20) await relay.start();
  }
  await bobs.retry();
  await bobs.expectStatus('burst 29;', 'Sent');
  await expect.poll(() => bobs.texts()).toEqual(expected);

  await ann.restart();
  const again = new Sotto(await ann.open());
  await again.open('Bob');
  await expect.poll(() => again.texts()).toEqual(expected);
  await bobs.expectStatus('burst 29;', 'Read');
});

test('the relay starts again on the same folder with the same people, and prints no second invite', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const link = relay.invite;
  expect(await relay.stop()).toBe(0);
  await relay.start();
  expect(relay.invite).toBe(link);
  await Sotto.join(ann, link, 'ann');
  await ann.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  ann.expectFailures(NO_RELAY);
  await relay.stop();
  const before = relay.output.length;
  await relay.start();
  expect(relay.output.slice(before)).not.toContain('/#/join/');
});
