import type { Page } from '@playwright/test';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

const MONTH = 31 * 24 * 60 * 60_000;

/** Lets a month pass for the sealing keys in a profile, from where its service worker serves no app. */
const ageKeys = async (page: Page): Promise<void> => {
  await page.goto('/v1/nothing');
  await page.evaluate(
    (ms) =>
      new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open('sotto');
        opening.addEventListener('error', () => reject(opening.error!));
        opening.addEventListener('success', () => {
          const tx = opening.result.transaction('self', 'readwrite');
          const rows = tx.objectStore('self');
          const reading = rows.get('self');
          reading.addEventListener('success', () => {
            const self = reading.result as { sealing: { createdAt: number }[] };
            for (const key of self.sealing) key.createdAt -= ms;
            rows.put(self);
          });
          tx.addEventListener('abort', () => reject(tx.error!));
          tx.addEventListener('complete', () => {
            opening.result.close();
            resolve();
          });
        });
      }),
    MONTH,
  );
};

/** How many sealing keys in a profile the relay has had. */
const published = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve, reject) => {
        const opening = indexedDB.open('sotto');
        opening.addEventListener('error', () => reject(opening.error!));
        opening.addEventListener('success', () => {
          const reading = opening.result.transaction('self').objectStore('self').get('self');
          reading.addEventListener('success', () => {
            opening.result.close();
            const self = reading.result as { sealing: { publishedAt?: number }[] };
            resolve(self.sealing.filter(({ publishedAt }) => publishedAt !== undefined).length);
          });
        });
      }),
  );

test('A7: a copy of a profile that comes back is told so, sends nothing, and can go on; then the other stops', async ({
  relay,
  person,
}) => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('hello');
  await bobs.expectStatus('hello', 'Delivered');

  const copy = await person('the copy', bob);
  bob.expectFailures(/404/);
  await ageKeys(bob.page);
  const first = new Sotto(await bob.open());
  await first.open('Ann');
  await first.send('from the first');
  await first.expectStatus('from the first', 'Delivered');
  await expect.poll(() => published(bob.page)).toBe(2);

  const second = new Sotto(await copy.open());
  const alarm = second.page.getByText('This profile was copied');
  await expect(alarm).toBeVisible();
  await second.open('Ann');
  await second.send('from the copy');
  await second.expectStatus('from the copy', 'Waiting');
  await anns.open('Bob');
  await expect.poll(() => anns.texts()).toEqual(['hello', 'from the first']);

  await expectSound(second.page, 'a copied profile');
  await second.page.getByRole('button', { name: 'Decide…' }).click();
  await expectSound(second.page, 'whether to go on');
  await second.page.getByRole('dialog').getByRole('button', { name: 'Go on here' }).click();
  await expect(alarm).toHaveCount(0);
  await second.expectStatus('from the copy', 'Read');
  await expect.poll(() => anns.texts()).toContain('from the copy');
  await bob.restart();
  await bob.open();
  await expect(bob.page.getByText('This profile was copied')).toBeVisible();
});
