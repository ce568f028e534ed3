import type { Locator } from '@playwright/test';
import { ask } from '../fixtures/devices.ts';
import { expect, test } from '../fixtures/test.ts';
import { choose, expectSound, expectStanding, meet, openMenu } from '../pages/talk.ts';
import { Sotto } from '../pages/sotto.ts';

test('reactions, replies and edits reach the other, and can be taken back', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);

  await choose(anns, 'Hello Ann', 'React with 👍');
  await expect(bobs.message('Hello Ann').getByRole('button', { name: '👍 from 1 person' })).toBeVisible();
  await bobs.message('Hello Ann').getByRole('button', { name: '👍 from 1 person' }).click();
  await expect(
    anns.message('Hello Ann').getByRole('button', { name: '👍 from 2 people, you too' }),
  ).toBeVisible();
  await anns.message('Hello Ann').getByRole('button', { name: '👍 from 2 people' }).click();
  await expect(
    bobs.message('Hello Ann').getByRole('button', { name: '👍 from you: take it back' }),
  ).toBeVisible();

  // What was used last comes first.
  await choose(anns, 'Hello Ann', 'React with 🙏');
  const menu = await openMenu(anns.message('Hello Bob'), anns.page);
  await expect(menu.getByRole('menuitem').nth(0)).toHaveAccessibleName('React with 🙏');
  await expect(menu.getByRole('menuitem').nth(1)).toHaveAccessibleName('React with 👍');
  await anns.page.keyboard.press('Escape');
  await expect(anns.log.getByRole('heading', { name: 'Today' })).toBeVisible();

  await choose(bobs, 'Hello Bob', 'Reply');
  await expect(bobs.page.getByText('Reply to Ann')).toBeVisible();
  await expect(bobs.composer).toBeFocused();
  await bobs.send('An answer');
  await expect(bobs.page.getByText('Reply to Ann')).toBeHidden();
  const quote = anns.message('An answer').getByRole('button', { name: 'To the message of You' });
  await expect(quote).toContainText('Hello Bob');

  await choose(bobs, 'An answer', 'Edit');
  await expect(bobs.composer).toHaveValue('An answer');
  await bobs.send('A better answer');
  await expect(anns.message('A better answer')).toBeVisible();
  await anns.message('A better answer').getByRole('button', { name: 'Edited' }).click();
  const dialog = anns.page.getByRole('dialog', { name: 'Earlier versions' });
  await expect(dialog).toContainText('An answer');
  await expectSound(anns.page, 'history');
  await anns.page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
});

test('deleting says what it does, for oneself and for everyone', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  await choose(anns, 'Hello Ann', 'Delete');
  const dialog = anns.page.getByRole('dialog', { name: 'Delete this message?' });
  await expect(dialog).toContainText('Bob keeps it');
  await expect(dialog.getByRole('button', { name: 'Delete for everyone' })).toBeHidden();
  await dialog.getByRole('button', { name: 'Delete for me' }).click();
  await expect(anns.message('Hello Ann')).toBeHidden();

  await choose(anns, 'Hello Bob', 'Delete');
  await expectSound(anns.page, 'delete');
  await dialog.getByRole('button', { name: 'Delete for everyone' }).click();
  await expect(bobs.message('This message was deleted.')).toBeVisible();
  await expect(bobs.message('Hello Ann')).toBeVisible();
  await expect(bobs.message('Hello Bob')).toBeHidden();
});

