import type { Locator } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { openSettings } from '../pages/settings.ts';
import { Sotto } from '../pages/sotto.ts';
import { choose, expectSound, expectStanding, meet, openMenu } from '../pages/talk.ts';

/** Pastes as a person does whose clipboard holds that text. */
const paste = (field: Locator, text: string): Promise<void> =>
  field.evaluate((element: HTMLTextAreaElement, data) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', data);
    const isOurs = !element.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }),
    );
    if (!isOurs) document.execCommand('insertText', false, data);
  }, text);

test('emoji are picked, found by name and used to react', async ({ relay, person }) => {
  test.setTimeout(150_000);
  const [anns, bobs] = await meet(relay, person);
  const { page } = anns;
  const picker = page.getByRole('dialog', { name: 'Emoji' });
  await page.getByRole('button', { name: 'Emoji' }).click();
  await expect(picker.getByRole('gridcell', { name: 'grinning face', exact: true })).toBeVisible();
  await expectSound(page, 'emoji');
  await expect(picker.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('rocket');
  // The nearest first, whatever its group.
  await expect(picker.getByRole('gridcell').first()).toHaveAccessibleName('rocket');
  await page.keyboard.press('Enter');
  await expect(picker).toBeHidden();
  await expect(anns.composer).toBeFocused();
  await expect(anns.composer).toHaveValue('🚀');

  await anns.composer.pressSequentially(' :tad');
  const list = page.getByRole('listbox', { name: 'Emoji' });
  await expect(list.getByRole('option')).toContainText(['party popper']);
  await expectSound(page, 'completion');
  await page.keyboard.press('Escape');
  await expect(list).toBeHidden();
  await anns.composer.pressSequentially('a');
  await expect(list).toBeHidden();
  await anns.composer.fill('🚀 ');
  await anns.composer.pressSequentially(':part');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('Enter');
  await expect(anns.composer).toHaveValue(/^🚀 \p{Emoji}.* $/u);
  await anns.composer.fill('');
  await anns.composer.pressSequentially('so :heart:');
  await expect(anns.composer).toHaveValue('so ❤️');
  await anns.composer.pressSequentially(' at 10:30: now');
  await anns.composer.press('Enter');
  await expect(bobs.message('so ❤️ at 10:30: now')).toBeVisible();

  const menu = await openMenu(anns.message('Hello Ann'), page);
  await menu.getByRole('menuitem', { name: 'React with another emoji' }).click();
  await expect(picker.getByRole('searchbox')).toBeFocused();
  // Used last comes first.
  await expect(picker.getByRole('gridcell').first()).toHaveAccessibleName('red heart');
  await page.keyboard.type('octopus');
  await expect(picker.getByRole('gridcell').first()).toHaveAccessibleName('octopus');
  await page.keyboard.press('Enter');
  await expect(bobs.message('Hello Ann').getByRole('button', { name: '🐙 from 1 person' })).toBeVisible();
});

test('Enter sends or begins a new line, as it is set', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  const { page } = anns;
  const chat = page.url();
  const height = async (): Promise<number> => (await anns.composer.boundingBox())!.height;
  const oneLine = await height();
  await anns.composer.pressSequentially('one');
  await page.keyboard.press('Shift+Enter');
  await anns.composer.pressSequentially('two');
  expect(await height()).toBeGreaterThan(oneLine + 10);
  await page.keyboard.press('Enter');
  await expect.poll(height).toBe(oneLine);
  await expect(bobs.message('one')).toContainText('one\ntwo', { useInnerText: true });
  await openSettings(page);
  await page.getByRole('switch', { name: 'Enter sends' }).click();
  await page.getByRole('button', { name: 'Show the keys' }).click();
  const row = page.locator('.keys-row', { has: page.getByText('Send', { exact: true }) });
  await expect(row).toContainText('Shift');
  await page.keyboard.press('Escape');
  await page.goto(chat);
  await anns.composer.pressSequentially('three');
  await page.keyboard.press('Enter');
  await anns.composer.pressSequentially('four');
  await page.keyboard.press('Shift+Enter');
  await expect(bobs.message('three')).toContainText('three\nfour', { useInnerText: true });
  await page.reload();
  await anns.composer.pressSequentially('five');
  await page.keyboard.press('Enter');
  await expect(anns.composer).toHaveValue('five\n');
});

