import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';

test('F15 a second tab says that Sotto is open elsewhere, and can take over', async ({ relay, person }) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('from the first tab');
  await bobs.expectStatus('from the first tab', 'Delivered');

  const second = new Sotto(await bob.context.newPage());
  await second.page.goto(bob.page.url());
  await expect(second.page.getByRole('heading', { name: 'Sotto is open in another tab' })).toBeVisible();
  await second.page.getByRole('button', { name: 'Use it here' }).click();
  await expect(second.message('from the first tab')).toBeVisible();
  await expect(bob.page.getByRole('heading', { name: 'Sotto is open in another tab' })).toBeVisible();

  await second.send('from the second tab');
  await second.expectStatus('from the second tab', 'Delivered');
  await bob.page.getByRole('button', { name: 'Use it here' }).click();
  await expect(bobs.message('from the second tab')).toBeVisible();
  await bobs.send('from the first again');
  await anns.open('Bob');
  await expect(anns.message('from the first again')).toBeVisible();
  expect(await anns.texts()).toEqual(['from the first tab', 'from the second tab', 'from the first again']);
});

test('F15 closing the tab that is in use leaves the store free for the next', async ({ relay, person }) => {
  const ann = await person('Ann');
  await Sotto.join(ann, relay.invite, 'ann');
  const second = await ann.context.newPage();
  await ann.page.close();
  await second.goto(relay.url);
  await expect(second.getByRole('button', { name: 'Menu' })).toBeVisible();
});
