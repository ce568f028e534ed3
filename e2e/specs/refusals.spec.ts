import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

test('registration is closed without an invite', async ({ relay, person }) => {
  const eve = await person('Eve');
  const page = await eve.open();
  await expect(page.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
  const field = page.getByLabel('Invite link');
  await field.fill('hello');
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByText('This is not an invite link')).toBeVisible();
  await field.fill(relay.invite);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(page.getByLabel('Your name')).toBeVisible();
});

test('a used, an expired and an unknown invite are each said at once', async ({ relay, person }) => {
  const ann = await person('Ann');
  const eve = await person('Eve');
  const link = relay.invite;
  const anns = await Sotto.join(ann, link, 'ann');
  const page = await eve.open(link);
  await expect(page.getByRole('heading', { name: 'This invite has been used' })).toBeVisible();
  await expectSound(page, 'a used invite');

  const expired = await anns.invite();
  await relay.query('UPDATE invite SET expires_at = now() WHERE NOT used');
  await eve.open(expired);
  await expect(page.getByRole('heading', { name: 'This invite has expired' })).toBeVisible();
  await expectSound(page, 'an expired invite');

  await eve.open(`${relay.url}/#/join/AAAAAAAAAAAAAAAAAAAAAA`);
  await expect(page.getByRole('heading', { name: 'This invite is not known here' })).toBeVisible();
  await expectSound(page, 'an unknown invite');
});

test('a taken handle is said beside its field, and what was typed is kept', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = new Sotto(await bob.open(await anns.invite()));
  const conflict = bob.expectFailures(/409/);
  await bobs.fillIn('Bob', 'ann');
  await expect(bob.page.getByText('@ann is taken')).toBeVisible();
  conflict();
  await expect(bob.page.getByLabel('Your name')).toHaveValue('Bob');
  await bob.page.getByLabel('Handle').fill('bob');
  await bob.page.getByRole('button', { name: 'Join' }).click();
  await expect(bobs.chat('ann')).toBeVisible();
});

test('a removed device is told at once and keeps what it has; what does not reach it can be sent again', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('still here');
  await bobs.expectStatus('still here', 'Delivered');
  bob.expectFailures(/401|WebSocket/);
  await relay.query('CREATE TABLE before AS TABLE device');
  await relay.removeDeviceOf('bob');
  await expect(bob.page.getByRole('heading', { name: 'This device was removed' })).toBeVisible();
  await expectSound(bob.page, 'a removed device');
  await bob.page.getByRole('button', { name: 'Read what is here' }).click();
  await expect(bobs.message('still here')).toBeVisible();
  await expect(bobs.composer).toBeHidden();

  await anns.open('Bob');
  await anns.send('are you there?');
  await anns.expectStatus('are you there?', 'Not sent');
  await expectSound(anns.page, 'a message that failed');
  await anns.send('Bob?');
  await anns.expectStatus('Bob?', 'Not sent');
  await anns.message('Bob?').getByRole('button', { name: 'Edit as a new message' }).click();
  await expect(anns.composer).toHaveValue('Bob?');

  await relay.query(`UPDATE device SET removed_at = NULL, sealing_id = before.sealing_id,
    sealing_created_at = before.sealing_created_at, sealing_public_key = before.sealing_public_key,
    sealing_signature = before.sealing_signature FROM before WHERE device.id = before.id`);
  await anns.message('are you there?').getByRole('button', { name: 'Try again' }).click();
  await anns.expectStatus('are you there?', 'Sent');
});
