import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

/** Presses Tab until the named thing has the focus, which has to show. */
const tabTo = async (page: Page, name: string, key = 'Tab'): Promise<void> => {
  for (let presses = 0; presses < 25; presses += 1) {
    await page.keyboard.press(key);
    const focused = page.locator(':focus');
    if ((await focused.count()) === 0) continue;
    const label = await focused.evaluate((element) => {
      const field = element as HTMLInputElement;
      return field.ariaLabel ?? field.labels?.[0]?.textContent ?? element.textContent ?? '';
    });
    if (!label.includes(name)) continue;
    const shown = await focused.evaluate((element) => {
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      const ring = outlineStyle !== 'none' && outlineWidth !== '0px';
      const parent = getComputedStyle(element.parentElement!);
      return ring || boxShadow !== 'none' || parent.boxShadow !== 'none' || parent.outlineStyle !== 'none';
    });
    expect(shown, `${name} shows that it has the focus`).toBe(true);
    return;
  }
  throw new Error(`${key} does not reach ${name}`);
};

test('a person can do everything from the keyboard', async ({ relay, person }) => {
  test.setTimeout(240_000);
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const link = await anns.invite();
  const { page } = bob;
  const keys = page.keyboard;
  await bob.open(link);

  await expect(page.getByLabel('Your name')).toBeVisible();
  await tabTo(page, 'Your name');
  await keys.type('Bob');
  await tabTo(page, 'Handle');
  await keys.press('Control+A');
  await keys.type('bob_by_keys');
  await keys.press('Enter');
  const bobs = new Sotto(page);
  await expect(bobs.chat('ann')).toBeVisible();
  // Who was invited is where one writes to who did that.
  await expect(bobs.composer).toBeFocused();
  await keys.type('by keys alone :tada:');
  await expect(bobs.composer).toHaveValue('by keys alone 🎉');
  await keys.press('Enter');
  await bobs.expectStatus('by keys alone', 'Delivered');
  await anns.open('Bob');
  await anns.send('What do you think?');
  await expect(bobs.message('What do you think?')).toBeVisible();

  // Back to the messages: the arrows go through them.
  await tabTo(page, 'Messages with Ann', 'Shift+Tab');
  await keys.press('ArrowUp');
  await keys.press('ArrowUp');
  await expect(bobs.message('by keys alone')).toBeFocused();
  await keys.press('ArrowDown');
  const question = bobs.log.getByRole('group', { name: /^Ann: What do you think\?/ });
  await expect(question).toBeFocused();
  // Whoever cannot see it hears all of it.
  await expect(question).toHaveAccessibleName(/^Ann: What do you think\? \d\d:\d\d/);
  await keys.press('r');
  await expect(page.getByText('Reply to Ann')).toBeVisible();
  await expect(bobs.composer).toBeFocused();
  await keys.press('Escape');
  await expect(page.getByText('Reply to Ann')).toBeHidden();
  await expect(bobs.composer).toBeFocused();
  await tabTo(page, 'Messages with Ann', 'Shift+Tab');
  await keys.press('ArrowUp');
  await expect(question).toBeFocused();
  await keys.press('r');
  await keys.type('Good');
  await keys.press('Enter');
  await expect(anns.message('Good')).toContainText('What do you think?');
  await keys.press('ArrowUp');
  await expect(bobs.composer).toHaveValue('Good');
  await keys.press('End');
  await keys.type(' enough');
  await keys.press('Enter');
  await expect(anns.message('Good enough')).toBeVisible();

  await tabTo(page, 'Messages with Ann', 'Shift+Tab');
  await keys.press('ArrowUp');
  await keys.press('ArrowUp');
  await expect(question).toBeFocused();
  await keys.press('a');
  await expect(page.getByRole('dialog', { name: 'Emoji' }).getByRole('searchbox')).toBeFocused();
  await keys.type('owl');
  await expect(page.getByRole('gridcell').first()).toHaveAccessibleName('owl');
  await keys.press('Enter');
  await expect(anns.log.getByRole('button', { name: '🦉 from 1 person' })).toBeVisible();
  await expect(question).toBeFocused();
  await keys.press('s');
  await expect(question.getByTitle('Starred')).toBeVisible();
  await keys.press('i');
  await expect(page.getByRole('dialog', { name: 'Details' })).toBeVisible();
  await keys.press('Escape');
  await expect(question).toBeFocused();
  await keys.press('f');
  const forward = page.getByRole('dialog', { name: 'Forward to' });
  await expect(forward.getByRole('searchbox')).toBeFocused();
  await keys.press('Tab');
  await expect(forward.getByRole('checkbox', { name: 'Ann' })).toBeFocused();
  await keys.press('Space');
  await tabTo(page, 'Forward to 1 chat');
  await keys.press('Enter');
  await expect(anns.log.getByText('Forwarded', { exact: true })).toBeVisible();

  await expect(question).toBeFocused();
  await keys.press('ArrowDown');
  await expect(bobs.message('Good enough')).toBeFocused();
  await keys.press('Delete');
  const remove = page.getByRole('dialog', { name: 'Delete this message?' });
  await expect(remove).toBeVisible();
  await keys.press('Escape');
  await expect(remove).toBeHidden();

  await keys.press('?');
  const list = page.getByRole('dialog', { name: 'Keyboard' });
  await expect(list).toContainText('Search in all chats');
  await expectSound(page, 'keys');
  await keys.press('Escape');
  await expect(list).toBeHidden();
  await keys.press('Control+/');
  await expect(list).toBeVisible();
  await keys.press('Escape');
  await expect(list).toBeHidden();
  await keys.press('Control+F');
  await keys.type('enough');
  await expect(page.getByText('1 of 1')).toBeVisible();
  await keys.press('Escape');
  await keys.press('Control+K');
  await expect(page.getByRole('searchbox', { name: 'Search', exact: true })).toBeFocused();
  await keys.type('keys alone');
  await expect(page.locator('mark').first()).toBeVisible();
  await tabTo(page, 'keys alone');
  await keys.press('Enter');
  await expect(bobs.message('by keys alone')).toBeInViewport();
  const search = page.getByRole('searchbox', { name: 'Search', exact: true });
  await keys.press('Control+K');
  await expect(search).toBeFocused();
  await keys.press('Escape');
  await expect(search).toHaveValue('');

  await tabTo(page, 'New chat', 'Shift+Tab');
  await keys.press('Enter');
  await expect(page.getByRole('dialog', { name: 'New chat' })).toBeVisible();
  await keys.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(page.getByRole('button', { name: 'New chat' })).toBeFocused();
});