test('the menu by keyboard: arrows find a message, Enter opens, Escape leads back', async ({
  relay,
  person,
}) => {
  const [anns, bobs] = await meet(relay, person);
  const { page } = anns;
  await anns.log.focus();
  await page.keyboard.press('ArrowUp');
  await expect(anns.message('Hello Bob')).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await expect(anns.message('Hello Ann')).toBeFocused();
  await page.keyboard.press('Enter');
  const menu = page.getByRole('menu');
  await expect(menu).toBeVisible();
  await expectSound(page, 'menu');
  await page.keyboard.press('Escape');
  await expect(menu).toBeHidden();
  await expect(anns.message('Hello Ann')).toBeFocused();
  await page.keyboard.press('Shift+F10');
  await expect(page.locator('[role=menu]:focus, [role=menu] :focus')).toHaveCount(1);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(bobs.message('Hello Ann').locator('.message-reaction')).toBeVisible();

  // The arrow upwards in an empty field changes one's last message.
  await anns.composer.focus();
  await page.keyboard.press('ArrowUp');
  await expect(anns.composer).toHaveValue('Hello Bob');
  await page.keyboard.press('Escape');
  await expect(anns.composer).toHaveValue('');

  /** What was copied may be on its way to the clipboard still. */
  const expectCopied = (text: string): Promise<void> =>
    expect(async () => {
      await anns.composer.fill('');
      await anns.composer.press('Control+v');
      await expect(anns.composer).toHaveValue(text, { timeout: 500 });
    }).toPass();
  await choose(anns, 'Hello Ann', 'Copy text');
  await expectCopied('Hello Ann');
  await anns.log.focus();
  await page.keyboard.press('ArrowUp');
  await expect(anns.message('Hello Bob')).toBeFocused();
  await page.keyboard.press('Control+c');
  await expectCopied('Hello Bob');
  await anns.composer.fill('');

  await choose(anns, 'Hello Bob', 'Details');
  const details = page.getByRole('dialog', { name: 'Details' });
  await expect(details).toContainText('Read by Bob');
  for (const said of ['Delivered', 'Read'])
    await expect(details.locator('dl > div', { has: page.getByText(said, { exact: true }) })).toContainText(
      /\d:\d\d/,
    );
  await expectSound(page, 'details');
});

test('links and light formatting are drawn, and nothing else', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  await anns.composer.fill(
    '**bold** _slanted_ ~~struck~~ `code` <img src=x onerror=alert(1)> [bank](https://evil.test/a) javascript:alert(1)',
  );
  await anns.composer.press('Enter');
  const message = bobs.message('slanted');
  await expect(message.locator('strong')).toHaveText('bold');
  await expect(message.locator('.message-text em')).toHaveText('slanted');
  await expect(message.locator('s')).toHaveText('struck');
  await expect(message.locator('code')).toHaveText('code');
  await expect(message).toContainText(
    '<img src=x onerror=alert(1)> [bank](https://evil.test/a) javascript:alert(1)',
  );
  const link = message.getByRole('link');
  await expect(link).toHaveCount(1);
  await expect(link).toHaveAttribute('href', 'https://evil.test/a');
  await expect(link).toHaveAttribute('rel', /noopener noreferrer/);

  await anns.composer.fill('> quoted\n\n- one\n- two\n\n```\n**as it is**\n```');
  await anns.composer.press('Enter');
  const blocks = bobs.message('quoted');
  await expect(blocks.locator('blockquote')).toHaveText('quoted');
  await expect(blocks.locator('li')).toHaveText(['one', 'two']);
  await expect(blocks.locator('pre')).toContainText('**as it is**');

  await anns.composer.fill(`first\n${'a line\n'.repeat(60)}the end`);
  await anns.composer.press('Enter');
  const long = bobs.message('first');
  await expect(long).not.toContainText('the end');
  await long.getByRole('button', { name: 'Read more' }).click();
  await expect(long).toContainText('the end');
  await long.getByRole('button', { name: 'Show less' }).click();
  await expect(long).not.toContainText('the end');
  await expect(long.getByRole('button', { name: 'Read more' })).toBeInViewport();
  await long.getByRole('button', { name: 'Read more' }).click();

  // It stays as it is while the conversation is open, also where its row has gone meanwhile.
  for (let row = 1; row <= 30; row += 1) {
    await anns.composer.fill(`row ${row}.`);
    await anns.composer.press('Enter');
  }
  await bobs.log.focus();
  await expect(async () => {
    await bobs.page.keyboard.press('End');
    await expect(bobs.message('row 30.')).toBeFocused({ timeout: 500 });
  }).toPass();
  await expect(long).toHaveCount(0);
  await expect(async () => {
    await bobs.page.keyboard.press('Home');
    await expect(bobs.message('Hello Ann')).toBeFocused({ timeout: 500 });
  }).toPass();
  await expect(long).toContainText('the end');
  await expect(long.getByRole('button', { name: 'Show less' })).toBeAttached();
});

