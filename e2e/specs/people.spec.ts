import type { Page } from '@playwright/test';
import { parseLink } from '../../packages/contract/src/link.ts';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { safetyQr } from '../../packages/crypto/src/safety-number.ts';
import { recover } from '../../packages/dev-env/src/recovering.ts';
import { createEngine } from '../../packages/engine/src/engine.ts';
import { openVault } from '../../packages/engine/src/vault.ts';
import { createMemoryDisk } from '../../packages/store-memory/src/memory-store.ts';
import { createTransport } from '../../packages/transport/src/transport.ts';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

/** As browsers do that can read codes by themselves: whatever its camera sees, it reads this. */
const readByItself = (page: Page, rawValue: string): Promise<unknown> =>
  page.evaluate((rawValue) => {
    const BarcodeDetector = class {
      static getSupportedFormats = async () => ['qr_code'];
      detect = async () => [{ rawValue }];
    };
    Object.assign(globalThis, { BarcodeDetector });
  }, rawValue);

/** Such a code with another number for its version, which stands before the two accounts. */
const codeOfVersion = (version: number): string => {
  const code = Buffer.from(safetyQr('A'.repeat(43), `${'A'.repeat(42)}E`));
  code[code.length - 65] = version;
  return code.toString('base64url');
};

/** A camera that looks at whatever is put before it: a file that the browser plays. */
const createCamera = async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-camera-'));
  const file = path.join(folder, 'picture.mjpeg');
  return {
    args: [
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-video-capture=${file}`,
    ],
    /** Somebody's screen. */
    async see(page: Page): Promise<void> {
      // At once: a browser that has not let go of the camera yet may be reading it.
      await writeFile(`${file}.next`, await page.screenshot({ type: 'jpeg', quality: 90 }));
      await rename(`${file}.next`, file);
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
};

const about = async (sotto: Sotto, name: string): Promise<void> => {
  await sotto.page.getByRole('link', { name: `About ${name}` }).click();
  await expect(sotto.page.getByRole('heading', { name, exact: true })).toBeVisible();
};

test('a code on one screen, a camera at the other: a contact, then verified', async ({ relay, person }) => {
  test.setTimeout(180_000);
  const camera = await createCamera();
  try {
    const ann = await person('Ann');
    const bob = await person('Bob', undefined, camera.args);
    const anns = await Sotto.join(ann, relay.invite, 'ann');
    // Bob is here by somebody else’s link, and knows nobody.
    const cid = await person('Cid');
    const cids = await Sotto.join(cid, await anns.invite(), 'cid');
    const bobs = await Sotto.join(bob, await cids.invite(), 'bob');

    await anns.page.getByRole('button', { name: 'Menu' }).click();
    await anns.page.getByRole('menuitem', { name: 'Your contact link' }).click();
    await expect(anns.page.getByRole('img', { name: 'Code of your contact link' })).toBeVisible();
    await expectSound(anns.page, 'own code');
    await camera.see(anns.page);
    await anns.page.getByRole('button', { name: 'Close' }).click();

    await bobs.page.getByRole('button', { name: 'New chat' }).click();
    await bobs.page.getByRole('button', { name: 'Scan a code' }).click();
    await expect(bobs.page.getByRole('heading', { name: 'ann' })).toBeVisible();
    await bobs.send('Seen from your screen');
    await bobs.expectStatus('Seen from your screen', 'Delivered');
    await about(bobs, 'ann');
    await expect(bobs.page.getByText('You can be sure')).toBeVisible();

    // Ann knows Bob by the relay's word alone: by the number that both see, and then by his code.
    await anns.open('Bob');
    await about(anns, 'Bob');
    await expect(anns.page.getByText('So far only the relay says')).toBeVisible();
    await expectSound(anns.page, 'contact');
    await anns.page.getByRole('button', { name: 'Compare safety number' }).click();
    const digits = anns.page.locator('.verify-digits');
    await expect(digits).toHaveText(/^(?:\d{5} ){12}$/);
    await expectSound(anns.page, 'safety number');
    await bobs.page.getByRole('button', { name: 'Compare safety number' }).click();
    await expect(bobs.page.locator('.verify-digits')).toHaveText((await digits.textContent())!);

    // A browser that reads codes is asked for them.
    await readByItself(bobs.page, codeOfVersion(9));
    await bobs.page.getByRole('button', { name: 'Scan their code' }).click();
    await expect(bobs.page.getByRole('alert').filter({ hasText: 'a newer version of Sotto' })).toBeVisible();
    await bobs.page.getByRole('button', { name: 'Back to the number' }).click();
    await bobs.page.evaluate(() => Reflect.deleteProperty(globalThis, 'BarcodeDetector'));

    // A code, but not of this: his camera goes on looking.
    await bobs.page.getByRole('button', { name: 'Scan their code' }).click();
    await expect(bobs.page.getByRole('alert').filter({ hasText: 'some other code' })).toBeVisible();
    await expectSound(bobs.page, 'scanner');
    await bobs.page.getByRole('button', { name: 'Back to the number' }).click();
    await camera.see(anns.page);
    await bobs.page.getByRole('button', { name: 'Scan their code' }).click();
    await expect(bobs.page.getByRole('dialog', { name: 'ann is verified' })).toBeVisible();
    await bobs.page.getByRole('button', { name: 'Done' }).click();

    await anns.page.getByRole('button', { name: 'The numbers are the same' }).click();
    await expect(anns.page.getByRole('dialog', { name: 'Bob is verified' })).toBeVisible();
    await anns.page.getByRole('button', { name: 'Done' }).click();
    await expect(anns.page.getByText('You can be sure')).toBeVisible();
    await anns.page.getByRole('link', { name: 'To the chat' }).click();
    await expect(anns.page.getByRole('main').getByText('Verified')).toBeVisible();
    await about(anns, 'Bob');
    await anns.page.getByRole('button', { name: 'Not verified after all' }).click();
    await expect(anns.page.getByText('So far only the relay says')).toBeVisible();
  } finally {
    await camera.remove();
  }
});

test('without a camera the words say what to do instead', async ({ relay, person }) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  await anns.page.getByRole('button', { name: 'New chat' }).click();
  await anns.page.getByRole('button', { name: 'Scan a code' }).click();
  await expect(anns.page.getByText(/There is no camera here|may not use the camera/)).toBeVisible();
  await anns.page.getByRole('button', { name: 'Type it instead' }).click();
  await expect(anns.page.getByLabel('Handle or link')).toBeVisible();
});

test('on the page of a contact: mute, disappearing messages, their link, block', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  await ann.page.clock.install();
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(await person('Bob'), await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('Hello');
  await anns.open('Bob');
  await about(anns, 'Bob');
  const { page } = anns;
  await page.getByRole('combobox', { name: 'Mute' }).selectOption('For 8 hours');
  await expect(anns.chat('Bob')).toContainText('Muted');
  await expect(page.getByRole('combobox', { name: 'Mute' })).toContainText('Until');
  // It ends by itself.
  await page.clock.fastForward('08:02:00');
  await expect(anns.chat('Bob')).not.toContainText('Muted');
  await expect(page.getByRole('combobox', { name: 'Mute' })).toHaveValue('off');
  await page.getByRole('combobox', { name: 'Mute' }).selectOption('Always');
  await expect(anns.chat('Bob')).toContainText('Muted');
  await page.getByRole('button', { name: 'Disappearing messages' }).click();
  await page.getByRole('radio', { name: '1 hour' }).check();
  await page.getByRole('button', { name: 'Set', exact: true }).click();
  await expect(page.getByRole('button', { name: '1 hour Disappearing messages' })).toBeVisible();
  await page.getByRole('button', { name: 'Show as a code' }).click();
  await expect(page.getByRole('img', { name: 'Code of Bob’s contact link' })).toBeVisible();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Block Bob' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  await expect(page.getByRole('button', { name: 'Unblock' })).toBeVisible();
  await expectSound(page, 'a contact who is blocked');
  await page.getByRole('link', { name: 'To the chat' }).click();
  await expect(page.getByRole('heading', { name: 'You have blocked Bob' })).toBeVisible();
});

test('somebody’s identity changes: nothing is sent until the person has read what happened', async ({
  relay,
  person,
}) => {
  const anns = await Sotto.join(await person('Ann'), relay.invite, 'ann');
  const link = parseLink(await anns.invite())!;
  // Bob uses a program of his own, whose keys can be reached.
  const disk = createMemoryDisk().open();
  const transport = createTransport({ origin: relay.url });
  const bob = await createEngine({ store: disk, transport });
  try {
    await bob.register({ link, handle: 'bob' as never, name: 'Bob' });
    const withAnn = await bob.addContact(link.contact!);
    await bob.send(withAnn, 'It is me');
    await anns.open('Bob');
    await about(anns, 'Bob');
    await anns.page.getByRole('button', { name: 'Compare safety number' }).click();
    await anns.page.getByRole('button', { name: 'The numbers are the same' }).click();
    await anns.page.getByRole('button', { name: 'Done' }).click();
    await anns.page.getByRole('link', { name: 'To the chat' }).click();
    const verified = anns.page.locator('.conversation-head').getByText('Verified');
    await expect(verified).toBeVisible();
    await anns.send('Good');
    await anns.expectStatus('Good', 'Delivered');

    await recover({ store: await openVault(disk), transport }, relay.url);
    await anns.send('Are you there?');
    const notice = anns.page.getByRole('region', { name: 'Bob’s identity has changed' });
    await expect(notice).toContainText('Their account was recovered');
    await expect(notice).toContainText('Ask Bob in another way');
    await expect(anns.composer).toBeHidden();
    await anns.expectStatus('Are you there?', 'Waiting');
    await expectSound(anns.page, 'identity changed');
    await about(anns, 'Bob');
    await expect(anns.page.getByRole('region', { name: 'Bob’s identity has changed' })).toBeVisible();
    await expect(anns.page.getByText('So far only the relay says')).toBeVisible();
    await expectSound(anns.page, 'identity changed, on the contact page');
    await anns.page.getByRole('link', { name: 'To the chat' }).click();
    await notice.getByRole('button', { name: 'It was them: go on' }).click();
    await anns.expectStatus('Are you there?', 'Delivered');
    await expect(anns.composer).toBeVisible();
    await expect(verified).toBeHidden();
  } finally {
    await bob.close();
  }
});
