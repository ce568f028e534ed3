import type { Page } from '@playwright/test';
import { type MailServer, startMailServer } from '../../apps/relay/test/mail-server.ts';
import { type AuthEmulator, startAuthEmulator } from '../fixtures/auth-emulator.ts';
import { loseKeys, OBSTACLES } from '../fixtures/obstacles.ts';
import type { Person } from '../fixtures/people.ts';
import { expect, test as base } from '../fixtures/test.ts';
import { type Film, filmsOf, LOOKS, pose, shoot } from './camera.ts';
import { type Words, wordsOf } from './words.ts';

const FILMS: readonly Film[] = [
  {
    language: 'en',
    looks: () => LOOKS,
    kept: (screen, look) =>
      ['welcome', 'join', 'code', 'empty'].includes(screen) &&
      (look === 'desktop-light' || look === 'phone-dark'),
  },
  {
    language: 'ar',
    looks: () => ['desktop-dark', 'phone-light'],
    kept: (screen, look) => screen === 'join' && look === 'phone-light',
  },
  { language: 'de', looks: () => ['phone-light'] },
];
const NOW = new Date('2026-03-13T09:41:00+01:00');
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Safari/604.1';

const NUMBER = '+15555550100';

const test = base.extend<{ mail: MailServer; demands: string }, { emulator: AuthEmulator }>({
  emulator: [
    async ({}, use) => {
      const emulator = await startAuthEmulator();
      await use(emulator);
      await emulator.stop();
    },
    { scope: 'worker', timeout: 600_000 },
  ],
  demands: ['invite', { option: true }],
  mail: async ({}, use) => {
    const mail = await startMailServer();
    await use(mail);
    await mail.stop();
  },
  relayEnv: async ({ mail, demands, emulator }, use) =>
    use({
      // With the emulator a relay starts under test alone.
      NODE_ENV: 'test',
      FIREBASE_AUTH_EMULATOR_HOST: emulator.host,
      REGISTRATION: demands,
      SMTP_URL: mail.url,
      MAIL_FROM: 'Sotto <relay@example.org>',
      FIREBASE_PROJECT_ID: emulator.project,
      FIREBASE_API_KEY: 'key',
      FIREBASE_AUTH_DOMAIN: 'example.org',
    }),
});

const exact = (page: Page, name: string) => page.getByRole('button', { name, exact: true });
const titled = (page: Page, name: string) =>
  expect(page.getByRole('heading', { name, exact: true })).toBeVisible();

/** In the page. */
const inLanguage = (language: string): void => {
  localStorage.setItem('sotto-preferences', JSON.stringify({ language }));
  addEventListener('beforeinstallprompt', (event) => event.stopImmediatePropagation());
};

/** Somebody who has not been here yet and reads that language. */
const newcomer = async (arrive: (name: string) => Promise<Person>, language: string): Promise<Person> => {
  const someone = await arrive('Ann');
  // Some of what is shown is what a browser says of errors.
  someone.expectFailures();
  await someone.page.addInitScript(inLanguage, language);
  await someone.page.clock.setFixedTime(NOW);
  return someone;
};

/** A link to another part of the same page is followed by no new one. */
const visit = async (someone: Person, link: string): Promise<void> => {
  await someone.page.goto('about:blank');
  await someone.open(link);
};

const joinAs = async (page: Page, word: Words, action: string): Promise<void> => {
  await pose(page, 'desktop-light');
  await page.locator('input').first().fill('Mara Lind');
  await page
    .locator('input')
    .last()
    .fill(`mara_${Math.random().toString(36).slice(2, 8)}`);
  await exact(page, word(action)).click();
};

