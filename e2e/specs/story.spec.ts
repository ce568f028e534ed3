import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

test('two people in two browsers: invite, join, write, sent, delivered, read', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const link = await anns.invite();

  await bob.open(link);
  await expect(bob.page.getByText('@ann invited you')).toBeVisible();
  const bobs = await Sotto.join(bob, link, 'bob');
  await bobs.open('ann');
  await expect(bob.page.getByText('Verified')).toBeVisible();
  await bobs.send('Is this thing on?');
  await bobs.expectStatus('Is this thing on?', 'Delivered');

  await expect(anns.chat('Bob')).toContainText('Is this thing on?');
  await expect(anns.chat('Bob')).toContainText('1 unread message');
  await anns.open('Bob');
  await expect(anns.message('Is this thing on?').locator('time')).toHaveText(/\d/);
  await bobs.expectStatus('Is this thing on?', 'Read');
  await expect(anns.chat('Bob')).not.toContainText('unread');

  await anns.send('It is.');
  await expect(bobs.message('It is.')).toBeVisible();
  await anns.expectStatus('It is.', 'Read');
  await expect(bobs.chat('Ann')).toBeVisible();

  const [time] = await anns.log.locator('time').allTextContents();
  expect(await bobs.log.locator('time').first().textContent()).toBe(time);
  const said = ['Is this thing on?', 'It is.'];
  for (const one of [anns, bobs]) await expect.poll(() => one.texts()).toEqual(said);

  // All of it is there after the browser was closed.
  await ann.restart();
  const again = new Sotto(await ann.open());
  await again.open('Bob');
  await expect(again.message('It is.')).toBeVisible();
  await expect.poll(() => again.texts()).toEqual(said);
});

test('keys are made by the browser, stay in it, and cannot be taken out', async ({ relay, person }) => {
  const ann = await person('Ann');
  await Sotto.join(ann, relay.invite, 'ann');
  const keys = await ann.page.evaluate(async () => {
    const open = indexedDB.open('sotto');
    const db = await new Promise<IDBDatabase>((resolve) => {
      open.addEventListener('success', () => resolve(open.result));
    });
    const get = db.transaction('self').objectStore('self').get('self');
    await new Promise((resolve) => get.addEventListener('success', resolve));
    db.close();
    const { signing, identity, sealing } = get.result;
    const all: CryptoKey[] = [signing, identity, ...sealing].map(({ privateKey }) => privateKey);
    return Promise.all(
      all.map(async (key) => ({
        algorithm: key.algorithm,
        extractable: key.extractable,
        exported: await crypto.subtle.exportKey('pkcs8', key).then(
          () => true,
          () => false,
        ),
      })),
    );
  });
  const key = (name: string) => ({
    algorithm: { name, namedCurve: 'P-256' },
    extractable: false,
    exported: false,
  });
  expect(keys).toEqual([key('ECDSA'), key('ECDH'), key('ECDH')]);
});

test('finds somebody by handle, and says when there is nobody', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  await Sotto.join(bob, await anns.invite(), 'bob');

  await ann.page.getByRole('button', { name: 'New chat' }).click();
  const field = ann.page.getByLabel('Handle or link');
  const missing = ann.expectFailures(/handles\/nobody.*404|404.*handles\/nobody/);
  await field.fill('nobody');
  await ann.page.getByRole('button', { name: 'Start chat' }).click();
  await expect(ann.page.getByText('Nobody here is called @nobody')).toBeVisible();
  missing();
  await field.fill('@bob');
  await ann.page.getByRole('button', { name: 'Start chat' }).click();
  await expect(anns.composer).toBeVisible();
  await anns.send('Found you');
  await anns.expectStatus('Found you', 'Read');
});
