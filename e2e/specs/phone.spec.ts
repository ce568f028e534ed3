import { type MailServer, startMailServer } from '../../apps/relay/test/mail-server.ts';
import { type AuthEmulator, startAuthEmulator } from '../fixtures/auth-emulator.ts';
import { expect, test as base } from '../fixtures/test.ts';
import { expectSound } from '../pages/talk.ts';

/** What the emulator does not do and the page can do without. */
const UNKNOWN = /501.*recaptchaConfig/;

const NUMBER = '+15555550100';

const test = base.extend<{ mail: MailServer }, { emulator: AuthEmulator }>({
  emulator: [
    async ({}, use) => {
      const emulator = await startAuthEmulator();
      await use(emulator);
      await emulator.stop();
    },
    // It is installed when it is first used.
    { scope: 'worker', timeout: 600_000 },
  ],
  mail: async ({}, use) => {
    const mail = await startMailServer();
    await use(mail);
    await mail.stop();
  },
  relayEnv: async ({ emulator, mail }, use) =>
    use({
      // With the emulator a relay starts under test alone.
      NODE_ENV: 'test',
      REGISTRATION: 'invite,phone,email',
      SMTP_URL: mail.url,
      MAIL_FROM: 'Sotto <relay@example.org>',
      FIREBASE_PROJECT_ID: emulator.project,
      FIREBASE_API_KEY: 'key',
      FIREBASE_AUTH_DOMAIN: 'example.org',
      FIREBASE_AUTH_EMULATOR_HOST: emulator.host,
    }),
});
test.describe.configure({ mode: 'default' });

test('with an invite, a phone code and an e-mail code', async ({ relay, person, emulator, mail }) => {
  const ann = await person('Ann');
  ann.expectFailures(UNKNOWN);
  ann.expectFailures(/400|403/);
  await ann.page.clock.install();
  const page = await ann.open(relay.invite);
  const loaded: string[] = [];
  page.on('request', (request) => loaded.push(new URL(request.url()).pathname));
  await expect(page.getByRole('button', { name: 'To the phone number' })).toBeVisible();
  await expectSound(page, 'before the phone number');
  await page.getByRole('button', { name: 'To the phone number' }).click();
  await expect(page.getByRole('heading', { name: 'Your phone number' })).toBeVisible();
  await expectSound(page, 'a phone number');
  const field = page.getByLabel('Phone number');
  await field.fill('0170 123');
  await page.getByRole('button', { name: 'Send a code' }).click();
  await expect(page.getByText('Begin with + and the code of the country')).toBeVisible();
  await field.fill('+1 555 555-0100');
  await page.getByRole('button', { name: 'Send a code' }).click();
  await expect(page.getByText(NUMBER)).toBeVisible();
  await expectSound(page, 'a phone code');
  // Another one, after a while; and who asks too often is told so.
  const first = await emulator.codeFor(NUMBER);
  await expect(page.getByRole('button', { name: /New code in/ })).toBeDisabled();
  await page.clock.fastForward(31_000);
  await page.getByRole('button', { name: 'Send a new code' }).click();
  await expect.poll(() => emulator.codeFor(NUMBER)).not.toBe(first);
  await expect(page.getByRole('button', { name: /New code in/ })).toBeDisabled();
  await page.clock.fastForward(31_000);
  // The emulator never tires of sending.
  const SENDING = /accounts:sendVerificationCode/;
  await page.route(SENDING, (route) =>
    route.fulfill({
      status: 400,
      headers: { 'access-control-allow-origin': '*' },
      json: { error: { code: 400, message: 'TOO_MANY_ATTEMPTS_TRY_LATER' } },
    }),
  );
  await page.getByRole('button', { name: 'Send a new code' }).click();
  await expect(page.getByText('That was tried too often. Wait a while')).toBeVisible();
  await page.unroute(SENDING);
  const code = await emulator.codeFor(NUMBER);
  await page
    .getByLabel('Code', { exact: true })
    .fill(String((Number(code) + 1) % 1_000_000).padStart(6, '0'));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('That is not the code')).toBeVisible();
  await page.getByLabel('Code', { exact: true }).fill(code);
  await page.getByRole('button', { name: 'Continue' }).click();

  await expect(page.getByLabel('Your name')).toBeVisible();
  await page.getByLabel('Your name').fill('Ann');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('E-mail address').fill('ann@example.org');
  await page.getByRole('button', { name: 'Send a code' }).click();
  await expect(() => mail.codeFor('ann@example.org')).toPass();
  await page.getByLabel('Code', { exact: true }).fill(mail.codeFor('ann@example.org'));
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByRole('button', { name: 'Menu' })).toBeVisible();
  // Nobody needs the proof any more, here or there.
  await expect.poll(() => page.evaluate(() => sessionStorage.length)).toBe(0);
  const users = await fetch(
    `http://${emulator.host}/identitytoolkit.googleapis.com/v1/projects/${emulator.project}/accounts:query`,
    {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer owner' },
      body: '{}',
    },
  );
  expect(await users.json()).toMatchObject({ recordsCount: '0' });
  // What is Google's was asked for on the page of phone numbers alone.
  expect(loaded.some((path) => path.startsWith('/assets/phone-'))).toBe(true);
});