for (const film of filmsOf(FILMS)) {
  const word = wordsOf(film.language);

  test(`before there is an account, ${film.language}`, async ({ relay, person }) => {
    test.setTimeout(300_000);
    const ann = await newcomer(person, film.language);
    const { page } = ann;
    const take = (screen: string): Promise<void> => shoot(page, screen, film);
    await loseKeys(ann.context);
    await ann.open();
    await titled(page, word('app.noKeysTitle'));
    await take('no-keys');
    await ann.context.unrouteAll();
    for (const { name, title, take: takeAway } of OBSTACLES) {
      const tab = await ann.context.newPage();
      await tab.addInitScript(inLanguage, film.language);
      await tab.addInitScript(takeAway);
      await tab.goto(relay.url);
      await titled(tab, word(title));
      await shoot(tab, name, film);
      await tab.close();
    }
    await visit(ann, '/');
    await titled(page, word('welcome.title'));
    await take('welcome');
    await page.locator('input').fill('hello');
    await exact(page, word('welcome.continue')).click();
    await expect(page.getByText(word('welcome.linkWrong'))).toBeVisible();
    await take('welcome-wrong');
    await visit(ann, `${relay.url}/#/join/AAAAAAAAAAAAAAAAAAAAAA`);
    await titled(page, word('welcome.unknownTitle'));
    await take('invite-unknown');
    for (const [screen, title, values] of [
      ['invite-used', 'welcome.usedTitle', 'used = true'],
      ['invite-expired', 'welcome.expiredTitle', 'used = false, expires_at = now()'],
    ] as const) {
      await relay.query(`UPDATE invite SET ${values}`);
      await visit(ann, relay.invite);
      await titled(page, word(title));
      await take(screen);
    }
    await relay.query("UPDATE invite SET expires_at = now() + interval '1 day'");
    await visit(ann, relay.invite);
    await expect(page.locator('input')).toHaveCount(2);
    await take('join');
    await page.locator('input').last().fill('two words');
    await exact(page, word('welcome.join')).click();
    await take('join-wrong');
    await page.addInitScript((value) => {
      Object.defineProperty(navigator, 'userAgent', { value });
    }, IPHONE);
    await visit(ann, relay.invite);
    await page.getByText(word('welcome.installFirst')).click();
    await take('join-iphone');
    await joinAs(page, word, 'welcome.join');
    await expect(exact(page, word('chats.menu'))).toBeVisible();
    await take('empty');
    await pose(page, 'desktop-light');
    await exact(page, word('people.invite')).click();
    const field = page.getByRole('dialog').locator('input');
    await expect(field).toHaveValue(/join/);
    const link = await field.inputValue();
    await page.keyboard.press('Escape');
    await exact(page, word('chats.menu')).click();
    await page.getByRole('menuitem', { name: word('chats.noteToSelf'), exact: true }).click();
    await expect(page.locator('.message-list-empty')).toBeVisible();
    await take('note-to-self-empty');
    // Who was invited has the chat before anything was written there.
    const bob = await newcomer(person, film.language);
    await bob.open(link);
    await expect(bob.page.locator('input')).toHaveCount(2);
    await joinAs(bob.page, word, 'welcome.join');
    await expect(bob.page.locator('.chat-row')).toBeVisible();
    await bob.page.locator('.chat-row').click();
    await expect(bob.page.locator('.message-list-empty')).toBeVisible();
    await shoot(bob.page, 'conversation-empty', film);
    // A store that is thrown away.
    await visit(ann, '/v1/nothing');
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          indexedDB.deleteDatabase('sotto').addEventListener('success', resolve);
        }),
    );
    await ann.open();
    await titled(page, word('app.wipedTitle'));
    await take('wiped');
  });

  test.describe('where codes are asked for', () => {
    test.use({ demands: 'invite,email' });

    test(`a code by mail, ${film.language}`, async ({ relay, person }) => {
      test.setTimeout(200_000);
      const ann = await newcomer(person, film.language);
      const { page } = ann;
      const take = (screen: string): Promise<void> => shoot(page, screen, film);
      await ann.open(relay.invite);
      await expect(page.locator('input')).toHaveCount(2);
      await joinAs(page, word, 'welcome.continue');
      await take('email');
      await page.locator('input').fill('mara@example.org');
      await exact(page, word('welcome.sendCode')).click();
      await expect(page.getByText('mara@example.org')).toBeVisible();
      await take('code');
      await page.locator('input').fill('000000');
      await exact(page, word('welcome.join')).click();
      await expect(page.locator('.field-note[data-problem=true]')).toBeVisible();
      await take('code-wrong');
    });
  });

  test.describe('where numbers are asked for', () => {
    test.use({ demands: 'invite,phone' });

    test(`a telephone number, ${film.language}`, async ({ relay, person }) => {
      test.setTimeout(200_000);
      const ann = await newcomer(person, film.language);
      const { page } = ann;
      const take = (screen: string): Promise<void> => shoot(page, screen, film);
      await ann.open(relay.invite);
      await expect(exact(page, word('welcome.phoneGo'))).toBeVisible();
      await take('phone-step');
      await pose(page, 'desktop-light');
      await exact(page, word('welcome.phoneGo')).click();
      await titled(page, word('welcome.phoneTitle'));
      await take('phone');
      await page.locator('input').fill('0170 123');
      await exact(page, word('welcome.sendCode')).click();
      await expect(page.getByText(word('welcome.phoneWrong'))).toBeVisible();
      await take('phone-wrong');
      await page.locator('input').fill(NUMBER);
      await exact(page, word('welcome.sendCode')).click();
      await expect(page.getByText(NUMBER)).toBeVisible();
      await take('phone-code');
    });
  });
}
