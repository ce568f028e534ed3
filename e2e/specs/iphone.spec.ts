import { devices, type Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';
import { expect, test } from '../fixtures/test.ts';
import { Sotto } from '../pages/sotto.ts';
import { expectSound } from '../pages/talk.ts';

const { defaultBrowserType: _, ...IPHONE } = devices['iPhone 14']!;

test.use({ device: IPHONE });

/** What a finger hits, in CSS pixels. */
const TARGET = 44;

/** Whatever can be operated and is too small for a finger; links and names in the middle of a text may be. */
const small = (page: Page): Promise<string[]> =>
  page.evaluate((least) => {
    const all = document.querySelectorAll<HTMLElement>(
      'button, a[href], input, select, textarea, summary, [role=menuitem], [role=option], [role=gridcell], [role=switch]',
    );
    return [...all].flatMap((element) => {
      const { width, height, top, left } = element.getBoundingClientRect();
      const inText = element.closest('.message-text, p') !== null;
      const seen = width > 1 && height > 1 && element.checkVisibility({ visibilityProperty: true });
      if (!seen || inText) return [];
      // A label is hit as well as the field in it, and what is painted larger for fingers counts with it.
      const around = element.closest('label');
      const box = around?.getBoundingClientRect() ?? { width, height };
      const isHit = (x: number, y: number): boolean => {
        const hit = document.elementFromPoint(x, y);
        return hit !== null && (element.contains(hit) || hit.contains(element));
      };
      const reach = (least - 2) / 2;
      const [x, y] = [left + width / 2, top + height / 2];
      const inSight = y - reach > 0 && y + reach < innerHeight && x - reach > 0 && x + reach < innerWidth;
      const tall = box.height >= least - 0.5 || (inSight && isHit(x, y - reach) && isHit(x, y + reach));
      const wide = box.width >= least - 0.5 || (inSight && isHit(x - reach, y) && isHit(x + reach, y));
      return (tall && wide) || !inSight
        ? []
        : [`${element.outerHTML.slice(0, 120)} is ${Math.round(box.width)} × ${Math.round(box.height)}`];
    });
  }, TARGET);

/** Nothing that scrolls sideways, nothing too small for a finger, nothing for axe. */
const expectFit = async (page: Page, screen: string): Promise<void> => {
  const wider = await page.evaluate(() =>
    [...document.querySelectorAll<HTMLElement>('html, body, main, main *, dialog, dialog *')].flatMap(
      (element) => {
        const { overflowX } = getComputedStyle(element);
        const scrolls =
          element === document.documentElement || overflowX === 'auto' || overflowX === 'scroll';
        const over = element.scrollWidth - element.clientWidth;
        return scrolls && over > 1 && element.clientWidth > 0
          ? [`${element.outerHTML.slice(0, 80)} by ${over}`]
          : [];
      },
    ),
  );
  expect.soft(wider, `${screen} scrolls sideways`).toEqual([]);
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

/** The way to the list, and back to a chat. */
const toList = (page: Page): Promise<void> => page.getByRole('link', { name: 'Back to chats' }).tap();

test('two people with an iPhone: invite, join, write, read', async ({ relay, person }) => {
  test.setTimeout(240_000);
  const arrive = arriving(person);
  const ann = await arrive('Ann');
  const bob = await arrive('Bob');
  const joining = await ann.open(relay.invite);
  await expect(joining.getByText('As an app on an iPhone or iPad')).toBeVisible();
  await expectFit(joining, 'joining');
  const anns = await join(ann, relay.invite, 'ann');
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
