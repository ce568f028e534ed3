import { expect, type Locator, type Page } from '@playwright/test';
import { type Film, pose, shoot } from './camera.ts';
import { rowOf, type Story } from './story.ts';
import type { Words } from './words.ts';

/** Has the page believe that its worker said so of the state of the engine. */
const pretend = (page: Page, set: object, unset: readonly string[] = []): Promise<void> =>
  page.evaluate(
    ([set, unset]) => {
      const { worker } = globalThis as unknown as { worker: Worker };
      const patch = { set, unset, lists: {} };
      worker.dispatchEvent(new MessageEvent('message', { data: { kind: 'patch', view: 1, patch } }));
    },
    [set, unset] as const,
  );

/** For `pretend`: the worker is kept, and is not told that what it did not say was taken. */
export const keepWorker = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    const Native = Worker;
    globalThis.Worker = class extends Native {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given);
        let pretended = 0;
        Object.assign(globalThis, { worker: this });
        this.addEventListener('message', ({ isTrusted, data }) => {
          if (!isTrusted && data.kind === 'patch') pretended += 1;
        });
        const post = this.postMessage.bind(this);
        this.postMessage = (message: { kind: string }) => {
          if (message.kind === 'took' && pretended > 0) pretended -= 1;
          else post(message);
        };
      }
    };
  });

/** As a window of the installed app whose buttons stand in the app: its own rules for that, with the room that is left. */
const inWindow = (page: Page, area: { x: number; width: number; height: number }): Promise<void> =>
  page.evaluate(({ x, width, height }) => {
    const rules = [...document.styleSheets]
      .flatMap((sheet) => [...sheet.cssRules])
      .filter((rule) => rule instanceof CSSMediaRule)
      .filter((rule) => rule.conditionText.includes('window-controls-overlay'))
      .flatMap((rule) => [...rule.cssRules])
      .map(({ cssText }) =>
        cssText
          .replaceAll(/env\(titlebar-area-x[^)]*\)/g, `${x}px`)
          .replaceAll(/env\(titlebar-area-width[^)]*\)/g, `${width}px`)
          .replaceAll(/env\(titlebar-area-height[^)]*\)/g, `${height}px`),
      );
    if (rules.length === 0) throw new Error('There are no rules for it.');
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(rules.join('\n'));
    document.adoptedStyleSheets = [sheet];
  }, area);