test('keys put marks around what is selected, and undo takes them away', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  const { page } = anns;
  await anns.composer.fill('loud');
  for (const [key, after] of [
    ['Control+b', '**loud**'],
    ['Control+z', 'loud'],
    ['Control+i', '_loud_'],
    ['Control+i', 'loud'],
    ['Control+Shift+X', '~~loud~~'],
    ['Control+Shift+X', 'loud'],
    ['Control+e', '`loud`'],
    ['Control+e', 'loud'],
  ] as const) {
    if (key !== 'Control+z') await page.keyboard.press('Control+A');
    await page.keyboard.press(key);
    await expect(anns.composer).toHaveValue(after);
  }
  await page.keyboard.press('Control+A');
  await page.keyboard.press('Control+b');
  await page.keyboard.press('Enter');
  await expect(bobs.message('loud').locator('strong')).toHaveText('loud');
});

test('a text that is too long is said so, and goes in parts', async ({ relay, person }) => {
  const [anns, bobs] = await meet(relay, person);
  const { page } = anns;
  const long = Array.from({ length: 1500 }, (_, index) => `word${index}`).join(' ');
  await anns.composer.click();
  await paste(anns.composer, long);
  await expect(page.getByText(/characters too long for one message/)).toBeVisible();
  await expect(page.getByRole('button', { name: 'Send', exact: true })).toHaveAttribute(
    'aria-disabled',
    'true',
  );
  await expectSound(page, 'too long');
  await page.getByRole('button', { name: 'Send as 2 messages' }).click();
  await expect(anns.composer).toHaveValue('');
  await expect(bobs.message('word0 word1 ')).toBeVisible();
  await expect(bobs.log.locator('[data-id]')).toHaveCount(4);

  await anns.composer.fill('kept');
  await paste(anns.composer, 'x'.repeat(16_000));
  await expect(page.getByText('Not pasted: 16,000 characters are too much')).toBeVisible();
  await expect(anns.composer).toHaveValue('kept');
});

test('files that are dropped or pasted change nothing, and it is said', async ({ relay, person }) => {
  const [anns] = await meet(relay, person);
  const { page } = anns;
  await anns.composer.fill('kept');
  const drag = (type: string): Promise<boolean> =>
    page.evaluate((name) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File(['x'], 'x.txt'));
      const event = new DragEvent(name, { dataTransfer, bubbles: true, cancelable: true });
      return !document.body.dispatchEvent(event) && event.defaultPrevented;
    }, type);
  const target = page.locator('.composer-drop');
  expect(await drag('dragover')).toBe(true);
  await expect(target).toContainText('Files cannot be sent yet');
  // What is not caught the browser opens in the place of the app.
  expect(await drag('drop')).toBe(true);
  await expect(target).toBeHidden();
  await expect(page.locator('.composer-note')).toContainText('Files cannot be sent yet');
  await expect(anns.composer).toHaveValue('kept');
});

test('forwarded to several, and starred to be found again', async ({ relay, person }) => {
  test.setTimeout(150_000);
  const [anns, bobs] = await meet(relay, person);
  const eve = await person('Eve');
  const eves = await Sotto.join(eve, await anns.invite(), 'eve');
  await eves.open('ann');
  await eves.send('Hello from Eve');
  await expect(anns.chat('Eve')).toContainText('1 unread message');
  const { page } = anns;

  await choose(anns, 'Hello Ann', 'Forward');
  const dialog = page.getByRole('dialog', { name: 'Forward to' });
  await expect(dialog.getByRole('searchbox')).toBeFocused();
  await expect(dialog.getByRole('button', { name: 'Forward' })).toBeDisabled();
  await page.keyboard.type('ev');
  await expect(dialog.getByRole('checkbox')).toHaveCount(1);
  await dialog.getByRole('checkbox', { name: 'Eve' }).check();
  await dialog.getByRole('searchbox').fill('');
  await dialog.getByRole('checkbox', { name: 'Bob' }).check();
  await expectSound(page, 'forward');
  await dialog.getByRole('button', { name: 'Forward to 2 chats' }).click();
  await expect(dialog).toBeHidden();
  await expect(page.getByText('Forwarded to 2 chats.')).toBeVisible();
  await expect(eves.message('Hello Ann').getByText('Forwarded')).toBeVisible();
  await expect(bobs.message('Hello Ann').getByText('Forwarded')).toBeVisible();

  await choose(anns, 'Hello Bob', 'Forward');
  await dialog.getByRole('checkbox', { name: 'Eve' }).check();
  await dialog.getByRole('button', { name: 'Forward to 1 chat' }).click();
  await expect(page.getByRole('heading', { name: 'Eve', level: 1 })).toBeVisible();
  await expect(anns.message('Hello Bob')).toBeVisible();

  await choose(anns, 'Hello from Eve', 'Star');
  await page.goBack();
  await expect(page.getByRole('heading', { name: 'Bob', level: 1 })).toBeVisible();
  await choose(anns, 'Hello Bob', 'Star');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Starred messages' }).click();
  const starred = page.getByRole('list', { name: 'Starred messages' });
  await expect(starred.getByRole('listitem')).toHaveCount(2);
  await expectSound(page, 'starred');
  await starred
    .getByRole('listitem')
    .filter({ hasText: 'Hello Bob' })
    .getByRole('button', { name: 'Remove star' })
    .click();
  await expect(starred.getByRole('listitem')).toHaveCount(1);
  // The mark does not last.
  const marked = page.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          const row = document.querySelector('[role=log] [data-id][data-marked="true"]');
          if (!row?.textContent.includes('Hello from Eve')) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(document.body, { subtree: true, childList: true, attributes: true });
      }),
  );
  await starred.getByRole('link').click();
  await marked;
});

