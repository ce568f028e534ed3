import type { Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

const NO_RELAY = /ERR_CONNECTION|WebSocket|Failed to load resource/;

/** A page of the relay that is not the app: no tab of Sotto is open. */
const leaveApp = async (person: Person): Promise<void> => {
  person.expectFailures(/404/);
  await person.open('/v1/nothing');
};

/** Wakes the service worker; resolves with how its visit ended. */
const wake = (page: Page): Promise<unknown> =>
  page.evaluate(async () => {
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    const answer = new Promise((resolve) => port1.addEventListener('message', ({ data }) => resolve(data)));
    port1.start();
    active!.postMessage({ type: 'SOTTO_SYNC' }, [port2]);
    return answer;
  });

/** What a browser does once there is a network again; it tells nobody how that ended. */
const dispatchSync = async (page: Page, { origin }: URL): Promise<void> => {
  const devtools = await page.context().newCDPSession(page);
  const registered = new Promise<string>((resolve) =>
    devtools.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
      for (const { scopeURL, registrationId } of registrations)
        if (scopeURL === `${origin}/`) resolve(registrationId);
    }),
  );
  await devtools.send('ServiceWorker.enable');
  const event = { origin, registrationId: await registered, tag: 'sotto-outbox', lastChance: false };
  await devtools.send('ServiceWorker.dispatchSyncEvent', event);
};

test('the service worker fetches what waits when no tab is open, and leaves it alone when one is', async ({
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
  expect(await wake(bobs.page)).toBe('busy');

  await leaveApp(bob);
  await anns.open('Bob');
  const texts = ['hello'];
  for (let index = 0; index < 5; index += 1) {
    texts.push(`asleep ${index};`);
    await anns.send(`asleep ${index};`);
  }
  await anns.expectStatus('asleep 4;', 'Sent');
  expect(await wake(bob.page)).toBe('done');
  await anns.expectStatus('asleep 4;', 'Delivered');

  // A tab that opens while the service worker is at it goes on at once.
  const waking = wake(bob.page);
  const second = new Sotto(await bob.tab());
  await second.open('Ann');
  await second.send('awake');
  await second.expectStatus('awake', 'Read');
  expect(['done', 'asked', 'busy']).toContain(await waking);
  expect(await second.texts()).toEqual([...texts, 'awake']);
  expect(await anns.texts()).toEqual([...texts, 'awake']);
});

test('what was written without network leaves by the service worker, once', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('first');
  await bobs.expectStatus('first', 'Delivered');
  await bob.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  for (const someone of [ann, bob]) someone.expectFailures(NO_RELAY);
  await relay.stop();
  await bobs.send('second');
  await bobs.expectStatus('second', 'Waiting');
  // No tab of Sotto is there when there is a relay again.
  await bob.page.goto('about:blank');
  await relay.start();
  await anns.retry();
  await dispatchSync(bob.page, new URL(relay.url));
  await anns.open('Bob');
  await expect.poll(() => anns.texts()).toEqual(['first', 'second']);
});