test('a phone sign-in serves one account: who goes on with it is led back to the number', async ({
  relay,
  person,
  emulator,
  mail,
}) => {
  const ann = await person('Ann');
  ann.expectFailures(UNKNOWN);
  ann.expectFailures(/403/);
  const page = await ann.open(relay.invite);
  await page.getByRole('button', { name: 'To the phone number' }).click();
  await page.getByLabel('Phone number').fill(NUMBER);
  await page.getByRole('button', { name: 'Send a code' }).click();
  await expect(page.getByText(NUMBER)).toBeVisible();
  await page.getByLabel('Code', { exact: true }).fill(await emulator.codeFor(NUMBER));
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByLabel('Your name')).toBeVisible();
  // Somebody else has used it meanwhile, as far as the relay knows.
  await page.evaluate(() => {
    const kept = JSON.parse(sessionStorage.getItem('sotto-phone')!);
    sessionStorage.setItem('sotto-phone', JSON.stringify({ ...kept, token: 'not.a.token' }));
  });
  await page.reload();
  await page.getByLabel('Your name').fill('Ann');
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('E-mail address').fill('ann@example.org');
  await page.getByRole('button', { name: 'Send a code' }).click();
  await expect(() => mail.codeFor('ann@example.org')).toPass();
  await page.getByLabel('Code', { exact: true }).fill(mail.codeFor('ann@example.org'));
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByText('Confirm it once more')).toBeVisible();
  await expect(page.getByRole('button', { name: 'To the phone number' })).toBeVisible();
});

test('who came by a link into a group is told to open it once more: the way to the number forgets it', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const id = 'AAAAAAAAAAAAAAAAAAAAAA';
  const page = await ann.open(`${relay.url}/#/group/${id}/${id}/${id}`);
  await expect(page.getByText('Open it once more when you have one.')).toBeVisible();
  await page.getByRole('textbox').fill(relay.invite);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByRole('button', { name: 'To the phone number' })).toBeVisible();
  await expect(page.getByText('Open it once more when you have one.')).toBeVisible();
});

test('Google is allowed on the page of phone numbers, and nowhere else', async ({ relay }) => {
  const policyOf = async (path: string) =>
    (await fetch(`${relay.url}${path}`)).headers.get('content-security-policy') ?? '';
  const page = await policyOf('/phone.html');
  expect(page).toContain(
    "script-src 'self' https://www.google.com/recaptcha/ https://www.gstatic.com/recaptcha/;",
  );
  expect(page).toContain("default-src 'none'");
  for (const path of ['/', '/index.html', '/sw.js', '/v1/relay'])
    expect(await policyOf(path)).not.toMatch(/google|gstatic|unsafe/);
});
