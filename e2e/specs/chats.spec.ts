import { expect, test } from '../fixtures/test.ts';
import type { Person } from '../fixtures/people.ts';
import { choose, openSettings } from '../pages/settings.ts';
import { Sotto } from '../pages/sotto.ts';

/** Somebody who finds another by handle, whom they do not know. */
const writeTo = async (stranger: Sotto, handle: string, text: string): Promise<void> => {
  await stranger.page.getByRole('button', { name: 'New chat' }).click();
  await stranger.page.getByLabel('Handle or link').fill(handle);
  await stranger.page.getByRole('button', { name: 'Start chat' }).click();
  await expect(stranger.page.getByRole('heading', { name: handle })).toBeVisible();
  await stranger.send(text);
};

/** Ann, and Bob and Cid, whom she invited and who wrote to her. */
const three = async (person: (name: string) => Promise<Person>, invite: string) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const cid = await person('Cid');
  const anns = await Sotto.join(ann, invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  const cids = await Sotto.join(cid, await anns.invite(), 'cid');
  await bobs.open('ann');
  await bobs.send('From Bob');
  await expect(anns.chat('Bob')).toContainText('From Bob');
  await cids.open('ann');
  await cids.send('From Cid');
  await expect(anns.chat('Cid')).toContainText('From Cid');
  return { ann, anns, bobs, cids };
};