test('words are found in one chat, from the newest to the oldest', async ({ relay, person }) => {
  test.setTimeout(150_000);
  const [anns, bobs] = await meet(relay, person);
  const { page } = anns;
  await bobs.send('A red lake.');
  for (let count = 1; count <= 40; count += 1) await bobs.send(`number ${count}.`);
  await bobs.send('The lakes are blue');
  await expect(anns.message('The lakes are blue')).toBeVisible();
  await anns.composer.fill('draft');
  await page.keyboard.press('Control+F');
  // What is typed at once is the search's.
  await page.keyboard.type('lake');
  const bar = page.getByRole('region', { name: 'Search in the chat with Bob' });
  await expect(bar.getByRole('status')).toHaveText('1 of 2');
  await expect(anns.message('The lakes are blue')).toHaveAttribute('data-marked', 'true');
  await expect.poll(() => page.evaluate(() => CSS.highlights.get('found')?.size)).toBe(1);
  await expectSound(page, 'search in a chat');
  await page.keyboard.press('Enter');
  await expect(bar.getByRole('status')).toHaveText('2 of 2');
  await expect(anns.message('A red lake.')).toBeInViewport();
  await expect(bar.getByRole('button', { name: 'Older result' })).toHaveAttribute('aria-disabled', 'true');
  await bar.getByRole('button', { name: 'Newer result' }).click();
  await expect(bar.getByRole('status')).toHaveText('1 of 2');
  await expect(anns.message('The lakes are blue')).toBeInViewport();
  await bar.getByRole('searchbox').fill('nowhere');
  await expect(bar.getByRole('status')).toHaveText('Nothing found');
  await page.keyboard.press('Escape');
  await expect(bar).toBeHidden();
  await expect(anns.composer).toBeFocused();
  await expect(anns.composer).toHaveValue('draft');
});

test('a draft that only answers says so in the list', async ({ relay, person }) => {
  const [anns] = await meet(relay, person);
  await choose(anns, 'Hello Ann', 'Reply');
  await expect(anns.chat('Bob')).toContainText(/Draft:\s*Reply/);
});

test('what grows above moves nothing, and what grows at the end stays in sight', async ({
  relay,
  person,
}) => {
  test.setTimeout(150_000);
  const [anns, bobs] = await meet(relay, person);
  for (let count = 1; count <= 24; count += 1) await anns.send(`number ${count}.`);
  await bobs.page.setViewportSize({ width: 1280, height: 500 });
  await expect(bobs.message('number 24.')).toBeInViewport();
  await choose(anns, 'number 24.', 'React with 👍');
  await expect(bobs.message('number 24.').getByRole('button', { name: '👍' })).toBeInViewport();
  // A message that comes in the moment in which a keyboard opens, before the list knows of it.
  await bobs.log.evaluate((log) => {
    log.closest<HTMLElement>('.conversation')!.style.blockSize = '350px';
    log.dispatchEvent(new Event('scroll'));
  });
  await expect(bobs.message('number 24.').getByRole('button', { name: '👍' })).toBeInViewport();

  await bobs.log.hover();
  await bobs.page.mouse.wheel(0, -300);
  await expect(bobs.message('number 24.')).not.toBeInViewport();
  await expectStanding(bobs.log);
  /** One that is drawn above what is in sight, and one in sight. */
  const [above, seen] = await bobs.log.evaluate((log) => {
    const { top } = log.getBoundingClientRect();
    const rows = [...log.querySelectorAll<HTMLElement>('.message')];
    const first = rows.findIndex((row) => row.getBoundingClientRect().top > top);
    return [rows[first - 3]!.dataset['id']!, rows[first + 2]!.dataset['id']!];
  });
  const place = async (): Promise<number> =>
    Math.round((await bobs.log.locator(`[data-id="${seen}"]`).boundingBox())!.y);
  const before = await place();
  const words = await bobs.log.locator(`[data-id="${above}"] .message-text`).textContent();
  await choose(anns, words!, 'React with 👍');
  await expect(bobs.log.locator(`[data-id="${above}"] .message-reaction`)).toBeAttached();
  await expect.poll(place).toBe(before);
});

