import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { openSettings } from '../pages/settings.ts';
import { Sotto } from '../pages/sotto.ts';

const sound = async (page: Page): Promise<void> => {
  expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([]);
};

/** Whether this Chromium would have the app installed is its own affair. */
const withoutOffer = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    addEventListener('beforeinstallprompt', (event) => {
      if (event.isTrusted) event.stopImmediatePropagation();
    });
  });

/** What a browser does that would have the app installed; how often it was asked to. */
const offerInstall = async (page: Page): Promise<() => Promise<number>> => {
  await withoutOffer(page);
  await page.addInitScript(() => {
    const asked = { times: 0 };
    Object.assign(globalThis, { asked });
    addEventListener('load', () => {
      const prompt = async () => {
        asked.times += 1;
        return { outcome: 'dismissed' };
      };
      const event = Object.assign(new Event('beforeinstallprompt', { cancelable: true }), { prompt });
      if (dispatchEvent(event)) throw new Error('the browser would show its own prompt at once');
    });
  });
  return () => page.evaluate(() => (globalThis as unknown as { asked: { times: number } }).asked.times);
};

test('installing is offered after the first conversation, once', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const asked = await offerInstall(ann.page);
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  const offer = page.getByRole('region', { name: 'Install' });
  const link = await anns.invite();
  await expect(offer).toBeHidden();
  const bobs = await Sotto.join(bob, link, 'bob');
  await bobs.open('ann');
  await bobs.send('Hello');
  await expect(offer).toBeVisible();
  await sound(page);
  await offer.getByRole('button', { name: 'Install' }).click();
  expect(await asked()).toBe(1);
  await expect(offer).toBeHidden();

  await page.reload();
  await offer.getByRole('button', { name: 'No, thanks' }).click();
  await expect(offer).toBeHidden();
  await page.reload();
  await expect(anns.chat('Bob')).toBeVisible();
  await openSettings(page);
  // Who looks for it finds it.
  await page.getByRole('region', { name: 'App' }).getByRole('button', { name: 'Install' }).click();
  expect(await asked()).toBe(1);
  await expect(offer).toBeHidden();
});

test('on an iPhone the steps are shown before there is an account', async ({ relay, person }) => {
  const ann = await person('Ann');
  await withoutOffer(ann.page);
  await ann.page.addInitScript(() => {
    const value = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1';
    Object.defineProperty(navigator, 'userAgent', { value });
  });
  const page = await ann.open(relay.invite);
  await page.getByText('As an app on an iPhone or iPad').click();
  await expect(page.getByText('Add to Home Screen')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Copy link' })).toBeVisible();
  await sound(page);
});

test('what another app shares becomes a draft, and never reaches the relay', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  await Sotto.join(bob, await anns.invite(), 'bob');
  const bobs = new Sotto(bob.page);
  await bobs.open('ann');
  await bob.page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await bobs.composer.fill('begun');
  await expect(bobs.chat('ann')).toContainText('begun');

  const manifest = await (await fetch(`${relay.url}/manifest.webmanifest`)).json();
  expect(manifest.share_target).toMatchObject({ method: 'POST', action: '/share' });
  const { page } = bob;
  await page.goto('about:blank');
  await page.setContent(`<form method="post" enctype="multipart/form-data" action="${relay.url}/share">
    <input name="title" value="A page"><textarea name="text">https://example.org/page?x=1</textarea>
    <input name="url" value="https://example.org/page?x=1"></form>`);
  const answered = page.waitForResponse((response) => new URL(response.url()).pathname === '/share');
  await page.evaluate(() => document.querySelector('form')!.submit());
  expect((await answered).fromServiceWorker()).toBe(true);
  await expect(page.getByRole('heading', { name: 'Send to' })).toBeVisible();
  await sound(page);
  const find = page.getByRole('searchbox', { name: 'Find somebody' });
  await find.fill('nobody');
  await expect(page.getByText('Nobody of that name')).toBeVisible();
  await find.fill('an');
  await page.getByRole('button', { name: 'ann' }).last().click();
  await expect(bobs.composer).toHaveValue('begun\nA page\nhttps://example.org/page?x=1');
});

test('shortcuts lead to a new chat and to oneself', async ({ relay, person }) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  const { shortcuts } = await (await fetch(`${relay.url}/manifest.webmanifest`)).json();
  const [newChat, self] = (shortcuts as { url: string }[]).map(({ url }) => url);
  expect(shortcuts[0]).toMatchObject({
    name: 'New chat',
    name_localized: { de: 'Neuer Chat', es: 'Chat nuevo', ar: { value: 'محادثة جديدة', dir: 'rtl' } },
  });
  await page.goto('about:blank');
  await ann.open(newChat);
  await expect(page.getByRole('dialog', { name: 'New chat' })).toBeVisible();
  await page.goto('about:blank');
  await ann.open(self);
  await expect(anns.composer).toBeVisible();
});

test('the icon counts what is unread, and what comes while nobody looks is shown by the system', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const { page } = ann;
  await ann.context.grantPermissions(['notifications']);
  await page.addInitScript(() => {
    const state = { badge: 0, attended: true };
    Object.assign(globalThis, { state });
    Object.assign(navigator, {
      setAppBadge: async (count: number) => void (state.badge = count),
      clearAppBadge: async () => void (state.badge = 0),
    });
    document.hasFocus = () => state.attended;
  });
  const badge = () =>
    page.evaluate(() => (globalThis as unknown as { state: { badge: number } }).state.badge);
  const attend = (attended: boolean) =>
    page.evaluate((attended) => {
      Object.assign((globalThis as unknown as { state: object }).state, { attended });
      dispatchEvent(new Event('blur'));
    }, attended);
  const shown = () =>
    page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      return (await registration.getNotifications()).map(({ title, body }) => `${title}: ${body}`);
    });
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await openSettings(page);
  await page.getByRole('switch', { name: 'Show new messages' }).click();
  await expect(page.getByRole('switch', { name: 'Show what they say' })).toBeChecked();
  await bobs.open('ann');
  await bobs.send('seen at once');
  await expect.poll(badge).toBe(1);
  expect(await shown()).toEqual([]);
  await attend(false);
  // A driven browser gives every page the focus: the service worker is told that none has it.
  await ann.context.serviceWorkers()[0]!.evaluate(() => {
    const { clients } = globalThis as unknown as { clients: object };
    Object.assign(clients, { matchAll: async () => [] });
  });
  await bobs.send('Hello');
  await expect.poll(badge).toBe(2);
  await expect.poll(shown).toEqual(['Bob: Hello']);
  await page.getByRole('switch', { name: 'Show what they say' }).click();
  await bobs.send('a secret');
  await expect.poll(shown).toEqual(['Bob: New message']);
  await attend(true);
  await anns.open('Bob');
  await expect.poll(badge).toBe(0);
  await expect.poll(shown).toEqual([]);
});
