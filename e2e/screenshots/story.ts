import { expect, type Locator, type Page } from '@playwright/test';
import { formatLink, parseLink } from '../../packages/contract/src/link.ts';
import { Sotto } from '../pages/sotto.ts';
import { choose } from '../pages/talk.ts';
import { type Friend, type Studio, timeOf } from './studio.ts';

const TODAY = '2026-03-13';
const LAST = `${TODAY}T09:41`;
/** When the pictures are taken, in ms. */
export const NOW = timeOf(LAST);

export interface Story {
  mara: Sotto;
  /** Paths of the chats. */
  chats: Record<'jonas' | 'emil' | 'vera' | 'group' | 'nora', string>;
  /** Paths of links into groups that Mara is not in: one that is good, and one that was reset. */
  links: Record<'good' | 'dead', string>;
}

const chatOf = (page: Page): string => new URL(page.url()).hash.slice(1);

const account = ({ engine }: Friend): string => engine.getSnapshot().me!.account;

const LONG = `Here is the plan for the weekend, so that nobody has to ask again.

On Friday we meet at the station at ten past five, at the clock. The train leaves at 17:24 from platform 6. Whoever comes later takes the one at 18:24; it stops everywhere, so bring something to read.

On Saturday we walk around the lake. That is fourteen kilometres, mostly flat, with one steep stretch after the mill. There is water on the way, and a bakery that opens at seven.

On Sunday whoever wants to goes up to the chapel. The others can sleep. We leave at four, and are back in town by six.

Bring: a towel, a warm jumper, good shoes, a torch, and something for breakfast. I have the big pot, Jonas has the tent, Emil has the stove and Ida knows where the key is.

If something comes up, write here and not to me alone, or we shall wait at the station for somebody who is ill in bed.`;

/** The row of a chat by its own name. */
export const rowOf = (page: Page, name: string): Locator =>
  page.locator('.chat-row').filter({ has: page.locator('.chat-row-name', { hasText: name }) });