/** Through all that somebody with an account meets, in one language, with a picture of each. */
export const walk = async ({ mara, chats, links }: Story, word: Words, film: Film): Promise<void> => {
  const { page } = mara;
  const take = (screen: string): Promise<void> => shoot(page, screen, film);
  const button = (key: string, values?: Record<string, string>): Locator =>
    page.getByRole('button', { name: word(key, values), exact: true });
  const dialog = page.getByRole('dialog');
  const menu = page.getByRole('menu');
  const choose = (key: string, values?: Record<string, string>): Promise<void> =>
    page.getByRole('menuitem', { name: word(key, values), exact: true }).click();
  /** From anywhere to a path, in a window that has room for everything. */
  const go = async (path: string): Promise<void> => {
    await page.evaluate((hash) => {
      location.hash = '/starting-point';
      location.hash = hash;
    }, path);
    await pose(page, 'desktop-light');
  };
  const close = async (): Promise<void> => {
    await page.keyboard.press('Escape');
    await expect(dialog).toHaveCount(0);
  };
  const composer = page.getByRole('textbox', { name: word('conversation.message'), exact: true });
  const message = (text: string): Locator =>
    page
      .getByRole('log')
      .locator('[data-id]')
      .filter({ has: page.locator('.message-text', { hasText: text }) });
  const menuOf = async (text: string): Promise<void> => {
    await message(text)
      .locator('.message-bubble')
      .click({ button: 'right', position: { x: 8, y: 8 } });
    await expect(menu).toBeVisible();
  };
  /** A menu is opened anew for each picture: it stands where it was asked for. */
  const takeMenu = (screen: string, open: () => Promise<void>): Promise<void> =>
    shoot(page, screen, film, {
      open: async () => {
        await open();
        await expect(menu).toBeVisible();
      },
      close: async () => {
        await page.keyboard.press('Escape');
        await expect(menu).toBeHidden();
      },
    });
  const chat = async (path: string): Promise<void> => {
    await go(path);
    await expect(page.locator('.conversation-head h1')).toBeVisible();
  };
  const failed: string[] = [];
  /** One that fails keeps no other from being seen. */
  const part = async (what: string, work: () => Promise<void>): Promise<void> => {
    try {
      await work();
    } catch (error) {
      failed.push(`${film.language}, ${what}: ${String(error).slice(0, 600)}`);
      for (let count = 0; count < 3; count += 1) await page.keyboard.press('Escape');
    }
  };

  await part('the list', async () => {
    await go('/');
    await expect(page.locator('.chat-row').first()).toBeVisible();
    await take('list');
    await pose(page, 'desktop-light');
    await takeMenu('list-menu', () => rowOf(page, 'Emil').click({ button: 'right' }));
    await pose(page, 'desktop-light');
    await page.locator('.chat-line[aria-expanded]').click();
    await take('list-archive');
    await pose(page, 'desktop-light');
    await page.locator('.chat-line[aria-expanded]').click();
    await page.getByRole('searchbox').first().fill('tent');
    await expect(page.locator('mark').first()).toBeVisible();
    await take('list-search');
    await page.getByRole('searchbox').first().fill('nowhere');
    await expect(page.locator('mark')).toHaveCount(0);
    await take('list-search-nothing');
    await page.getByRole('searchbox').first().fill('');
  });

  await part('what the list leads to', async () => {
    await pose(page, 'desktop-light');
    await button('chats.menu').click();
    await expect(menu).toBeVisible();
    await take('menu');
    await choose('people.contactLink');
    await expect(dialog.locator('.qr-code')).toBeVisible();
    await take('contact-link');
    await close();
    await pose(page, 'desktop-light');
    await button('people.invite').click();
    await expect(dialog.locator('input')).toHaveValue(/join/);
    await take('invite');
    await close();
    await pose(page, 'desktop-light');
    await button('people.newChat').click();
    await expect(dialog).toBeVisible();
    await take('new-chat');
    await dialog.getByRole('textbox').fill('a b');
    await dialog.getByRole('button', { name: word('people.startChat') }).click();
    await take('new-chat-wrong');
    await dialog.getByRole('button', { name: word('trust.scanLink') }).click();
    await expect(dialog.getByRole('alert')).toBeVisible();
    await take('scan-without-camera');
    await close();
  });

  await part('a conversation', async () => {
    await chat(chats.jonas);
    await expect(message('the seeded one')).toBeVisible();
    await take('conversation');
    await pose(page, 'desktop-light');
    await takeMenu('message-menu', () => menuOf('I wrote to you from there'));
    await pose(page, 'desktop-light');
    await menuOf('I wrote to you from there');
    await choose('conversation.details');
    await expect(dialog).toBeVisible();
    await take('details');
    await close();
    await pose(page, 'desktop-light');
    await menuOf('I wrote to you from there');
    await choose('conversation.delete');
    await take('delete');
    await close();
    await pose(page, 'desktop-light');
    await menuOf('I wrote to you from there');
    await choose('writing.forward');
    await dialog.getByRole('checkbox').first().check();
    await take('forward');
    await close();
    await pose(page, 'desktop-light');
    await message('Breakfast at half past')
      .getByRole('button', { name: word('conversation.edited') })
      .click();
    await expect(dialog).toBeVisible();
    await take('versions');
    await close();
  });

  await part('writing', async () => {
    await chat(chats.jonas);
    await menuOf('rye');
    await choose('conversation.reply');
    await composer.fill('Rye, and two of the others :');
    await take('reply');
    await composer.pressSequentially('cro');
    await expect(page.getByRole('listbox')).toBeVisible();
    await take('emoji-names');
    await composer.fill('');
    await page.keyboard.press('Escape');
    await pose(page, 'desktop-light');
    await button('writing.emojiTitle').click();
    await expect(page.getByRole('gridcell').first()).toBeVisible();
    await take('emoji');
    await page.keyboard.press('Escape');
    await pose(page, 'desktop-light');
    await composer.fill('A long one. '.repeat(760));
    await take('too-long');
    await composer.fill('');
  });

  await part('the head of a conversation', async () => {
    await chat(chats.jonas);
    await page.locator('.conversation-head').getByRole('button').first().click();
    await page.locator('.search-bar input').fill('lamp');
    await page.locator('.search-bar input').fill('train');
    await expect(page.locator('.search-bar').getByRole('status')).toHaveText(/\S/);
    await take('search-here');
    await page.keyboard.press('Escape');
    await pose(page, 'desktop-light');
    await button('conversation.menu').click();
    await take('chat-menu');
    await choose('conversation.timerTitle');
    await expect(dialog).toBeVisible();
    await take('timer');
    await close();
  });

  await part('somebody', async () => {
    await go(chats.jonas.replace('/c/', '/about/'));
    await expect(page.getByRole('heading', { name: word('trust.title') })).toBeVisible();
    await take('contact');
    await pose(page, 'desktop-light');
    await button('trust.compare').click();
    await expect(dialog.locator('.qr-code')).toBeVisible();
    await take('safety-number');
    await button('trust.scan').click();
    await expect(dialog.getByRole('alert')).toBeVisible();
    await take('scan');
    await close();
    await pose(page, 'desktop-light');
    await button('trust.showCode').click();
    await take('contact-code');
    await close();
    await pose(page, 'desktop-light');
    await page.getByRole('main').locator('.about-danger').click();
    await take('block');
    await close();
  });

  await part('requests', async () => {
    await chat(chats.vera);
    await take('identity-changed');
    await chat(chats.nora);
    await take('request');
    await go('/requests');
    await expect(page.locator('.request')).toBeVisible();
    await take('requests');
  });

  await part('a group', async () => {
    await chat(chats.group);
    await expect(message('which train')).toBeVisible();
    await take('group-conversation');
    await pose(page, 'desktop-light');
    await composer.pressSequentially('@');
    await expect(page.getByRole('listbox')).toBeVisible();
    await take('names');
    await composer.fill('');
    await pose(page, 'desktop-light');
    await menuOf('Here is the plan');
    await choose('conversation.details');
    await take('group-details');
    await close();
  });

  await part('the page of a group', async () => {
    await go(chats.group.replace('/c/', '/about/'));
    await expect(page.locator('.member').first()).toBeVisible();
    await take('group');
    await pose(page, 'desktop-light');
    await page.locator('.member', { hasText: 'Ida' }).getByRole('button').click();
    await take('member-menu');
    await choose('groups.remove');
    await take('member-remove');
    await close();
    await pose(page, 'desktop-light');
    await button('groups.edit').click();
    await take('group-edit');
    await close();
    await pose(page, 'desktop-light');
    await button('groups.add').click();
    await take('group-add');
    await close();
  });

  await part('a link into a group', async () => {
    await go(chats.group.replace('/c/', '/about/'));
    await button('groups.showLink').scrollIntoViewIfNeeded();
    await take('group-link');
    await pose(page, 'desktop-light');
    await button('groups.showLink').click();
    await expect(dialog.locator('.qr-code')).toBeVisible();
    await take('group-link-code');
    await close();
    await pose(page, 'desktop-light');
    await button('groups.resetLink').click();
    await take('group-link-reset');
    await close();
    await pose(page, 'desktop-light');
    await page.locator('.join-request').scrollIntoViewIfNeeded();
    await take('group-requests');
    await pose(page, 'desktop-light');
    await page.locator('.join-request .button-main').click();
    await take('group-let-in');
    await close();
  });

  await part('joining a group', async () => {
    await go(links.good);
    await expect(button('groups.joinAsk')).toBeVisible();
    await take('join-group');
    await pose(page, 'desktop-light');
    await button('groups.joinAsk').click();
    await expect(button('groups.joinForget')).toBeVisible();
    await take('join-group-asked');
    await go('/');
    await expect(button('groups.joinForget')).toBeVisible();
    await take('list-joining');
    await pose(page, 'desktop-light');
    await button('groups.joinForget').click();
    await go(links.dead);
    await expect(page.getByRole('alert')).toHaveText(/\S/);
    await take('join-group-dead');
  });

  await part('a new group', async () => {
    await go('/new-group');
    await expect(page.getByRole('checkbox').first()).toBeVisible();
    await page.getByRole('checkbox').nth(1).check();
    await take('new-group');
  });

  await part('the rest', async () => {
    await go('/starred');
    await expect(page.locator('.starred')).toBeVisible();
    await take('starred');
    await go('/share?text=https%3A%2F%2Fexample.org%2Flake');
    await expect(page.getByRole('heading', { name: word('chats.shareTitle') })).toBeVisible();
    await take('share');
  });

  await part('settings', async () => {
    await go('/settings');
    const headings = page.locator('.chats-main section');
    await expect(headings.first()).toBeVisible();
    await take('settings');
    const sections = await headings.count();
    for (let at = 2; at < sections; at += 3) {
      await headings.nth(at).scrollIntoViewIfNeeded();
      await headings.nth(at).evaluate((section) => section.scrollIntoView({ block: 'start' }));
      await take(`settings-${at}`);
    }
    await pose(page, 'desktop-light');
    await button('writing.keysOpen').click();
    await expect(dialog).toBeVisible();
    await take('keys');
    await close();
    await pose(page, 'desktop-light');
    await button('settings.signOut').click();
    await take('sign-out');
    await close();
    await pose(page, 'desktop-light');
    await button('settings.delete').click();
    await take('delete-account');
    await close();
  });

  await part('a window of the installed app', async () => {
    await chat(chats.jonas);
    await inWindow(page, { x: 0, width: 1140, height: 33 });
    await shoot(page, 'window', { ...film, looks: () => ['desktop-light'] });
    await page.evaluate(() => {
      document.adoptedStyleSheets = [];
    });
  });

  await part('what may come between', async () => {
    await chat(chats.emil);
    const pretends: [screen: string, set: object, unset: string[]][] = [
      ['copied', { alarm: 'profile-copied' }, ['alarm']],
      ['own-changed', { alarm: 'identity-changed' }, ['alarm']],
      ['full', { storeProblem: 'full' }, ['storeProblem']],
      ['offline', { connection: 'offline' }, []],
      ['refused', { connection: 'offline', refusal: 'device-unknown' }, ['refusal']],
      ['removed', { connection: 'offline', phase: 'removed' }, []],
    ];
    for (const [screen, set, unset] of pretends) {
      await pretend(page, set);
      await page.waitForTimeout(1200);
      await take(screen);
      if ('alarm' in set) {
        await pose(page, 'desktop-light');
        await button('app.decide').click();
        await take(`${screen}-decide`);
        await close();
      }
      await pretend(page, { connection: 'online', phase: 'ready' }, unset);
    }
  });
  expect(failed).toEqual([]);
};
