import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { LOOKS } from '../pages/looks.ts';
import { Sotto } from '../pages/sotto.ts';

/** Nothing for axe to find, and nothing wider than the screen; the window is as before afterwards. */
const expectSound = async (page: Page, screen: string): Promise<void> => {
  for (const { name, size, theme } of LOOKS.filter((look) =>
    ['desktop-light', 'phone-dark'].includes(look.name),
  )) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
    expect(found, `${screen}, ${name}`).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow, `${screen}, ${name} is wider than the screen`).toBeLessThanOrEqual(0);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
};

const answer = ({ page }: Sotto, action: string): Promise<void> =>
  page.getByRole('dialog').getByRole('button', { name: action, exact: true }).click();

const about = ({ page }: Sotto, title: string): Promise<void> =>
  page.getByRole('link', { name: `About ${title}` }).click();

const toChat = ({ page }: Sotto): Promise<void> => page.getByRole('link', { name: 'To the chat' }).click();

const linkOf = async ({ page }: Sotto): Promise<string> => {
  await page.getByRole('button', { name: 'Show link and code' }).click();
  const link = await page.getByLabel('Link into the group').inputValue();
  await page.getByRole('button', { name: 'Close' }).click();
  return link;
};

test('into a group by its link: asked, let in, refused, reset', async ({ relay, person }) => {
  test.setTimeout(420_000);
  const [ann, bob, cid, dan] = [
    await person('Ann'),
    await person('Bob'),
    await person('Cid'),
    await person('Dan'),
  ];
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('I am Bob');
  const invites = [await anns.invite(), await anns.invite()] as const;

  await anns.page.getByRole('button', { name: 'Menu' }).click();
  await anns.page.getByRole('menuitem', { name: 'New group' }).click();
  await anns.page.getByLabel('Name of the group').fill('Hikers');
  await anns.page.getByRole('checkbox', { name: /Bob/ }).check();
  await anns.page.getByRole('button', { name: 'Make the group' }).click();
  await expect(anns.page.getByRole('heading', { name: 'Hikers', exact: true })).toBeVisible();
  await anns.send('We meet at nine');
  await bobs.open('Hikers');
  await bobs.send('At the lake');
  await expect(anns.message('At the lake')).toBeVisible();

  // A link, with approval at first.
  await about(anns, 'Hikers');
  await anns.page.getByRole('button', { name: 'Make an invite link' }).click();
  await anns.page.getByRole('button', { name: 'Show link and code' }).click();
  await expect(anns.page.getByRole('img', { name: 'Code with the link into Hikers' })).toBeVisible();
  await expectSound(anns.page, 'link of a group');
  await anns.page.getByRole('button', { name: 'Close' }).click();
  const link = await linkOf(anns);
  // Who may not add others is not shown it.
  await about(bobs, 'Hikers');
  await expect(bobs.page.getByRole('heading', { name: '2 members' })).toBeVisible();
  await expect(bobs.page.getByRole('button', { name: 'Show link and code' })).toBeHidden();

  // Somebody without an account: the link is there still once they have one.
  await cid.open(link);
  await expect(cid.page.getByText('leads into a group')).toBeVisible();
  await expectSound(cid.page, 'group link without an account');
  await cid.page.getByRole('textbox').fill(invites[0]);
  await cid.page.getByRole('button', { name: 'Continue' }).click();
  const cids = new Sotto(cid.page);
  await cids.fillIn('Cid', 'cid');
  await expect(cid.page.getByRole('heading', { name: 'Join “Hikers”' })).toBeVisible();
  await expect(cid.page.getByText('2 members')).toBeVisible();
  await expectSound(cid.page, 'joining a group');
  await cid.page.getByRole('button', { name: 'Ask to join' }).click();
  await expect(cid.page.getByText('once an admin agrees')).toBeVisible();
  await expectSound(cid.page, 'asked to join');

  // Another, who waits in the list.
  const dans = await Sotto.join(dan, invites[1], 'dan');
  await dan.open(link);
  await dan.page.getByRole('button', { name: 'Ask to join' }).click();
  await dan.page.getByRole('link', { name: 'To your chats' }).click();
  await expect(dan.page.getByText('You asked to join “Hikers”.')).toBeVisible();
  await expectSound(dan.page, 'waiting in the list');

  // An admin decides, and sends along what was written.
  await toChat(anns);
  await expect(anns.page.getByText('2 people ask to join this group.')).toBeVisible();
  await expect(anns.log.getByText('You made an invite link')).toBeVisible();
  await expectSound(anns.page, 'asked in the conversation');
  await anns.page.getByRole('link', { name: 'Look at requests' }).click();
  await expect(anns.page.getByRole('heading', { name: '2 requests to join' })).toBeVisible();
  await anns.page.getByRole('heading', { name: '2 requests to join' }).scrollIntoViewIfNeeded();
  await expectSound(anns.page, 'requests to join');
  await anns.page.getByRole('button', { name: 'Refuse Dan' }).click();
  await expect(dan.page.getByText('did not let you in')).toBeVisible();
  await anns.page.getByRole('button', { name: 'Let Cid in' }).click();
  const asking = anns.page.getByRole('dialog');
  await asking.getByRole('combobox', { name: 'What was written before' }).selectOption('last');
  await expectSound(anns.page, 'letting somebody in');
  await answer(anns, 'Let in');
  await expect(anns.page.getByRole('heading', { name: '3 members' })).toBeVisible();
  // They are taken there, by themselves.
  await expect(cids.composer).toBeVisible();
  await expect(cids.message('We meet at nine')).toContainText('Shared by ann');
  await expect(cids.message('At the lake')).toContainText('Shared by ann');
  await cids.send('Made it');
  await bobs.open('Hikers');
  await expect(bobs.message('Made it')).toBeVisible();
  await expectSound(cid.page, 'history of a newcomer');

  // The old link is dead; the new one asks nobody.
  await anns.page.getByRole('button', { name: 'Reset link…' }).click();
  await answer(anns, 'Reset');
  await expect(anns.page.getByRole('dialog')).toBeHidden();
  await anns.page.getByRole('switch', { name: 'An admin has to agree' }).click();
  await expect(anns.page.getByText('Whoever has the link comes in')).toBeVisible();
  const fresh = await linkOf(anns);
  expect(fresh).not.toBe(link);
  const late = dan.expectFailures(/404/);
  await dan.page.getByRole('button', { name: 'All right' }).click();
  /** Opens a link anew until it leads there: the relay hears of a change a moment after the group. */
  const follow = (to: string, there: Locator): Promise<void> =>
    expect(async () => {
      await dan.open('/');
      await dan.open(to);
      await expect(there).toBeVisible({ timeout: 3_000 });
    }).toPass();
  await follow(link, dan.page.getByText('it was reset or turned off'));
  await follow(fresh, dan.page.getByRole('button', { name: 'Join', exact: true }));
  await follow(link, dan.page.getByText('it was reset or turned off'));
  late();
  await expectSound(dan.page, 'dead link');
  await dan.page.getByRole('link', { name: 'To your chats' }).click();
  await dan.page.getByRole('button', { name: 'New chat' }).click();
  await dan.page.getByLabel('Handle or link').fill(fresh);
  await dan.page.getByRole('button', { name: 'Start chat' }).click();
  await dan.page.getByRole('button', { name: 'Join', exact: true }).click();
  await expect(dans.composer).toBeVisible();
  await dans.send('Here too');
  await toChat(anns);
  await expect(anns.message('Here too')).toBeVisible();
  // Who is in it already is taken to it.
  await bob.open(fresh);
  await expect(bob.page).toHaveURL(/#\/c\//);
  await expect(bobs.composer).toBeVisible();
});

test('admins take back what others wrote, and members add others, where the group lets them', async ({
  relay,
  person,
}) => {
  test.setTimeout(240_000);
  const [ann, bob, cid] = [await person('Ann'), await person('Bob'), await person('Cid')];
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('I am Bob');
  const cids = await Sotto.join(cid, await bobs.invite(), 'cid');
  await cids.open('bob');
  await cids.send('I am Cid');
  await bobs.open('Cid');

  await anns.page.getByRole('button', { name: 'Menu' }).click();
  await anns.page.getByRole('menuitem', { name: 'New group' }).click();
  await anns.page.getByLabel('Name of the group').fill('Choir');
  await anns.page.getByRole('checkbox', { name: /Bob/ }).check();
  await anns.page.getByRole('button', { name: 'Make the group' }).click();
  await bobs.open('Choir');
  await bobs.send('Something rude');
  await expect(anns.message('Something rude')).toBeVisible();
  await about(anns, 'Choir');
  await anns.page.getByRole('switch', { name: 'Admins delete for everyone' }).click();
  await anns.page.getByRole('switch', { name: 'Members add others' }).click();
  await expect(anns.page.getByRole('switch', { name: 'Members add others' })).toBeEnabled();

  await about(bobs, 'Choir');
  await bobs.page.getByRole('button', { name: 'Add members' }).click();
  await bobs.page.getByRole('checkbox', { name: /Cid/ }).check();
  await answer(bobs, 'Add');
  await expect(bobs.page.getByRole('heading', { name: '3 members' })).toBeVisible();
  await cids.open('Choir');
  await cids.send('Hello');
  await toChat(anns);
  await expect(anns.message('Hello')).toBeVisible();

  await anns.message('Something rude').locator('.message-bubble').click({ button: 'right' });
  await anns.page.getByRole('menuitem', { name: 'Delete' }).click();
  await answer(anns, 'Delete for everyone');
  await toChat(bobs);
  await expect(bobs.message('Ann deleted this message as an admin.')).toBeVisible();
  await expect(bobs.message('Something rude')).toBeHidden();
});