/** The week of somebody who has some friends. */
export const tell = async (studio: Studio, prepare: (page: Page) => Promise<unknown>): Promise<Story> => {
  const page = await studio.visitor();
  await prepare(page);
  await page.goto(await studio.invite());
  const mara = new Sotto(page);
  await mara.fillIn('Mara Lind', 'mara');
  await expect(page.getByRole('button', { name: 'Menu' })).toBeVisible();
  const link = parseLink(await mara.invite())!;
  const contact = link.contact!;

  const sven = await studio.friend('sven', 'Sven Aker');
  const emil = await studio.friend('emil', 'Emil Novák');
  const ida = await studio.friend('ida', 'Ida Sol');
  const jonas = await studio.friend('jonas', 'Jonas Weber');
  const vera = await studio.friend('vera', 'Vera Kos');
  const layla = await studio.friend('layla', 'ليلى حداد');
  const chats: Record<string, string> = {};

  const meet = async (friend: Friend, name: string, first: string, answer: string): Promise<void> => {
    const id = await friend.know(contact);
    await friend.say(id, first);
    await mara.open(name);
    chats[name] = chatOf(page);
    await expect(mara.message(first)).toBeVisible();
    await mara.send(answer);
    await friend.hear(id, answer);
    await friend.engine.markRead(id);
    await mara.expectStatus(answer, 'Read');
  };
  /** What is drawn in another way than it is written. */
  const write = async (text: string, drawn: string): Promise<void> => {
    await mara.composer.fill(text);
    await mara.composer.press('Enter');
    await expect(mara.message(drawn)).toBeVisible();
  };
  const withMara = contact.account as unknown as Parameters<Friend['say']>[0];

  await studio.set('2026-03-08T11:15');
  await meet(sven, 'Sven Aker', 'The lamp is gone, sorry. Somebody was faster.', 'No harm done.');
  await studio.set('2026-03-09T18:02');
  await meet(layla, 'ليلى حداد', 'مرحبا مارا! هل وصلتِ بخير؟', 'نعم، شكرًا. كان القطار متأخرًا ساعة كاملة.');
  await studio.set('2026-03-10T20:31');
  await meet(emil, 'Emil Novák', 'Shall I bring the stove?', 'Please. And matches this time :)');
  await studio.set('2026-03-11T19:05');
  await meet(ida, 'Ida Sol', 'The tent is dry again.', 'Wonderful, thank you!');

  await studio.set('2026-03-11T20:10');
  await meet(vera, 'Vera Kos', 'Can you send me the photographs?', 'Tomorrow!');
  // Offline, so that she has written before she can hear of it.
  await page.context().setOffline(true);
  await mara.send('They are rather large.');
  await mara.expectStatus('They are rather large.', 'Waiting');
  await vera.recover();
  await page.context().setOffline(false);
  await expect(page.getByRole('region', { name: 'Vera Kos’s identity has changed' })).toBeVisible();

  await studio.set('2026-03-12T22:47');
  await meet(
    jonas,
    'Jonas Weber',
    'Did you get home all right?',
    'Just now. The last train stood an hour in the fields, no light and no signal.',
  );
  await studio.set('2026-03-12T22:48');
  await mara.send('I wrote to you from there; it left by itself when we came into town.');
  const fields = await jonas.hear(withMara, 'I wrote to you from there');
  await mara.expectStatus('I wrote to you from there', 'Delivered');
  await studio.set('2026-03-12T22:51');
  await jonas.engine.markRead(withMara);
  await jonas.say(withMara, 'I saw. All three at once, in the right order 😀', { reply: fields.id });
  await jonas.engine.react(withMara, fields.id, '❤️');
  await expect(mara.message('I wrote to you').locator('.message-reaction')).toBeVisible();
  await studio.set('2026-03-12T22:53');
  await write('**Breakfast** at _nine_?', 'Breakfast at nine?');
  await choose(mara, 'Breakfast at nine?', 'Edit');
  await expect(mara.composer).toHaveValue('**Breakfast** at _nine_?');
  await write('**Breakfast** at _half past_ nine?', 'Breakfast at half past nine?');
  await studio.set('2026-03-12T22:55');
  await jonas.hear(withMara, 'half past');
  await jonas.engine.markRead(withMara);
  await jonas.say(withMara, 'Half past nine. I’ll bring bread.');
  await expect(mara.message('I’ll bring bread')).toBeVisible();
  await choose(mara, 'I’ll bring bread', 'Star');
  await choose(mara, 'I’ll bring bread', 'React with 👍');

  await studio.set(`${TODAY}T07:58`);
  await page.getByRole('button', { name: 'Menu' }).click();
  const before = page.url();
  await page.getByRole('menuitem', { name: 'Note to self' }).click();
  await expect(page).not.toHaveURL(before);
  await expect(page.locator('.message-list-empty')).toBeVisible();
  await mara.send('Torch, jumper, towel, the big pot');

  // A group of four.
  await studio.set(`${TODAY}T08:12`);
  await page.goto('/#/new-group');
  await page.getByLabel('Name of the group').fill('Lake weekend');
  for (const name of ['Jonas', 'Ida', 'Emil'])
    await page.getByRole('checkbox', { name: new RegExp(name) }).check();
  await page.getByRole('button', { name: 'Make the group' }).click();
  await expect(page.getByRole('heading', { name: 'Lake weekend', exact: true })).toBeVisible();
  chats['group'] = chatOf(page);
  const group = chats['group'].split('/')[2] as Parameters<Friend['say']>[0];
  await write(LONG, 'Here is the plan');
  for (const friend of [jonas, ida, emil]) {
    await friend.hear(group, 'Here is the plan');
    await friend.engine.markRead(group);
  }
  await studio.set(`${TODAY}T08:20`);
  await ida.say(group, 'The key is under the third pot from the left.');
  await ida.say(group, 'Unless my brother was there.');
  await studio.set(`${TODAY}T08:24`);
  const names = '@Mara Lind';
  await emil.say(group, `${names} does the stove need the blue bottles?`, {
    mentions: [{ account: contact.account, start: 0, length: names.length }],
  });
  await expect(mara.message('blue bottles')).toBeVisible();
  await write('The blue ones, two of them: https://example.org/stove/bottles?size=450', 'The blue ones');
  await studio.set(`${TODAY}T08:25`);
  await jonas.hear(group, 'The blue ones');
  await jonas.engine.react(group, (await jonas.hear(group, 'third pot')).id, '😀');
  await jonas.engine.markRead(group);
  await expect(mara.message('third pot').locator('.message-reaction')).toBeVisible();

  // A link into it, by which somebody asks.
  await page.goto(`/#${chats['group'].replace('/c/', '/about/')}`);
  await page.getByRole('button', { name: 'Make an invite link' }).click();
  await page.getByRole('button', { name: 'Show link and code' }).click();
  const into = parseLink(await page.getByLabel('Link into the group').inputValue())!.group!;
  await page.getByRole('button', { name: 'Close' }).click();
  // The relay hears of it a moment later.
  await expect(() => layla.engine.joinGroup(into)).toPass();
  await expect(page.getByRole('heading', { name: '1 request to join' })).toBeVisible();
  await page.goto('/#/');

  // And links into another.
  const choir = await sven.engine.createGroup({ title: 'Choir of the old mill', members: [] });
  const links: string[] = [];
  for (const options of [
    { approval: false, history: 'none' },
    { approval: true, history: 'none', fresh: true },
  ] as const) {
    await sven.engine.setGroupLink(choir, options);
    const view = (await sven.engine.openGroup(choir))!;
    await expect.poll(() => view.getSnapshot().link?.approval).toBe(options.approval);
    links.push(new URL(formatLink(studio.url, { group: view.getSnapshot().link!.link })).hash.slice(1));
    view.close();
  }
  const [dead, good] = links as [string, string];
  await expect(() => ida.engine.lookAtGroupLink(parseLink(good)!.group!)).toPass();

  // Today: what is new.
  await studio.set(`${TODAY}T09:12`);
  await jonas.say(withMara, 'I am at the bakery. Rye or the white one?');
  await jonas.say(withMara, 'They have the seeded one too');
  await expect(mara.chat('Jonas Weber')).toContainText('2 unread');
  await studio.set(`${TODAY}T09:20`);
  await ida.say(group, `${names} which train are you on?`, {
    mentions: [{ account: contact.account, start: 0, length: names.length }],
  });
  await expect(mara.chat('Lake weekend')).toContainText('1 mention');

  const flag = async (name: string, item: string): Promise<void> => {
    await rowOf(page, name).click({ button: 'right' });
    await page.getByRole('menuitem', { name: item, exact: true }).click();
  };
  await flag('Sven Aker', 'Archive');
  await flag('Emil Novák', 'Mute always');
  await flag('Lake weekend', 'Pin');
  await rowOf(page, 'Ida Sol').click();
  await mara.composer.fill('Is the key still under');
  await expect(rowOf(page, 'Ida Sol')).toContainText('Draft');
  await studio.set(`${TODAY}T09:30`);
  const nora = await studio.friend('nora_k', 'Nora Kahn');
  const asked = await nora.engine.addContact({ handle: 'mara' as never });
  await nora.say(asked, 'Hello, I found your handle on the noticeboard. Is the bicycle still for sale?');
  await expect(page.getByRole('link', { name: '1 message request' })).toBeVisible();
  await studio.set(LAST);
  await page.goto('/#/');
  return {
    mara,
    links: { good, dead },
    chats: {
      jonas: chats['Jonas Weber']!,
      emil: chats['Emil Novák']!,
      vera: chats['Vera Kos']!,
      group: chats['group'],
      nora: `/c/${account(nora)}`,
    },
  };
};