test('www. and mail addresses are links; what is right there has the browser’s own menu', async ({
  relay,
  person,
}) => {
  const [anns, bobs] = await meet(relay, person);
  await anns.send('See www.sotto.test/a or ann@sotto.test, words');
  const message = bobs.message('words');
  await expect(message.getByRole('link')).toHaveCount(2);
  const site = message.getByRole('link', { name: 'www.sotto.test/a' });
  await expect(site).toHaveAttribute('href', 'https://www.sotto.test/a');
  await expect(message.getByRole('link', { name: 'ann@sotto.test' })).toHaveAttribute(
    'href',
    'mailto:ann@sotto.test',
  );
  /** What becomes of a right click there. */
  const click = async (place: Locator): Promise<'browser’s' | 'ours'> => {
    await bobs.page.evaluate(() => {
      addEventListener(
        'contextmenu',
        (event) => Object.assign(window, { prevented: event.defaultPrevented }),
        { once: true },
      );
    });
    await place.click({ button: 'right' });
    const prevented = await bobs.page.evaluate(() => (window as unknown as { prevented: boolean }).prevented);
    return prevented ? 'ours' : 'browser’s';
  };
  const menu = bobs.page.getByRole('menu');
  expect(await click(site)).toBe('browser’s');
  const hello = bobs.message('Hello Bob').locator('.message-text');
  await hello.evaluate((text) => getSelection()!.selectAllChildren(text));
  expect(await click(bobs.message('Hello Bob').getByText('Hello Bob'))).toBe('browser’s');
  await expect(menu).toBeHidden();
  await bobs.page.evaluate(() => getSelection()!.removeAllRanges());
  expect(await click(bobs.message('Hello Bob').getByText('Hello Bob'))).toBe('ours');
  await expect(menu).toBeVisible();
});

test('marks of formatting are not shown where only a line of a message is', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  await anns.composer.fill('This is **bold** and `code`');
  await anns.composer.press('Enter');
  const said = 'This is bold and code';
  await expect(bobs.chat('ann')).toContainText(said);
  const region = bobs.page.getByRole('status', { name: 'New messages' });
  await expect(region).toContainText(`Ann: ${said}`);
  await choose(bobs, said, 'Reply');
  await expect(bobs.page.locator('.composer-about')).toContainText(said);
  await bobs.send('answer');
  await expect(anns.message('answer').locator('.message-quote')).toContainText(said);
  await bobs.page.getByRole('searchbox', { name: 'Search', exact: true }).fill('bold');
  const hit = bobs.page.locator('.search-results').getByRole('link', { name: said });
  await expect(hit.locator('mark')).toHaveText('bold');
});

test('each message that comes in is told, also where several say the same', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  const region = bobs.page.getByRole('status', { name: 'New messages' });
  const told = (): Promise<string[]> => region.locator('p').allTextContents();
  await expect.poll(told).toEqual(['Ann: Hello Bob']);
  // What a screen reader hears: what is added, each time.
  await region.evaluate((element) => {
    const heard: string[] = [];
    Object.assign(window, { heard });
    new MutationObserver((records) => {
      for (const { addedNodes } of records) for (const node of addedNodes) heard.push(node.textContent ?? '');
    }).observe(element, { childList: true });
  });
  const heard = (): Promise<string[]> =>
    bobs.page.evaluate(() => (window as unknown as { heard: string[] }).heard);
  for (const text of ['same', 'same']) {
    await anns.composer.fill(text);
    await anns.composer.press('Enter');
  }
  await expect.poll(heard).toEqual(['Ann: same', 'Ann: same']);
  await bobs.send('mine is not told');
  await anns.send('after');
  await expect.poll(heard).toEqual(['Ann: same', 'Ann: same', 'Ann: after']);
});