test('in Arabic a time reads from the right, whatever the message says', async ({ relay, person }) => {
  const [anns] = await meet(relay, person);
  const { page } = anns;
  const address = page.url();
  await page.goto(`${relay.url}/#/settings`);
  await page.getByRole('combobox', { name: 'Language' }).selectOption('ar');
  await page.goto(address);
  const bubble = page.getByRole('log').locator('[data-id]').filter({ hasText: 'Hello Ann' });
  const time = bubble.locator('.message-meta time');
  await expect(time).toHaveText(/[صم]$/u);
  await expect(bubble.locator('.message-bubble')).toHaveCSS('direction', 'ltr');
  await expect(time).toHaveCSS('direction', 'rtl');
});

test('who is named in a group is told, and marked', async ({ relay, person }) => {
  test.setTimeout(180_000);
  const [anns, bobs] = await meet(relay, person);
  const cid = await person('Cid');
  const cids = await Sotto.join(cid, await anns.invite(), 'cid');
  await cids.open('ann');
  await cids.send('I am Cid');
  await anns.open('Cid');
  await anns.send('Hello Cid');
  await anns.page.getByRole('button', { name: 'Menu' }).click();
  await anns.page.getByRole('menuitem', { name: 'New group' }).click();
  await anns.page.getByLabel('Name of the group').fill('Trip');
  for (const name of ['Bob', 'Cid'])
    await anns.page.getByRole('checkbox', { name: new RegExp(name) }).check();
  await anns.page.getByRole('button', { name: 'Make the group' }).click();
  await expect(anns.page.getByRole('heading', { name: 'Trip', exact: true })).toBeVisible();
  // Somewhere else.
  await anns.page.goto(`${relay.url}/#/`);

  await bobs.open('Trip');
  await bobs.composer.pressSequentially('Ask @an');
  const list = bobs.page.getByRole('listbox', { name: 'People in this group' });
  await expect(list.getByRole('option')).toHaveCount(1);
  await expectSound(bobs.page, 'completion of names');
  await bobs.page.keyboard.press('Enter');
  await expect(bobs.composer).toHaveValue('Ask @Ann ');
  await expect(bobs.page.locator('.composer-marks mark')).toHaveText('@Ann');
  await bobs.composer.pressSequentially('or **@Cid**');
  await bobs.page.keyboard.press('Escape');
  await bobs.composer.press('Enter');
  await expect(bobs.message('Ask').locator('.mention')).toHaveText(['@Ann', '@Cid']);
  await expect(anns.chat('Trip')).toContainText('1 mention of you');
  await expectSound(bobs.page, 'mentions');
  await anns.open('Trip');
  await expect(anns.message('Ask').locator('.mention[data-me="true"]')).toHaveText('@Ann');
  await cids.open('Trip');
  await expect(cids.message('Ask').locator('.mention[data-me="true"]')).toHaveText('@Cid');
  await expect(cids.message('Ask').locator('strong')).toHaveText('@Cid');

  // A name leads to the page of who has it, or to the members; one's own leads nowhere.
  await bobs.message('Ask').getByRole('link', { name: '@Ann' }).click();
  await expect(bobs.page.getByRole('heading', { name: 'Ann', exact: true })).toBeVisible();
  await expect(bobs.page.getByRole('heading', { name: 'Is it really them?' })).toBeVisible();
  await bobs.page.goBack();
  await bobs.message('Ask').getByRole('link', { name: '@Cid' }).click();
  await expect(bobs.page.getByRole('heading', { name: '3 members' })).toBeVisible();
  await bobs.page.goBack();
  await expect(bobs.message('Ask')).toBeVisible();
  await expect(cids.message('Ask').getByRole('link', { name: '@Cid' })).toHaveCount(0);

  // Another text names others.
  await choose(bobs, 'Ask', 'Edit');
  await expect(bobs.composer).toHaveValue(/Ask/);
  await bobs.composer.fill('Ask @Cid alone');
  await bobs.composer.press('Enter');
  await expect(anns.message('Ask @Cid alone').locator('.mention')).toHaveText(['@Cid']);
  await expect(anns.message('Ask @Cid alone').locator('.mention[data-me="true"]')).toHaveCount(0);
});
