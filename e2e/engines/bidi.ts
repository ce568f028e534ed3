import { WebSocket } from 'ws';
import { startFirefox, type Profile, type Running } from './browsers.ts';
import type { Driven } from './tab.ts';

interface Answer {
  id?: number;
  method?: string;
  error?: string;
  message?: string;
  result?: unknown;
  params?: unknown;
}

interface Evaluated {
  type: 'success' | 'exception';
  result?: { value?: string };
  exceptionDetails?: { text: string };
}

interface Entry {
  level: string;
  text: string | null;
}

/** WebDriver BiDi, as far as it is needed here. */
class Session {
  readonly problems: string[] = [];
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (answer: Answer) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data: Buffer) => this.#take(JSON.parse(data.toString()) as Answer));
    socket.on('close', () => {
      for (const answer of this.#waiting.values()) answer({ error: 'closed', message: 'Firefox is gone' });
    });
  }

  static connect(url: string): Promise<Session> {
    const socket = new WebSocket(url);
    return new Promise((resolve, reject) => {
      socket.once('open', () => resolve(new Session(socket)));
      socket.once('error', reject);
    });
  }

  async send<T = unknown>(method: string, params: object = {}): Promise<T> {
    this.#last += 1;
    const id = this.#last;
    const answer = await new Promise<Answer>((resolve) => {
      this.#waiting.set(id, resolve);
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
    if (answer.error !== undefined) throw new Error(`${method}: ${answer.error}: ${answer.message ?? ''}`);
    return answer.result as T;
  }

  #take(answer: Answer): void {
    if (answer.id !== undefined) {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    } else if (answer.method === 'log.entryAdded') {
      const { level, text } = answer.params as Entry;
      if (level === 'error') this.problems.push(text ?? '');
    }
  }
}

/** A tab in front. The one that Firefox starts with is never focused, and without focus nothing counts as read. */
const openTab = async (session: Session, browser: Running): Promise<Driven> => {
  const { context } = await session.send<{ context: string }>('browsingContext.create', { type: 'tab' });
  await session.send('browsingContext.setViewport', { context, viewport: { width: 1280, height: 800 } });
  return {
    problems: session.problems,
    goto: async (url) => {
      await session.send('browsingContext.navigate', { context, url, wait: 'complete' });
    },
    reload: async () => {
      await session.send('browsingContext.reload', { context, wait: 'complete' });
    },
    evaluate: async (source) => {
      const { type, result, exceptionDetails } = await session.send<Evaluated>('script.callFunction', {
        functionDeclaration: `async () => JSON.stringify(await (${source})) ?? 'null'`,
        awaitPromise: true,
        target: { context },
      });
      if (type === 'exception') throw new Error(exceptionDetails?.text);
      return JSON.parse(result?.value ?? 'null');
    },
    perform: async (actions) => {
      await session.send('input.performActions', { context, actions });
    },
    screenshot: async () => {
      const taken = await session.send<{ data: string }>('browsingContext.captureScreenshot', { context });
      return Buffer.from(taken.data, 'base64');
    },
    another: () => openTab(session, browser),
    closeTab: async () => {
      await session.send('browsingContext.close', { context });
    },
    close: () => browser.end(),
  };
};

/** Firefox with an empty tab. */
export const driveFirefox = async (profile: Profile): Promise<Driven> => {
  const browser = startFirefox(profile, '--remote-debugging-port=0');
  try {
    const [, url] = await browser.says(/WebDriver BiDi listening on (ws:\S+)/);
    const session = await Session.connect(`${url}/session`);
    await session.send('session.new', { capabilities: {} });
    await session.send('session.subscribe', { events: ['log.entryAdded'] });
    return await openTab(session, browser);
  } catch (error) {
    await browser.end();
    throw error;
  }
};