test('what a message answers, and the reactions of others, are there for the keyboard', async ({
  relay,
  person,
}) => {
  const [anns, bobs] = await meet(relay, person);
  const { page } = bobs;
  await choose(anns, 'Hello Ann', 'Reply');
  await anns.send('answer');
  await expect(bobs.message('answer')).toBeVisible();
  const original = bobs.log.getByRole('group', { name: /^You: Hello Ann/ });
  await bobs.log.focus();
  await page.keyboard.press('End');
  await expect(bobs.message('answer')).toBeFocused();
  await page.keyboard.press('Enter');
  await page.getByRole('menuitem', { name: 'Go to the original' }).focus();
  await page.keyboard.press('Enter');
  await expect(original).toBeFocused();
  await page.keyboard.press('End');
  await page.keyboard.press('o');
  await expect(original).toBeFocused();

  await choose(anns, 'Hello Bob', 'React with another emoji');
  await page.bringToFront();
  await anns.page.getByRole('dialog', { name: 'Emoji' }).getByRole('searchbox').fill('owl');
  await anns.page.getByRole('gridcell', { name: 'owl', exact: true }).click();
  await expect(bobs.log.getByRole('button', { name: '🦉 from 1 person' })).toBeVisible();
  await page.keyboard.press('ArrowDown');
  await expect(bobs.message('Hello Bob').first()).toBeFocused();
  await page.keyboard.press('Enter');
  const join = page.getByRole('menuitem', { name: 'React with 🦉' });
  await expect(join).toBeVisible();
  await expectSound(page, 'menu with the reactions of others');
  await join.focus();
  await page.keyboard.press('Enter');
  await expect(anns.log.getByRole('button', { name: /🦉 from 2 people/ })).toBeVisible();
});

test('a draft with what it answers is there after the page was closed', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  await choose(anns, 'Hello Ann', 'Reply');
  await anns.composer.fill('not yet sent');
  await expect(anns.chat('Bob')).toContainText('not yet sent');
  await anns.page.goto('about:blank');
  await anns.page.goto(relay.url);
  await anns.open('Bob');
  await expect(anns.composer).toHaveValue('not yet sent');
  await expect(anns.page.getByText('Reply to Bob')).toBeVisible();
  await expect(bobs.page.getByText('is writing')).toBeHidden();
  // It is said once, and by nobody who is not connected yet.
  await expect(async () => {
    await anns.composer.fill('not yet sent');
    await anns.composer.press('End');
    await anns.composer.pressSequentially('!');
    await expect(bobs.page.locator('.conversation-head')).toContainText('is writing', { timeout: 2000 });
  }).toPass();
  await anns.composer.press('Enter');
  await expect(bobs.message('not yet sent!')).toContainText('Hello Ann');
  await expect(bobs.page.locator('.conversation-head')).not.toContainText('is writing');
});

test('messages with a timer say when they go, and go', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  await anns.page.getByRole('button', { name: 'More for this chat' }).click();
  await anns.page.getByRole('menuitem', { name: 'Disappearing messages' }).click();
  const dialog = anns.page.getByRole('dialog', { name: 'Disappearing messages' });
  await dialog.getByLabel('5 minutes').check();
  await expectSound(anns.page, 'timer');
  await dialog.getByRole('button', { name: 'Set' }).click();
  await expect(dialog).toBeHidden();
  await anns.send('for a while');
  await expect(bobs.message('for a while').getByTitle(/Goes in 5\s?m/)).toBeVisible();
  await expect(bobs.page.getByTitle('Messages go 5 minutes after they were read')).toBeVisible();

  // The choice has nothing that a test could wait for.
  await ask(anns.page, 'setTimer', [/\/c\/([\w-]+)/.exec(anns.page.url())![1], 10]);
  await anns.send('for a moment');
  await expect(bobs.message('for a moment').getByTitle(/Goes in \d+s/)).toBeVisible();
  for (const sotto of [anns, bobs]) {
    await expect(sotto.message('for a moment')).toHaveCount(0, { timeout: 30_000 });
    await expect(sotto.message('for a while')).toBeVisible();
    await expect(sotto.page.getByRole('navigation', { name: 'Chats' })).not.toContainText('for a moment');
  }
  await bobs.page.reload();
  await expect(bobs.message('for a while')).toBeVisible();
  await expect(bobs.message('for a moment')).toHaveCount(0);
});

