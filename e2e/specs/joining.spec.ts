import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { type MailServer, startMailServer } from '../../apps/relay/test/mail-server.ts';
import { expect, test as base } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

const test = base.extend<{ mail: MailServer; demands: string }>({
  demands: ['invite,email', { option: true }],
  mail: async ({}, use) => {
    const mail = await startMailServer();
    await use(mail);
    await mail.stop();
  },
  relayEnv: async ({ mail, demands }, use) =>
    use({ REGISTRATION: demands, SMTP_URL: mail.url, MAIL_FROM: 'Sotto <relay@example.org>' }),
});

const REFUSED = /403|409|429|400/;

const fillDetails = async (page: Page, name: string, handle: string): Promise<void> => {
  await page.getByLabel('Your name').fill(name);
  await page.getByLabel('Handle').fill(handle);
  await page.getByRole('button', { name: 'Continue' }).click();
};

const askFor = async (page: Page, address: string): Promise<void> => {
  await page.getByLabel('E-mail address').fill(address);
  await page.getByRole('button', { name: 'Send a code' }).click();
};

const codeFrom = async (mail: MailServer, address: string): Promise<string> => {
  await expect(() => mail.codeFor(address)).toPass();
  return mail.codeFor(address);
};

const wrong = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

test('with an invite and an e-mail code: what is wrong is said where it was typed', async ({
  relay,
  person,
  mail,
}) => {
  const ann = await person('Ann');
  ann.expectFailures(REFUSED);
  const page = await ann.open(relay.invite);
  await fillDetails(page, 'Ann', 'ann');
  await askFor(page, 'ann at example');
  await expect(page.getByText('That is not an e-mail address')).toBeVisible();
  await askFor(page, 'ann@example.org');
  await expect(page.getByText('ann@example.org')).toBeVisible();
  expect((await new AxeBuilder({ page }).analyze()).violations).toEqual([]);
  const code = await codeFrom(mail, 'ann@example.org');
  const field = page.getByLabel('Code', { exact: true });
  const join = page.getByRole('button', { name: 'Join' });
  await field.fill('12 3');
  await join.click();
  await expect(page.getByText('A code has six digits')).toBeVisible();
  for (const left of ['4 more times', '3 more times', '2 more times', 'once more']) {
    await field.fill(wrong(code));
    await join.click();
    await expect(page.getByText(`You can try ${left}`)).toBeVisible();
    await field.fill('');
  }
  await field.fill(wrong(code));
  await join.click();
  await expect(page.getByText('one wrong code too many')).toBeVisible();
  expect(await relay.query('SELECT handle FROM account')).toEqual([]);

  // Another code, by another request: the one before is forgotten with its tries.
  await page.getByRole('button', { name: 'Another address' }).click();
  await askFor(page, 'ann2@example.org');
  const next = await codeFrom(mail, 'ann2@example.org');
  await field.fill(`${next.slice(0, 3)} ${next.slice(3)}`);
  await join.click();
  await expect(page.getByRole('button', { name: 'Menu' })).toBeVisible();
});

test('a code is sent again after a while, and who asks too often is told to wait', async ({
  relay,
  person,
  mail,
}) => {
  const ann = await person('Ann');
  ann.expectFailures(REFUSED);
  await ann.page.clock.install();
  const page = await ann.open(relay.invite);
  await fillDetails(page, 'Ann', 'ann');
  await askFor(page, 'ann@example.org');
  const first = await codeFrom(mail, 'ann@example.org');
  // The answer is there, and the wait has begun.
  const again = page.getByRole('button', { name: /New code in/ });
  await expect(again).toBeDisabled();
  const mails = () => mail.caught.length;
  for (const count of [2, 3]) {
    await page.clock.fastForward(31_000);
    await page.getByRole('button', { name: 'Send a new code' }).click();
    await expect.poll(mails).toBe(count);
    await expect(again).toBeDisabled();
  }
  await page.clock.fastForward(31_000);
  await page.getByRole('button', { name: 'Send a new code' }).click();
  await expect(page.getByText(/Too many codes were asked for. Try again in \d+ minutes/)).toBeVisible();
  expect(mails()).toBe(3);
  // The last one that came still counts, and only that.
  const field = page.getByLabel('Code', { exact: true });
  const last = mail.codeFor('ann@example.org');
  expect(last).not.toBe(first);
  await field.fill(last);
  await page.getByRole('button', { name: 'Join' }).click();
  await expect(page.getByRole('button', { name: 'Menu' })).toBeVisible();
});

test.describe('without an invite', () => {
  test.use({ demands: 'email' });

  test('the page asks for no link, and a handle that is taken costs no code', async ({
    relay,
    person,
    mail,
  }) => {
    const ann = await person('Ann');
    const bob = await person('Bob');
    for (const { someone, handle } of [
      { someone: ann, handle: 'ann' },
      { someone: bob, handle: 'ann' },
    ]) {
      const page = await someone.open();
      someone.expectFailures(REFUSED);
      await fillDetails(page, someone.name, handle);
      await askFor(page, `${someone.name}@example.org`);
      await page
        .getByLabel('Code', { exact: true })
        .fill(await codeFrom(mail, `${someone.name}@example.org`));
      await page.getByRole('button', { name: 'Join' }).click();
      // She has it before he asks.
      if (someone === ann) await expect(page.getByRole('button', { name: 'Menu' })).toBeVisible();
    }
    await expect(bob.page.getByText('@ann is taken')).toBeVisible();
    await expect(bob.page.getByLabel('Your name')).toHaveValue('Bob');
    await bob.page.getByLabel('Handle').fill('bob');
    await bob.page.getByRole('button', { name: 'Join' }).click();
    await expect(bob.page.getByRole('button', { name: 'Menu' })).toBeVisible();
    expect(mail.caught).toHaveLength(2);
    expect(await relay.query('SELECT handle FROM account ORDER BY handle')).toHaveLength(2);
  });
});

test.describe('where everybody may join', () => {
  test.use({ demands: 'open' });

  test('a contact link makes an account and a contact', async ({ person, relay }) => {
    const ann = await person('Ann');
    const bob = await person('Bob');
    const anns = await Sotto.join(ann, relay.url, 'ann');
    const invite = await anns.invite();
    const link = invite.replace(/\/join\/[^/]+\//, '/add/');
    const bobs = await Sotto.join(bob, link, 'bob');
    await expect(bobs.chat('ann')).toBeVisible();
    // The page of phone numbers is there only where one is demanded.
    expect((await fetch(`${relay.url}/phone.html`)).status).toBe(404);
  });
});
