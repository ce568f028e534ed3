import type { Browser, BrowserContext, Page } from '@playwright/test';
import { chmod, cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from '../../apps/relay/src/config.ts';
import { createRelay } from '../../apps/relay/src/relay.ts';
import { UNLIMITED } from '../../apps/relay/src/services/limits.ts';
import type { ConversationId, Handle } from '../../packages/contract/src/ids.ts';
import { type Link, parseLink } from '../../packages/contract/src/link.ts';
import { recover } from '../../packages/dev-env/src/recovering.ts';
import { systemClock } from '../../packages/engine/src/clock.ts';
import { createEngine } from '../../packages/engine/src/engine.ts';
import { openVault } from '../../packages/engine/src/vault.ts';
import type { ChatMessage, ConversationView, Engine, View } from '../../packages/engine/src/views.ts';
import { createMemoryDisk } from '../../packages/store-memory/src/memory-store.ts';
import { createTransport } from '../../packages/transport/src/transport.ts';

const DIST = path.resolve(import.meta.dirname, '../../apps/web/dist');
/** A file of the relay, and the channel that says that it is another. */
const CLOCK = 'clock.txt';
const DAY_MS = 24 * 60 * 60_000;

/** A relay, people without a screen and browsers, all by one clock that stands still until it is set. */
export interface Studio {
  url: string;
  /** Until then nothing goes on; local time of the browsers, as `2026-03-13T09:41`. */
  set(time: string): Promise<void>;
  invite(): Promise<string>;
  /** Somebody at a screen, who has opened nothing yet. */
  visitor(): Promise<Page>;
  friend(handle: string, name: string): Promise<Friend>;
  close(): Promise<void>;
}

/** Somebody who writes and answers without a screen. */
export interface Friend {
  engine: Engine;
  /** The conversation with a contact. */
  know(contact: NonNullable<Link['contact']>): Promise<ConversationId>;
  say(id: ConversationId, text: string, options?: Parameters<Engine['send']>[2]): Promise<void>;
  /** Uses a recovery code, as somebody does who has lost their devices, or who has stolen it. */
  recover(): Promise<void>;
  /** Waits for a message in a conversation. */
  hear(id: ConversationId, text: string): Promise<ChatMessage>;
}

const until = <T>(view: View<unknown>, find: () => T | undefined, what: string): Promise<T> =>
  new Promise((resolve, reject) => {
    const limit = setTimeout(() => reject(new Error(`${what} did not come`)), 20_000);
    const look = (): void => {
      const found = find();
      if (found === undefined) return;
      clearTimeout(limit);
      stop();
      resolve(found);
    };
    const stop = view.subscribe(look);
    look();
  });

/** A worker has no clock that Playwright could set, and one whose script is intercepted may open no socket. */
const CLOCKED = `{
  const request = new XMLHttpRequest();
  request.open('GET', '/${CLOCK}?' + Math.random(), false);
  request.send();
  let now = Number(request.responseText);
  Date.now = () => now;
  new BroadcastChannel('${CLOCK}').onmessage = ({ data }) => { now = data; };
}
`;

/** The app, with that clock in its worker. */
const copyApp = async (to: string): Promise<void> => {
  await cp(DIST, to, { recursive: true, filter: (file) => !file.endsWith('.br') });
  const assets = path.join(to, 'assets');
  const name = (await readdir(assets)).find((file) => /^engine-worker-.*\.js$/.test(file))!;
  const script = path.join(assets, name);
  await writeFile(script, CLOCKED + (await readFile(script, 'utf8')));
};

/** No time zone changes between the days of the pictures. */
export const timeOf = (local: string): number => Date.parse(`${local}:00+01:00`);

export const openStudio = async (browser: Browser, first: string): Promise<Studio> => {
  let now = timeOf(first);
  const folder = await mkdtemp(path.join(tmpdir(), 'sotto-studio-'));
  // The relay of root runs its database as somebody else, who has to get through here.
  await chmod(folder, 0o755);
  const web = path.join(folder, 'web');
  await copyApp(web);
  const tellWorkers = (): Promise<void> => writeFile(path.join(web, CLOCK), String(now));
  await tellWorkers();
  const config = readConfig({
    SOTTO_DATA: path.join(folder, 'data'),
    SOTTO_WEB: web,
    PORT: '0',
    LOG_LEVEL: 'silent',
  });
  const relay = await createRelay({
    ...config,
    limits: UNLIMITED,
    // Days pass at once, and nobody signs in anew.
    lifetimes: { ...config.lifetimes, accessToken: 20 * DAY_MS },
    now: () => now,
  });
  const contexts: BrowserContext[] = [];
  const engines: Engine[] = [];
  const pages: Page[] = [];

  const visitor = async (): Promise<Page> => {
    const context = await browser.newContext({
      baseURL: relay.url,
      serviceWorkers: 'block',
      timezoneId: 'Europe/Berlin',
      reducedMotion: 'reduce',
    });
    contexts.push(context);
    const page = await context.newPage();
    await page.clock.setFixedTime(now);
    pages.push(page);
    return page;
  };

  const friend = async (handle: string, name: string): Promise<Friend> => {
    const disk = createMemoryDisk().open();
    const transport = createTransport({ origin: relay.url });
    const engine = await createEngine({
      store: disk,
      transport,
      clock: { now: () => now, after: systemClock.after },
    });
    engines.push(engine);
    await engine.register({ link: parseLink(await relay.createInvite())!, handle: handle as Handle, name });
    /** One that somebody else began may be on its way. */
    const opened = async (id: ConversationId): Promise<ConversationView> => {
      const isThere = () => engine.getSnapshot().conversations.find((one) => one.id === id);
      await until(engine, isThere, 'the conversation');
      return (await engine.openConversation(id))!;
    };
    const hear: Friend['hear'] = async (id, text) => {
      const view = await opened(id);
      const isIt = (message: ChatMessage): boolean => message.text.includes(text);
      const found = await until(view, () => view.getSnapshot().messages.find(isIt), `“${text}”`);
      view.close();
      return found;
    };
    return {
      engine,
      know: (contact) => engine.addContact(contact),
      hear,
      recover: async () => recover({ store: await openVault(disk), transport }, relay.url),
      async say(id, text, options) {
        await engine.send(id, text, options);
        const view = (await engine.openConversation(id))!;
        const isSent = ({ text: said, status }: ChatMessage): boolean =>
          said === text && status !== 'waiting';
        await until(view, () => view.getSnapshot().messages.find(isSent), `the way of “${text}”`);
        view.close();
      },
    };
  };

  return {
    url: relay.url,
    invite: () => relay.createInvite(),
    visitor,
    friend,
    async set(time) {
      now = timeOf(time);
      await tellWorkers();
      for (const page of pages) {
        await page.clock.setFixedTime(now);
        await page.evaluate(([name, data]) => new BroadcastChannel(name).postMessage(data), [
          CLOCK,
          now,
        ] as const);
      }
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()));
      await Promise.all(contexts.map((context) => context.close()));
      await relay.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
};
