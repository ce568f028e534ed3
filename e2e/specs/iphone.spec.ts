import { devices, type Locator, type Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';
import { expect, test } from '../fixtures/test.ts';
import { expectNoSidewaysScroll } from '../pages/fit.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

const { defaultBrowserType: _, ...IPHONE } = devices['iPhone 14']!;

test.use({ device: IPHONE });

/** What a finger hits, in CSS pixels. */
const TARGET = 44;

/**
 * Whatever can be operated and is too small for a finger; links and names in the middle of a text may be. What is further
 * down is scrolled to, but for what is drawn as it comes into sight.
 */
const small = (page: Page): Promise<string[]> =>
  page.evaluate((least) => {
    const place = document.querySelector('dialog[open], [role=dialog]') ?? document;
    const scrolled = [...document.querySelectorAll('*')].filter(
      ({ scrollHeight, clientHeight }) => scrollHeight > clientHeight,
    );
    const places = scrolled.map((element) => element.scrollTop);
    const all = place.querySelectorAll<HTMLElement>(
      'button, a[href], input, select, textarea, summary, [role=menuitem], [role=option], [role=gridcell], [role=switch]',
    );
    const found = [...all].flatMap((element) => {
      const { width, height } = element.getBoundingClientRect();
      const inText = element.closest('.message-text, p') !== null;
      const seen = width > 1 && height > 1 && element.checkVisibility({ visibilityProperty: true });
      if (!seen || inText) return [];
      const around = element.closest('label');
      const rolls = element.closest('[role=log], [role=grid], .chat-list-scroll') !== null;
      if (!rolls) (around ?? element).scrollIntoView({ block: 'center', behavior: 'instant' });
      const { left, top } = element.getBoundingClientRect();
      // A label is hit as well as the field in it, and what is painted larger for fingers counts with it.
      const box = around?.getBoundingClientRect() ?? { width, height };
      const isHit = (x: number, y: number): boolean => {
        const hit = document.elementFromPoint(x, y);
        return hit !== null && (element.contains(hit) || around?.contains(hit) === true);
      };
      const reach = (least - 2) / 2;
      const [x, y] = [left + width / 2, top + height / 2];
      const inSight = y - reach > 0 && y + reach < innerHeight && x - reach > 0 && x + reach < innerWidth;
      const tall = box.height >= least - 0.5 || (isHit(x, y - reach) && isHit(x, y + reach));
      const wide = box.width >= least - 0.5 || (isHit(x - reach, y) && isHit(x + reach, y));
      return (tall && wide) || (rolls && !inSight)
        ? []
        : [`${element.outerHTML.slice(0, 120)} is ${Math.round(box.width)} × ${Math.round(box.height)}`];
    });
    for (const [index, element] of scrolled.entries()) element.scrollTop = places[index]!;
    return found;
  }, TARGET);

/** Nothing that scrolls sideways, nothing too small for a finger, nothing for axe. */
const expectFit = async (page: Page, screen: string): Promise<void> => {
  await expectNoSidewaysScroll(page, screen);
  expect.soft(await small(page), `${screen}: targets`).toEqual([]);
  await expectSound(page, screen);
};

type Arrive = (name: string) => Promise<Person>;

/** Somebody whose browser offers no app to install, as that of an iPhone does not. */
const arriving =
  (person: Arrive): Arrive =>
  async (name) => {
    const someone = await person(name);
    await someone.page.addInitScript(() => {
      addEventListener('beforeinstallprompt', (event) => event.stopImmediatePropagation());
    });
    return someone;
  };

/** Makes an account; who was invited by somebody is in the chat with them then. */
const join = async (someone: Person, link: string, handle: string): Promise<Sotto> => {
  const sotto = new Sotto(await someone.open(link));
  await sotto.fillIn(someone.name, handle);
  await expect(sotto.page.getByRole('button', { name: 'Join' })).toBeHidden();
  return sotto;
};

/** A finger that stays. */
const press = async (page: Page, target: Locator): Promise<void> => {
  const box = (await target.boundingBox())!;
  // Below it there may be reactions, which are hit from further away than they are drawn.
  const point = { x: box.x + 20, y: box.y + 10 };
  const session = await page.context().newCDPSession(page);
  await session.send('Input.dispatchTouchEvent', { type: 'touchStart', touchPoints: [point] });
  await expect(page.getByRole('menu')).toBeVisible();
  await session.send('Input.dispatchTouchEvent', { type: 'touchEnd', touchPoints: [] });
  await session.detach();
  // The finger that is lifted takes nothing away.
  await page.evaluate(() => new Promise((done) => setTimeout(done, 300)));
  await expect(page.getByRole('menu')).toBeVisible();
};

/** The way to the list, and back to a chat. */
const toList = (page: Page): Promise<void> => page.getByRole('link', { name: 'Back to chats' }).tap();

/** Says to the page what iOS says when a keyboard covers its lower part, or is gone again. */
const keyboard = (page: Page, covers: number): Promise<void> =>
  page.evaluate((px) => {
    const viewport = window.visualViewport!;
    if (px === 0) delete (viewport as unknown as { height?: number }).height;
    else Object.defineProperty(viewport, 'height', { value: innerHeight - px, configurable: true });
    viewport.dispatchEvent(new Event('resize'));
  }, covers);

test('two people with an iPhone: invite, join, write, read', async ({ relay, person }) => {
  test.setTimeout(240_000);
  const arrive = arriving(person);
  const ann = await arrive('Ann');
  const bob = await arrive('Bob');
  const joining = await ann.open(relay.invite);
  await expect(joining.getByText('As an app on an iPhone or iPad')).toBeVisible();
  await expectFit(joining, 'joining');
  const anns = await join(ann, relay.invite, 'ann');
  await expect(ann.page.getByRole('button', { name: 'Invite someone' })).toBeVisible();
  await expectFit(ann.page, 'nobody yet');
  const link = await anns.invite();
  const bobs = await join(bob, link, 'bob');
  await expect(bobs.composer).toBeVisible();
  // A finger alone brings up the keyboard.
  await expect(bobs.composer).not.toBeFocused();
  await bobs.composer.tap();
  await bobs.composer.pressSequentially('Is this');
  await bobs.composer.press('Enter');
  await bobs.composer.pressSequentially('thing on?');
  await bob.page.getByRole('button', { name: 'Send' }).tap();
  await expect(bobs.composer).toHaveValue('');
  await expect(bobs.composer).toBeFocused();
  await bobs.expectStatus('thing on?', 'Delivered');

  await expect(anns.chat('Bob')).toContainText('1 unread message');
  await expectFit(ann.page, 'the list');
  await anns.chat('Bob').tap();
  await bobs.expectStatus('thing on?', 'Read');
  await anns.composer.fill('It is.');
  await ann.page.getByRole('button', { name: 'Send' }).tap();
  await expect(bobs.message('It is.')).toBeVisible();
  await anns.expectStatus('It is.', 'Read');
  await expectFit(ann.page, 'a conversation');
  await toList(ann.page);
  await expect(anns.chat('Bob')).toContainText('It is.');
});

test('in a conversation: the keyboard covers no message, a long press opens what can be done', async ({
  relay,
  person,
}) => {
  test.setTimeout(240_000);
  const ann = await arriving(person)('Ann');
  const anns = await join(ann, relay.invite, 'ann');
  const bobs = await join(await arriving(person)('Bob'), await anns.invite(), 'bob');
  await bobs.composer.fill('Hello');
  await bobs.page.getByRole('button', { name: 'Send' }).tap();
  await expect(bobs.composer).toHaveValue('');
  await anns.chat('Bob').tap();
  for (let count = 1; count <= 14; count += 1) {
    await bobs.composer.fill(`number ${count}.`);
    await bobs.page.getByRole('button', { name: 'Send' }).tap();
    await expect(bobs.composer).toHaveValue('');
  }
  await bobs.expectStatus('number 14.', 'Read');
  await expect(anns.message('number 14.')).toBeVisible();
  const { page } = anns;
  await anns.composer.tap();
  await keyboard(page, 336);
  await expect(anns.message('number 14.')).toBeInViewport();
  const bottom = async (): Promise<number> => {
    const box = (await anns.composer.boundingBox())!;
    return box.y + box.height;
  };
  const { height } = page.viewportSize()!;
  expect(await bottom()).toBeLessThanOrEqual(height - 336);
  const above = async (): Promise<boolean> => {
    const message = (await anns.message('number 14.').boundingBox())!;
    return message.y + message.height <= (await anns.composer.boundingBox())!.y;
  };
  await expect.poll(above).toBe(true);
  await expect(page.getByRole('heading', { name: 'Bob', level: 1 })).toBeInViewport();
  await keyboard(page, 0);
  await expect.poll(bottom).toBeGreaterThan(height - 120);

  await press(page, anns.message('number 14.').locator('.message-bubble'));
  await expectFit(page, 'what can be done with a message');
  await page.getByRole('menuitem', { name: 'React with 👍' }).tap();
  await expect(bobs.message('number 14.').getByRole('button', { name: '👍' })).toBeVisible();
  await press(page, anns.message('number 13.').locator('.message-bubble'));
  await page.getByRole('menuitem', { name: 'Reply' }).tap();
  await anns.composer.fill('to thirteen');
  await expectFit(page, 'a reply');
  await page.getByRole('button', { name: 'Send' }).tap();
  await expect(bobs.message('to thirteen')).toContainText('number 13.');
  await press(page, anns.message('to thirteen').locator('.message-bubble'));
  await page.getByRole('menuitem', { name: 'Details' }).tap();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectFit(page, 'details');
  await page.getByRole('button', { name: 'Close' }).tap();
  await page.getByRole('button', { name: 'Emoji' }).tap();
  await expect(page.getByRole('gridcell').first()).toBeVisible();
  await expectFit(page, 'emoji');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('gridcell')).toHaveCount(0);

  const choose = async (text: string, item: string): Promise<void> => {
    await press(page, anns.message(text).locator('.message-bubble'));
    await page.getByRole('menuitem', { name: item, exact: true }).tap();
  };
  const send = page.getByRole('button', { name: 'Send', exact: true });
  await choose('to thirteen', 'Edit');
  await expect(anns.composer).toHaveValue('to thirteen');
  await anns.composer.fill('to the thirteenth');
  await expectFit(page, 'an edit');
  await send.tap();
  await expect(bobs.message('to the thirteenth').getByText('Edited')).toBeVisible();
  await expect(anns.message('to the thirteenth').getByText('Edited')).toBeVisible();
  await expectFit(page, 'an edited message');
  await choose('to the thirteenth', 'Star');
  await expect(anns.message('to the thirteenth').getByTitle('Starred')).toBeVisible();
  await choose('number 14.', 'Forward');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('checkbox', { name: 'Bob' }).tap();
  await expectFit(page, 'forwarding');
  await dialog.getByRole('button', { name: 'Forward to 1 chat' }).tap();
  await expect(bobs.log.getByText('Forwarded', { exact: true })).toBeVisible();
  await choose('to the thirteenth', 'Delete');
  await expect(dialog).toBeVisible();
  await expectFit(page, 'deleting');
  await dialog.getByRole('button', { name: 'Delete for everyone' }).tap();
  await expect(bobs.message('This message was deleted.')).toBeVisible();

  await page.getByRole('button', { name: 'More for this chat' }).tap();
  await page.getByRole('menuitem', { name: 'Search in this chat' }).tap();
  const bar = page.getByRole('region', { name: 'Search in the chat with Bob' });
  await bar.getByRole('searchbox').fill('number 2');
  await expect(bar.getByRole('status')).toHaveText('1 of 1');
  await expectFit(page, 'search in a chat');
  await bar.getByRole('button', { name: 'Close' }).tap();
  await expect(bar).toBeHidden();
  await anns.composer.fill('not yet');
  await toList(page);
  await expect(anns.chat('Bob')).toContainText(/Draft:\s*not yet/);
  await page.getByRole('searchbox', { name: 'Search', exact: true }).fill('number 2');
  await expect(page.locator('mark').first()).toBeVisible();
  await expectFit(page, 'search');
  await page.getByRole('region', { name: 'Messages' }).getByRole('link').first().tap();
  await expect(anns.message('number 2.')).toBeInViewport();
  await expect(anns.composer).toHaveValue('not yet');
  await toList(page);

  const offline = ann.expectFailures(/ERR_INTERNET_DISCONNECTED|WebSocket|Failed to load resource/);
  await page.context().setOffline(true);
  await expect(page.getByRole('status', { name: 'Network' })).toContainText('Waiting for network');
  await expectFit(page, 'without network');
  await page.context().setOffline(false);
  await expect(page.getByRole('status', { name: 'Network' })).toBeEmpty();
  offline();
});

