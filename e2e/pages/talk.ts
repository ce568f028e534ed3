import { AxeBuilder } from '@axe-core/playwright';
import { expect, type Locator, type Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';
import type { RelayProcess } from '../fixtures/relay.ts';
import { Sotto } from './sotto.ts';

/** Two people with each other's conversation open. */
export const meet = async (
  relay: RelayProcess,
  person: (name: string) => Promise<Person>,
): Promise<[Sotto, Sotto]> => {
  const ann = await person('Ann');
  const bob = await person('Bob');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'bob');
  await bobs.open('ann');
  await bobs.send('Hello Ann');
  await anns.open('Bob');
  await anns.send('Hello Bob');
  await expect(bobs.message('Hello Bob')).toBeVisible();
  return [anns, bobs];
};

/** Waits until a list has stopped to scroll. */
export const expectStanding = (log: Locator): Promise<void> =>
  log.evaluate(async (box) => {
    let last = Number.NaN;
    for (let frames = 0; frames < 30; frames += 1) {
      await new Promise(requestAnimationFrame);
      if (box.scrollTop !== last) frames = 0;
      last = box.scrollTop;
    }
  });

export const openMenu = async (message: Locator, page: Page): Promise<Locator> => {
  await message.locator('.message-bubble').click({ button: 'right', position: { x: 8, y: 8 } });
  const menu = page.getByRole('menu');
  await expect(menu).toBeVisible();
  return menu;
};

export const choose = async (sotto: Sotto, text: string, item: string): Promise<void> => {
  const menu = await openMenu(sotto.message(text), sotto.page);
  await menu.getByRole('menuitem', { name: item, exact: true }).click();
  await expect(menu).toBeHidden();
};

export const expectSound = async (page: Page, what: string): Promise<void> => {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(
    violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
    what,
  ).toEqual([]);
};
