import { expect, type Locator, type Page } from '@playwright/test';
import type { Person } from '../fixtures/people.ts';

/** The app as a person meets it: by the names and roles on the screen. */
export class Sotto {
  readonly page: Page;

  constructor(page: Page) {
    this.page = page;
  }

  /** Opens an invite link and makes an account. */
  static async join(person: Person, link: string, handle: string): Promise<Sotto> {
    const sotto = new Sotto(await person.open(link));
    await sotto.fillIn(person.name, handle);
    await expect(sotto.page.getByRole('button', { name: 'Menu' })).toBeVisible();
    return sotto;
  }

  async fillIn(name: string, handle: string): Promise<void> {
    await this.page.getByLabel('Your name').fill(name);
    await this.page.getByLabel('Handle').fill(handle);
    await this.page.getByRole('button', { name: 'Join' }).click();
  }

  /** Makes an invite link and closes the dialog again. */
  async invite(): Promise<string> {
    await this.page.getByRole('button', { name: 'Invite someone' }).click();
    const field = this.page.getByLabel('Invite link');
    await expect(field).toHaveValue(/#\/join\//);
    await expect(this.page.getByRole('img', { name: 'Code with the invite' })).toBeVisible();
    const link = await field.inputValue();
    await this.page.getByRole('button', { name: 'Close' }).click();
    return link;
  }

  chat(name: string): Locator {
    return this.page.getByRole('navigation', { name: 'Chats' }).getByRole('link', { name });
  }

  async open(name: string): Promise<void> {
    await this.chat(name).click();
    // The one that was open stays until this one is drawn.
    await expect(this.page.locator('.conversation-head h1').filter({ hasText: name })).toBeVisible();
    await expect(this.composer).toBeVisible();
  }

  /** Has the app try now: who has tried in vain waits longer each time. */
  async retry(): Promise<void> {
    await this.page.evaluate(() => dispatchEvent(new Event('online')));
  }

  get composer(): Locator {
    return this.page.getByRole('textbox', { name: 'Message' });
  }

  async send(text: string): Promise<void> {
    await this.composer.fill(text);
    await this.composer.press('Enter');
    await expect(this.message(text)).toBeVisible();
  }

  get log(): Locator {
    return this.page.getByRole('log');
  }

  message(text: string): Locator {
    return this.log.locator('[data-id]').filter({ hasText: text });
  }

  /** What the tick of one's own message says. */
  async expectStatus(
    text: string,
    status: 'Waiting' | 'Sent' | 'Delivered' | 'Read' | 'Not sent',
  ): Promise<void> {
    await expect(this.message(text).getByTitle(status, { exact: true })).toBeAttached();
  }

  /** The texts of the open conversation, oldest first: read from top to bottom, as only what is in sight is drawn. */
  texts(): Promise<string[]> {
    return this.log.evaluate(async (log) => {
      const drawn = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
      const texts = new Map<string, string>();
      log.scrollTop = 0;
      for (;;) {
        await drawn();
        for (const row of log.querySelectorAll<HTMLElement>('[data-id]')) {
          const text = row.querySelector('.message-text')?.textContent;
          if (typeof text === 'string') texts.set(row.dataset['id']!, text);
        }
        if (log.scrollTop + log.clientHeight >= log.scrollHeight - 1) return [...texts.values()];
        log.scrollTop += log.clientHeight / 2;
      }
    });
  }
}
