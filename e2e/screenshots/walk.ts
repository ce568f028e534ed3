import { expect, type Locator } from '@playwright/test';
import { type Film, pose, shoot } from './camera.ts';
import { alter, inWindow, pretend } from './pretend.ts';
import { NOW, rowOf, type Story } from './story.ts';
import type { Words } from './words.ts';

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
    // Where no picture is taken of it, it may still be on its way.
    await expect(dialog).toBeVisible();
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
    if (film.parts && !film.parts.includes(what)) return;
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

  await part('the offer to install', async () => {
    await go('/');
    const tell = (name: string): Promise<boolean> =>
      page.evaluate((name) => dispatchEvent(new Event(name, { cancelable: true })), name);
    await tell('beforeinstallprompt');
    await expect(page.locator('.install-card')).toBeVisible();
    await take('list-install');
    await tell('appinstalled');
    await expect(page.locator('.install-card')).toHaveCount(0);
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
    const drag = (type: string): Promise<void> =>
      page.evaluate((type) => {
        const dataTransfer = new DataTransfer();
        dataTransfer.items.add(new File(['x'], 'x.txt'));
        document.body.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      }, type);
    await drag('dragover');
    await expect(page.locator('.composer-drop')).toBeVisible();
    await take('drop');
    await drag('dragleave');
  });

  await part('what becomes of messages', async () => {
    await chat(chats.jonas);
    const idOf = (text: string): Promise<string | null> => message(text).getAttribute('data-id');
    for (const [text, change] of [
      ['Just now. The last train', { status: 'failed', problem: 'device-unknown', retry: true }],
      ['Half past nine. I’ll bring bread', { timer: 3600, expiresAt: NOW + 20 * 60_000 }],
      ['They have the seeded one too', { timer: 86_400, expiresAt: NOW + 20 * 3_600_000 }],
    ] as const)
      await alter(page, (await idOf(text))!, change);
    await expect(page.locator('.message-failed')).toBeVisible();
    await take('messages-failed-and-going');
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
    await button('trust.same').click();
    await expect(button('trust.done')).toBeVisible();
    await take('verified');
    await button('trust.done').click();
    await pose(page, 'desktop-light');
    await button('trust.takeBack').click();
    await button('trust.compare').click();
    await expect(dialog.locator('.qr-code')).toBeVisible();
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

  await part('where nothing can be written', async () => {
    const group = chats.group.split('/')[2]!;
    const emil = chats.emil.split('/')[2]!;
    for (const [screen, path, id, change] of [
      ['blocked', chats.emil, emil, { blocked: true }],
      ['group-fork', chats.group, group, { group: { stopped: 'group-fork' } }],
      ['group-roster', chats.group, group, { group: { stopped: 'roster-mismatch' } }],
      ['group-invalid', chats.group, group, { group: { stopped: 'membership-invalid' } }],
      ['group-left', chats.group, group, { group: { role: null } }],
      ['group-admins-only', chats.group, group, { group: { role: 'member', policy: { adminsPost: true } } }],
    ] as const) {
      await chat(path);
      // Its worker may still have something to say of it.
      await expect(async () => {
        await alter(page, id, change);
        await expect(composer).toBeHidden({ timeout: 1000 });
      }).toPass({ timeout: 30_000 });
      await take(screen);
      await alter(page, id, {});
    }
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
    const pretends: [screen: string, set: Record<string, unknown>, unset: string[]][] = [
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
  await part('a newer version', async () => {
    // As its service worker says it.
    await page.evaluate(() => sessionStorage.setItem('newer', '1'));
    await page.reload();
    await go('/');
    await expect(page.getByRole('status', { name: word('app.updates') })).toHaveText(/\S/);
    await take('update');
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
  });
  expect(failed).toEqual([]);
};