test('rows: pinned, muted, archived and read, by right click, keyboard and button', async ({
  relay,
  person,
}) => {
  test.setTimeout(180_000);
  const { ann, anns } = await three(person, relay.invite);
  const { page } = ann;
  const rows = page.getByRole('navigation', { name: 'Chats' }).getByRole('listitem');
  await expect(rows.first()).toContainText('Cid');
  await expect(page).toHaveTitle('(2) Sotto');

  await anns.chat('Bob').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Pin', exact: true }).click();
  await expect(rows.first()).toContainText('Bob');
  await expect(anns.chat('Bob')).toContainText('Pinned');

  // By keyboard, and back to where it was.
  await anns.chat('Cid').focus();
  await page.keyboard.press('Shift+F10');
  await expect(page.getByRole('menu', { name: 'Actions for Cid' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('menu')).toBeHidden();
  await expect(anns.chat('Cid')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(anns.chat('Bob')).toBeFocused();

  await page.keyboard.press('Shift+F10');
  await page.getByRole('menuitem', { name: 'Block' }).press('Enter');
  await page.getByRole('dialog', { name: 'Block Bob?' }).getByRole('button', { name: 'Cancel' }).click();
  await expect(anns.chat('Bob')).toBeFocused();

  await anns.chat('Cid').hover();
  await page.getByRole('button', { name: 'Actions for Cid' }).click();
  await page.getByRole('menuitem', { name: 'Mute always' }).click();
  await expect(anns.chat('Cid')).toContainText('Muted');
  await expect(page, 'what is muted does not count').toHaveTitle('(1) Sotto');

  await anns.chat('Bob').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Mark as read' }).click();
  await expect(anns.chat('Bob')).not.toContainText('unread');
  await expect(page).toHaveTitle('Sotto');

  await anns.chat('Cid').click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Archive' }).click();
  await expect(anns.chat('Cid')).toBeHidden();
  await page.getByRole('button', { name: /^Archived \(1\)/ }).click();
  await expect(anns.chat('Cid')).toBeVisible();

  // All of it is of this device's store: there after a start without network.
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  await ann.restart();
  await relay.stop();
  ann.expectFailures();
  const again = new Sotto(await ann.open());
  await expect(
    again.page.getByRole('navigation', { name: 'Chats' }).getByRole('listitem').first(),
  ).toContainText('Bob');
  await expect(again.chat('Cid')).toBeHidden();
  await again.page.getByRole('button', { name: /^Archived \(1\)/ }).click();
  await expect(again.chat('Cid')).toContainText('Muted');

  // And back.
  const undo = async (name: string, item: string): Promise<void> => {
    await again.chat(name).click({ button: 'right' });
    await again.page.getByRole('menuitem', { name: item, exact: true }).click();
    await expect(again.page.getByRole('menu')).toBeHidden();
  };
  await undo('Cid', 'Move out of the archive');
  await expect(again.page.getByRole('button', { name: /^Archived/ })).toBeHidden();
  await undo('Cid', 'Unmute');
  await expect(again.chat('Cid')).not.toContainText('Muted');
  await undo('Bob', 'Unpin');
  await expect(again.chat('Bob')).not.toContainText('Pinned');
  await undo('Bob', 'Mute for 8 hours');
  await expect(again.chat('Bob')).toContainText('Muted');

  // From one to the next by keys; what is open has no conversation in its path.
  await again.open('Cid');
  await again.page.keyboard.press('Alt+ArrowDown');
  await expect(again.page.getByRole('heading', { name: 'Bob', level: 1 })).toBeVisible();
  await again.page.keyboard.press('Alt+ArrowUp');
  await expect(again.page.getByRole('heading', { name: 'Cid', level: 1 })).toBeVisible();
  expect(new URL(again.page.url()).pathname).toBe('/');
});

test('search finds people by name and messages by what they say, and opens them', async ({
  relay,
  person,
}) => {
  test.setTimeout(180_000);
  const { ann, anns, bobs } = await three(person, relay.invite);
  const { page } = ann;
  await bobs.send('The tent is dry again');
  await bobs.send('Bread for breakfast');
  await expect(anns.chat('Bob')).toContainText('Bread');

  const field = page.getByRole('searchbox', { name: 'Search' });
  await field.fill('BO');
  await expect(page.getByRole('region', { name: 'People' }).getByRole('link')).toHaveCount(1);
  await field.fill('tént dry');
  const messages = page.getByRole('region', { name: 'Messages' }).getByRole('link');
  await expect(messages).toHaveCount(1);
  await expect(messages.locator('mark')).toHaveText(['tent', 'dry']);
  await messages.click();
  await expect(page).toHaveURL(/#\/c\/[\w-]+\/[\w-]+$/);
  await expect(anns.message('The tent is dry again')).toBeVisible();
  await field.fill('nowhere to be found');
  await expect(page.getByText('Nothing found for “nowhere to be found”.')).toBeVisible();
  await field.press('Escape');
  await expect(anns.chat('Cid')).toBeVisible();
});

test('the list says who is there, unless they keep it to themselves', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('Hello');
  await anns.open('Bob');
  await anns.send('Hello yourself');
  await bobs.expectStatus('Hello', 'Read');
  await expect(bobs.message('Hello yourself')).toBeVisible();
  // It is said at the start, and repeated later than a test waits.
  await ann.page.reload();
  await expect(bobs.chat('Ann')).toContainText('online');
  // Who is not connected yet takes nothing back.
  await anns.send('Back');
  await anns.expectStatus('Back', 'Read');
  await openSettings(ann.page);
  await choose(ann.page, 'Online', 'Nobody');
  await expect(bobs.chat('Ann')).not.toContainText('online');
});

test('requests stand apart; accepting, deleting and blocking', async ({ relay, person }) => {
  test.setTimeout(180_000);
  const { ann, anns, bobs, cids } = await three(person, relay.invite);
  const { page } = ann;
  const dan = await person('Dan');
  const eve = await person('Eve');
  const dans = await Sotto.join(dan, await bobs.invite(), 'dan');
  const eves = await Sotto.join(eve, await cids.invite(), 'eve');
  await writeTo(dans, 'ann', 'You do not know me');
  await writeTo(eves, 'ann', 'Buy something');

  const line = page.getByRole('link', { name: '2 message requests' });
  await line.click();
  await expect(anns.chat('Dan')).toBeHidden();
  const request = (text: string) => page.getByRole('main').getByRole('listitem').filter({ hasText: text });
  await expect(request('You do not know me')).toContainText('@dan');
  await request('You do not know me').getByRole('button', { name: 'Accept' }).click();
  await expect(anns.chat('dan')).toBeVisible();
  await dans.expectStatus('You do not know me', 'Delivered');

  await request('Buy something').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
  await expect(request('Buy something')).toBeVisible();
  await request('Buy something').getByRole('button', { name: 'Delete' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
  await expect(page.getByText('No requests are waiting.')).toBeVisible();

  // May ask again; then blocked.
  await eves.send('Buy it now');
  await request('Buy it now').getByRole('button', { name: 'Block' }).click();
  await page.getByRole('dialog', { name: /Block/ }).getByRole('button', { name: 'Block' }).click();
  await expect(page.getByText('No requests are waiting.')).toBeVisible();
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  const blocked = page.getByRole('region', { name: 'Blocked people' }).getByRole('listitem');
  await expect(blocked).toHaveCount(1);
  await blocked.getByRole('button', { name: /Unblock/ }).click();
  await expect(blocked).toHaveCount(0);
});