test('a stranger is answered before anything is written', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const eve = await person('Eve');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const links = [await anns.invite(), await anns.invite()];
  const bobs = await Sotto.join(bob, links[0]!, 'bob');
  const eves = await Sotto.join(eve, links[1]!, 'eve');
  await eve.page.getByRole('button', { name: 'New chat' }).click();
  await eve.page.getByLabel('Handle or link').fill('@bob');
  await eve.page.getByRole('button', { name: 'Start chat' }).click();
  await expect(eve.page.getByRole('heading', { name: 'bob', level: 1 })).toBeVisible();
  await eves.send('Hello, you do not know me');
  await bob.page.getByRole('link', { name: '1 message request' }).click();
  await bob.page.locator('.page').getByRole('link', { name: 'eve' }).click();
  const notice = bob.page.getByRole('region', { name: 'Eve wants to write with you' });
  await expect(notice).toBeVisible();
  await expect(bobs.composer).toBeHidden();
  await expectSound(bob.page, 'request');
  await notice.getByRole('button', { name: 'Accept' }).click();
  await bobs.send('Now I do');
  await expect(eves.message('Now I do')).toBeVisible();
});

test('blocking closes the field, and unblocking opens it', async ({ relay, person }) => {
  const [anns] = await meet(relay, person);
  await anns.page.getByRole('button', { name: 'More for this chat' }).click();
  await anns.page.getByRole('menuitem', { name: 'Block' }).click();
  await anns.page.getByRole('dialog').getByRole('button', { name: 'Block' }).click();
  const notice = anns.page.getByRole('region', { name: 'You have blocked Bob' });
  await expect(notice).toBeVisible();
  await expect(anns.composer).toBeHidden();
  await expectSound(anns.page, 'blocked');
  await notice.getByRole('button', { name: 'Unblock' }).click();
  await anns.send('Back again');
});

test('a conversation opens where the unread begins, and stays where one reads', async ({ relay, person }) => {
  test.setTimeout(180_000);
  const [anns, bobs] = await meet(relay, person);
  await bobs.page.goto(relay.url);
  await expect(bobs.chat('Ann')).toBeVisible();
  for (let count = 1; count <= 70; count += 1) await anns.send(`number ${count}.`);
  await expect(bobs.chat('Ann')).toContainText('70 unread messages');

  await bobs.open('Ann');
  await expect(bobs.log.getByText('New messages', { exact: true })).toBeInViewport();
  await expect(bobs.message('number 1.').first()).toBeInViewport();
  await expect(bobs.message('number 70.')).not.toBeInViewport();
  await anns.expectStatus('number 70.', 'Delivered');
  // Only the rows in sight are drawn.
  expect(await bobs.log.locator('[data-id]').count()).toBeLessThan(45);

  const newest = bobs.page.getByRole('button', { name: /new messages$/ });
  await expect(newest).toBeVisible();
  await newest.click();
  await expect(bobs.message('number 70.')).toBeInViewport();
  await anns.expectStatus('number 70.', 'Read');

  // Up a little: what comes in below moves nothing, and neither does what grows above.
  await bobs.log.hover();
  await bobs.page.mouse.wheel(0, -1200);
  await expect(bobs.message('number 70.')).not.toBeInViewport();
  await expectStanding(bobs.log);
  const middle = await bobs.log.evaluate((log) => {
    const { top, height } = log.getBoundingClientRect();
    const rows = [...log.querySelectorAll<HTMLElement>('.message')];
    return rows.find((row) => row.getBoundingClientRect().top > top + height / 2)!.dataset['id']!;
  });
  const place = async (): Promise<number> => {
    const box = await bobs.log.locator(`[data-id="${middle}"]`).boundingBox();
    return Math.round(box!.y);
  };
  const before = await place();
  await anns.send('one more');
  await expect(bobs.page.getByRole('button', { name: '1 new message' })).toBeVisible();
  await expect.poll(place).toBe(before);

  // Home goes to the first message, page by page, in the right order.
  await expect
    .poll(async () => {
      await bobs.log.press('Home');
      return bobs.message('Hello Ann').isVisible();
    })
    .toBe(true);
  await choose(bobs, 'Hello Ann', 'Reply');
  await bobs.send('about the beginning');
  await expect(bobs.message('about the beginning')).toBeInViewport();
  await bobs.message('about the beginning').getByRole('button', { name: 'To the message of You' }).click();
  await expect(bobs.message('about the beginning')).not.toBeInViewport();
  await expect(bobs.message('Hello Ann').first()).toBeInViewport();
  await bobs.page.getByRole('button', { name: 'To the newest message' }).click();
  await expect(bobs.message('about the beginning')).toBeInViewport();
});