test('people, groups and settings fit a finger and a narrow screen', async ({ relay, person }) => {
  test.setTimeout(300_000);
  const anns = await join(await arriving(person)('Ann'), relay.invite, 'ann');
  const bobs = await join(await arriving(person)('Bob'), await anns.invite(), 'bob');
  await bobs.composer.fill('Hello');
  await bobs.page.getByRole('button', { name: 'Send' }).tap();
  const { page } = anns;
  await expect(anns.chat('Bob')).toContainText('Hello');
  await press(page, anns.chat('Bob'));
  await expectFit(page, 'the menu of a chat');
  await page.getByRole('menuitem', { name: 'Pin', exact: true }).tap();
  await expect(anns.chat('Bob')).toContainText('Pinned');
  await expect(page).toHaveURL(/#\/$/);

  await page.getByRole('button', { name: 'New chat' }).tap();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectFit(page, 'a new chat');
  await page.getByRole('button', { name: 'Close' }).tap();
  await anns.chat('Bob').tap();
  await page.getByRole('link', { name: 'About Bob' }).tap();
  await expect(page.getByRole('heading', { name: 'Is it really them?' })).toBeVisible();
  await expectFit(page, 'a contact');
  await page.getByRole('button', { name: 'Compare safety number' }).tap();
  await expect(page.locator('.verify-digits')).toHaveText(/\d/);
  await expectFit(page, 'the safety number');
  await page.getByRole('button', { name: 'The numbers are the same' }).tap();
  await page.getByRole('button', { name: 'Done' }).tap();
  await page.getByRole('link', { name: 'To the chat' }).tap();
  await toList(page);

  await page.getByRole('button', { name: 'Menu' }).tap();
  await expect(page.getByRole('menu')).toBeVisible();
  await expectFit(page, 'the menu');
  await page.getByRole('menuitem', { name: 'New group' }).tap();
  await page.getByLabel('Name of the group').fill('Trip');
  await page.getByRole('checkbox', { name: /Bob/ }).tap();
  await expectFit(page, 'a new group');
  await page.getByRole('button', { name: 'Make the group' }).tap();
  await anns.composer.fill('Who comes along?');
  await page.getByRole('button', { name: 'Send' }).tap();
  await toList(bobs.page);
  await bobs.chat('Trip').tap();
  await expect(bobs.message('Who comes along?')).toBeVisible();
  await bobs.composer.pressSequentially('@');
  await bobs.page.getByRole('option').first().tap();
  await expect(bobs.composer).toHaveValue('@Ann ');
  await bobs.composer.pressSequentially('I do');
  await bobs.page.getByRole('button', { name: 'Send' }).tap();
  await expect(anns.message('I do')).toBeVisible();
  await expectFit(page, 'a conversation of a group');
  await page.getByRole('link', { name: 'About Trip' }).tap();
  await expect(page.getByRole('heading', { name: '2 members' })).toBeVisible();
  await expectFit(page, 'a group');
  await page.getByRole('button', { name: 'Actions for Bob' }).tap();
  await expect(page.getByRole('menu')).toBeVisible();
  await expectFit(page, 'the menu of a member');
  await page.keyboard.press('Escape');

  // A stranger, who is answered, and then blocked.
  await toList(bobs.page);
  const eves = await join(await arriving(person)('Eve'), await bobs.invite(), 'eve');
  await toList(eves.page);
  await eves.page.getByRole('button', { name: 'New chat' }).tap();
  await eves.page.getByLabel('Handle or link').fill('ann');
  await eves.page.getByRole('button', { name: 'Start chat' }).tap();
  await eves.composer.fill('You do not know me');
  await eves.page.getByRole('button', { name: 'Send' }).tap();
  await page.goto(`${relay.url}/#/`);
  await page.getByRole('link', { name: '1 message request' }).tap();
  await page.locator('.page').getByRole('link', { name: 'eve' }).tap();
  const request = page.getByRole('region', { name: 'Eve wants to write with you' });
  await expect(request).toBeVisible();
  await expectFit(page, 'a request');
  await request.getByRole('button', { name: 'Accept' }).tap();
  await anns.composer.fill('Now I do');
  await page.getByRole('button', { name: 'Send' }).tap();
  await expect(eves.message('Now I do')).toBeVisible();
  await page.getByRole('button', { name: 'More for this chat' }).tap();
  await page.getByRole('menuitem', { name: 'Block' }).tap();
  await expect(page.getByRole('dialog')).toBeVisible();
  await expectFit(page, 'blocking');
  await page.getByRole('dialog').getByRole('button', { name: 'Block' }).tap();
  await expect(page.getByRole('region', { name: 'You have blocked Eve' })).toBeVisible();
  await expectFit(page, 'a chat that is blocked');

  for (const [path, title] of [
    ['settings', 'Settings'],
    ['requests', 'Message requests'],
    ['starred', 'Starred messages'],
  ] as const) {
    await page.goto(`${relay.url}/#/${path}`);
    await expect(page.getByRole('heading', { name: title, level: 1 })).toBeVisible();
    await expectFit(page, path);
  }
});

test('on touch Enter begins a new line, unless somebody with a keyboard has it send', async ({
  relay,
  person,
}) => {
  const anns = await Sotto.join(await person('Ann'), relay.invite, 'ann');
  const { page } = anns;
  await page.getByRole('button', { name: 'Menu' }).tap();
  await page.getByRole('menuitem', { name: 'Note to self' }).tap();
  await anns.composer.fill('one');
  await anns.composer.press('Enter');
  await anns.composer.press('Shift+Enter');
  await expect(anns.composer).toHaveValue('one\n\n');
  await anns.composer.fill('two');
  const conversation = page.url();
  await page.goto(`${relay.url}/#/settings`);
  const enter = page.getByRole('switch', { name: 'Enter sends' });
  await expect(enter).not.toBeChecked();
  await enter.tap();
  await expect(enter).toBeChecked();
  await page.goto(conversation);
  await expect(anns.composer).toHaveValue('two');
  await anns.composer.press('Enter');
  await expect(anns.message('two')).toBeVisible();
  await expect(anns.composer).toHaveValue('');
});