test('a phone’s keyboard covers neither the field nor the newest message', async ({ relay, person }) => {
  const ann = await person('Ann');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bob = await person('Bob');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  for (let count = 1; count <= 14; count += 1) await bobs.send(`number ${count}.`);
  await anns.page.setViewportSize({ width: 390, height: 844 });
  await anns.open('Bob');
  await expect(anns.message('number 14.')).toBeInViewport();
  // Who is at the end has read all of it.
  await bobs.expectStatus('number 14.', 'Read');
  /** As iOS tells of its keyboard, which lies over the page. */
  const cover = (height: number | undefined): Promise<void> =>
    anns.page.evaluate((seen) => {
      const { visualViewport } = window;
      if (seen === undefined) delete (visualViewport as unknown as { height?: number }).height;
      else Object.defineProperty(visualViewport, 'height', { value: seen, configurable: true });
      visualViewport!.dispatchEvent(new Event('resize'));
    }, height);
  const bottomOf = async (text: string): Promise<number> => {
    const box = await anns.message(text).boundingBox();
    return box!.y + box!.height;
  };
  const field = async (): Promise<number> => (await anns.composer.boundingBox())!.y;
  await cover(480);
  await expect.poll(async () => (await field()) < 480).toBe(true);
  await expect.poll(async () => (await bottomOf('number 14.')) <= (await field())).toBe(true);
  await cover(undefined);
  await expect.poll(async () => (await field()) > 700).toBe(true);
  await expect.poll(async () => (await bottomOf('number 14.')) <= (await field())).toBe(true);
});
