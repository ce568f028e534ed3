import { expect, test } from '../fixtures/test.ts';

test('the page about the interface shows it and asks nobody else for anything', async ({ relay, person }) => {
  const reader = await person('Reader');
  const asked = new Set<string>();
  reader.page.on('request', (request) => asked.add(new URL(request.url()).origin));
  await reader.page.goto(`${relay.url}/docs`);
  await expect(reader.page.getByText('/v1/channels/{channel}/entries')).toBeVisible();
  await reader.page.getByText('Deletes the account and everything of it.').click();
  await expect(reader.page.getByText('Done.').first()).toBeVisible();
  expect([...asked]).toEqual([new URL(relay.url).origin]);
});
