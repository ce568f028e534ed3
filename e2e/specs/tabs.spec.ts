import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

/** Everything that somebody is to see, in every one of these tabs, and nothing twice. */
const expectTexts = async (tabs: readonly Sotto[], texts: readonly string[]): Promise<void> => {
  for (const tab of tabs) await expect.poll(() => tab.texts()).toEqual(texts);
};

/** The worker of a page does nothing for so long, as if it were frozen. */
const stall = (page: Page, ms: number): void => {
  const [worker] = page.workers();
  void worker!.evaluate((wait) => {
    const end = Date.now() + wait;
    while (Date.now() < end);
  }, ms);
};

test('three tabs are live: each sends, each sees at once what the others sent and what comes', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const first = await Sotto.join(bob, await anns.invite(), 'bob');
  await first.open('ann');
  const tabs = [first];
  while (tabs.length < 3) tabs.push(new Sotto(await bob.tab(bob.page.url())));
  for (const [index, tab] of tabs.entries()) await tab.send(`from tab ${index}`);
  const mine = ['from tab 0', 'from tab 1', 'from tab 2'];
  await expectTexts(tabs, mine);
  for (const tab of tabs) await tab.expectStatus('from tab 2', 'Delivered');
  await anns.open('Bob');
  await anns.send('answer');
  await expectTexts([...tabs, anns], [...mine, 'answer']);

  // The writer goes; its successor is a tab that was open all the time.
  await tabs[1]!.page.evaluate(() => Object.assign(window, { kept: document.querySelector('[data-id]') }));
  await first.page.close();
  await tabs[2]!.send('after the first tab');
  await tabs[2]!.expectStatus('after the first tab', 'Read');
  await anns.send('and back');
  await expectTexts([tabs[1]!, tabs[2]!, anns], [...mine, 'answer', 'after the first tab', 'and back']);
  expect(
    await tabs[1]!.page.evaluate(() => {
      const { kept } = window as unknown as { kept: Element };
      return kept.isConnected;
    }),
    'nothing was drawn anew',
  ).toBe(true);
});

test('the tab that writes is closed in the middle of a batch: nothing is lost, nothing comes twice', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const writer = await Sotto.join(bob, await anns.invite(), 'bob');
  await writer.open('ann');
  const second = new Sotto(await bob.tab(bob.page.url()));
  await expect(second.composer).toBeVisible();
  const expected: string[] = [];
  let closing: Promise<void> | undefined;
  for (let index = 0; index < 30; index += 1) {
    const text = `batch ${index};`;
    expected.push(text);
    await second.composer.fill(text);
    await second.composer.press('Enter');
    if (index === 10) closing = writer.page.close();
  }
  await closing;
  await second.expectStatus('batch 29;', 'Delivered');
  await expect.poll(() => second.texts()).toEqual(expected);
  await anns.open('Bob');
  await expectTexts([anns, second], expected);
});

test('F15 a tab that does not answer is replaced, and follows when it comes back', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const frozen = await Sotto.join(bob, await anns.invite(), 'bob');
  await frozen.open('ann');
  await frozen.send('before');
  await frozen.expectStatus('before', 'Delivered');
  const second = new Sotto(await bob.tab(bob.page.url()));
  await expect(second.message('before')).toBeVisible();
  stall(frozen.page, 12_000);
  await second.send('meanwhile');
  await second.expectStatus('meanwhile', 'Delivered');
  await expect(frozen.message('meanwhile')).toBeVisible();
  await frozen.send('after');
  await second.send('last');
  await anns.open('Bob');
  await expectTexts([anns, frozen, second], ['before', 'meanwhile', 'after', 'last']);
});

test('F15 a frozen page is replaced too', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const frozen = await Sotto.join(bob, await anns.invite(), 'bob');
  await frozen.open('ann');
  const second = new Sotto(await bob.tab(bob.page.url()));
  await expect(second.composer).toBeVisible();
  const session = await bob.context.newCDPSession(frozen.page);
  await session.send('Page.setWebLifecycleState', { state: 'frozen' });
  await second.send('while it is frozen');
  await second.expectStatus('while it is frozen', 'Delivered');
  await session.send('Page.setWebLifecycleState', { state: 'active' });
  await frozen.send('thawed');
  await anns.open('Bob');
  await expectTexts([anns, frozen, second], ['while it is frozen', 'thawed']);
});

test('a tab beside one that has no account yet sees it come', async ({ relay, person }) => {
  const ann = await person('Ann');
  const first = new Sotto(await ann.open(relay.invite));
  const second = await ann.tab();
  await expect(second.getByRole('heading', { name: 'Sotto is by invitation' })).toBeVisible();
  await first.fillIn('Ann', 'ann');
  await expect(first.page.getByRole('button', { name: 'Menu' })).toBeVisible();
  await expect(second.getByRole('button', { name: 'Menu' })).toBeVisible();
});
