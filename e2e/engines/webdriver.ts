import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { Running, webKit, type Profile } from './browsers.ts';
import type { Driven } from './tab.ts';

/** What the page hands back, in one place for what went well and what did not. */
interface Told {
  value?: string;
  error?: string;
}

/** Runs as the body of a function whose last argument is called when it is done. */
const script = (source: string): string => `
  const told = arguments[arguments.length - 1];
  Promise.resolve().then(() => (${source})).then(
    (value) => told({ value: JSON.stringify(value) ?? 'null' }),
    (error) => told({ error: String(error) + '\\n' + (error?.stack ?? '') }),
  );`;

/** A session of WebDriver: commands go below its path. */
class Session {
  readonly #url: string;

  private constructor(url: string) {
    this.#url = url;
  }

  static async create(driver: string, binary: string): Promise<Session> {
    const options = { binary, args: ['--automation'] };
    const capabilities = { alwaysMatch: { 'webkitgtk:browserOptions': options } };
    const made = await new Session(driver).send('POST', '/session', { capabilities });
    return new Session(`${driver}/session/${(made as { sessionId: string }).sessionId}`);
  }

  async send(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(this.#url + path, {
      method,
      ...(body && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(90_000),
    });
    const { value } = (await response.json()) as { value: unknown };
    if (response.ok) return value;
    const { error, message } = value as { error: string; message: string };
    throw new Error(`${method} ${path}: ${error}: ${message}`);
  }
}

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
};

const answers = async (driver: string, running: Running): Promise<void> => {
  for (let tries = 0; tries < 200 && !running.ended; tries += 1) {
    const up = await fetch(`${driver}/status`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (up) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`WebKitWebDriver does not answer:\n${running.output}`);
};

const tabOf = (session: Session, driver: Running, handle: string): Driven => {
  const send = async (method: string, path: string, body?: object): Promise<unknown> => {
    await session.send('POST', '/window', { handle });
    return session.send(method, path, body);
  };
  return {
    problems: [],
    goto: async (url) => {
      await send('POST', '/url', { url });
    },
    reload: async () => {
      await send('POST', '/refresh', {});
    },
    evaluate: async (source) => {
      const body = { script: script(source), args: [] };
      const { value, error } = (await send('POST', '/execute/async', body)) as Told;
      if (error !== undefined) throw new Error(error);
      return JSON.parse(value ?? 'null');
    },
    perform: async (actions) => {
      await send('POST', '/actions', { actions });
    },
    screenshot: async () => Buffer.from((await send('GET', '/screenshot')) as string, 'base64'),
    another: async () => {
      const made = (await send('POST', '/window/new', { type: 'tab' })) as { handle: string };
      return tabOf(session, driver, made.handle);
    },
    closeTab: async () => {
      await send('DELETE', '/window');
    },
    close: async () => {
      await session.send('DELETE', '').catch(() => undefined);
      await driver.end();
    },
  };
};

/** WebKitGTK's MiniBrowser with an empty tab. One that is driven is private: what it stores ends with it. */
export const driveWebKit = async (profile: Profile, display: string): Promise<Driven> => {
  const found = webKit();
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const driver = new Running(found.driver, [`--port=${port}`], profile.home(display));
  try {
    await answers(url, driver);
    const session = await Session.create(url, found.browser);
    await session.send('POST', '/timeouts', { script: 60_000, pageLoad: 60_000 });
    return tabOf(session, driver, (await session.send('GET', '/window')) as string);
  } catch (error) {
    await driver.end();
    throw error;
  }
};
