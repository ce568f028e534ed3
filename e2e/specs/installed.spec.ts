import type { Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';
import { expect, test } from '../fixtures/test.ts';
import { openSettings } from '../pages/settings.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

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
  await expectSound(page, 'the offer to install');
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

/** It passes for one, as far as the app can tell. */
const asIphone = async (page: Page): Promise<void> => {
  await withoutOffer(page);
  await page.addInitScript(() => {
    const value = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1';
    Object.defineProperty(navigator, 'userAgent', { value });
    // Nor has its browser notifications, before the app is installed.
    Reflect.deleteProperty(globalThis, 'Notification');
  });
};

test('on an iPhone the steps are shown before there is an account', async ({ relay, person }) => {
  const ann = await person('Ann');
  await asIphone(ann.page);
  const page = await ann.open(relay.invite);
  await page.getByText('As an app on an iPhone or iPad').click();
  await expect(page.getByText('Add to Home Screen')).toBeVisible();
  await expect(page.getByRole('button', { name: 'Copy link' })).toBeVisible();
  await expectSound(page, 'the steps on an iPhone');
});

test('on an iPhone the settings say that an installed app begins empty', async ({ relay, person }) => {
  const ann = await person('Ann');
  await asIphone(ann.page);
  await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  await openSettings(page);
  const app = page.getByRole('region', { name: 'App', exact: true });
  await expect(app).toContainText('which begins empty');
  await expect(app.getByRole('listitem')).toHaveCount(3);
  await expect(page.getByRole('region', { name: 'Notifications' })).toContainText('begins empty');
  await expectSound(page, 'the settings on an iPhone');
});

/** Hands a text to the app, as a page of the system would. */
const share = async (page: Page, origin: string, text: string): Promise<void> => {
  await page.goto('about:blank');
  await page.setContent(
    `<form method="post" enctype="multipart/form-data" action="${origin}/share"><textarea name="text"></textarea></form>`,
  );
  await page.locator('textarea').fill(text);
  await page.evaluate(() => document.querySelector('form')!.submit());
};

test('what is too long for one message is shared whole, and what is too long for a draft is refused', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const { page } = ann;
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Note to self' }).click();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  const long = `${'word '.repeat(2000)}end`;
  await share(page, relay.url, long);
  await page.locator('.share-choice').click();
  await expect(anns.composer).toHaveValue(long);
  await expect(page.getByRole('button', { name: 'Send as 2 messages' })).toBeVisible();
  // With what is written already it is too much.
  await share(page, relay.url, long);
  await page.locator('.share-choice').click();
  await expect(page.getByRole('alert').filter({ hasText: '4,007 characters too long' })).toBeVisible();
  await share(page, relay.url, long + long);
  await expect(page.getByRole('alert').filter({ hasText: '4,006 characters too long' })).toBeVisible();
  await expect(page.locator('.share-choice')).toHaveCount(0);
  await expectSound(page, 'sharing what is too long');
});

test('what is shared before there is an account comes up once there is one', async ({ relay, person }) => {
  const ann = await person('Ann');
  const { page } = ann;
  await ann.open();
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await share(page, relay.url, 'for later');
  await expect(page.getByText('To send what you shared you need an account')).toBeVisible();
  await page.getByLabel('Invite link').fill(relay.invite);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('To send what you shared you need an account')).toBeVisible();
  await new Sotto(page).fillIn('Ann', 'ann');
  await expect(page.getByRole('heading', { name: 'Send to' })).toBeVisible();
  await expect(page.locator('.share-text')).toHaveText('for later');
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
  await expectSound(page, 'sharing');
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

/** A browser that may show notifications: what it shows, what its icon says, and whether somebody looks. */
const watched = async (ann: Person) => {
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
  /** A driven browser gives every page the focus: the service worker is told that none has it. */
  const leave = async () => {
    await attend(false);
    await ann.context.serviceWorkers()[0]!.evaluate(() => {
      const { clients } = globalThis as unknown as { clients: object };
      Object.assign(clients, { matchAll: async () => [] });
    });
  };
  return { badge, attend, leave, shown };
};

test('the icon counts what is unread, and what comes while nobody looks is shown by the system', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const { page } = ann;
  const { badge, attend, leave, shown } = await watched(ann);
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await openSettings(page);
  await page.getByRole('switch', { name: 'Show new messages' }).click();
  await expect(page.getByRole('switch', { name: 'Show what they say' })).toBeChecked();
  await bobs.open('ann');
  await bobs.send('seen at once');
  await expect.poll(badge).toBe(1);
  expect(await shown()).toEqual([]);
  await leave();
  await bobs.composer.fill('**Hello**');
  await bobs.composer.press('Enter');
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

test('of a muted group one is told who names one, unless it is set otherwise', async ({ relay, person }) => {
  test.setTimeout(180_000);
  const ann = await person('Ann');
  const { page } = ann;
  const { badge, leave, shown } = await watched(ann);
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(await person('Bob'), await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('I am Bob');
  await anns.open('Bob');
  await anns.send('Hello Bob');
  await expect(bobs.message('Hello Bob')).toBeVisible();
  await bobs.page.getByRole('button', { name: 'Menu' }).click();
  await bobs.page.getByRole('menuitem', { name: 'New group' }).click();
  await bobs.page.getByLabel('Name of the group').fill('Trip');
  await bobs.page.getByRole('checkbox', { name: /Ann/ }).check();
  await bobs.page.getByRole('button', { name: 'Make the group' }).click();
  await anns.open('Trip');
  await page.getByRole('link', { name: 'About Trip' }).click();
  await page.getByRole('combobox', { name: 'Mute' }).selectOption('always');
  await openSettings(page);
  await page.getByRole('switch', { name: 'Show new messages' }).click();
  const mentions = page.getByRole('switch', { name: 'Mentions in muted groups' });
  await expect(mentions).toBeChecked();
  await leave();
  await bobs.send('Anybody there?');
  await expect(anns.chat('Trip')).toContainText('Anybody there?');
  const name = async (before: string) => {
    await bobs.composer.pressSequentially(`${before} @ann`);
    await bobs.page.getByRole('listbox', { name: 'People in this group' }).getByRole('option').click();
    await bobs.composer.press('Enter');
    await expect(bobs.message(before)).toBeVisible();
  };
  await name('Bring a towel');
  // Of what came before nothing was told: it would stand in its place.
  await expect.poll(shown).toEqual([expect.stringMatching(/^Trip: \u2068?Bob\u2069?: Bring a towel @Ann/)]);
  await expect.poll(badge).toBe(1);
  await mentions.click();
  await expect.poll(badge).toBe(0);
  await name('And a hat');
  await expect(anns.chat('Trip')).toContainText('And a hat');
  expect(await shown()).toEqual([expect.stringContaining('Bring a towel')]);
});
