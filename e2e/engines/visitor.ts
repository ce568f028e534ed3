import type { IncomingMessage, ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { bundle, serve, type Lab } from '../crypto/lab.ts';
import { Profile, startBrowser, startDisplay, type Engine, type Running } from './browsers.ts';
import type { Work } from './page.ts';

interface Outcome {
  value?: unknown;
  error?: string;
}

/** What the page is told to do next, and what came of it: the browser is started with an address, and nothing more. */
class Desk {
  #task: string | undefined;
  #asked: ServerResponse | undefined;
  #told: ((outcome: Outcome) => void) | undefined;

  answer(request: IncomingMessage, response: ServerResponse): boolean {
    if (request.url === '/task') {
      this.#asked = response;
      this.#hand();
    } else if (request.url === '/outcome')
      void text(request).then((body) => {
        response.end();
        this.#told?.(JSON.parse(body) as Outcome);
      });
    else return false;
    return true;
  }

  async give(name: string, args: readonly unknown[], ms: number): Promise<unknown> {
    const outcome = await new Promise<Outcome>((resolve) => {
      const timer = setTimeout(() => resolve({ error: `nothing came of ${name} in ${ms} ms` }), ms);
      this.#told = (told) => {
        clearTimeout(timer);
        resolve(told);
      };
      this.#task = JSON.stringify({ name, args });
      this.#hand();
    });
    if (outcome.error !== undefined) throw new Error(outcome.error);
    return outcome.value;
  }

  /** After a restart another page asks. */
  forget(): void {
    this.#asked = undefined;
  }

  #hand(): void {
    if (!this.#asked || this.#task === undefined) return;
    this.#asked.setHeader('content-type', 'application/json').end(this.#task);
    this.#asked = undefined;
    this.#task = undefined;
  }
}

/** A browser with a profile on disk that has the lab open, as a person would. */
export class Visitor {
  readonly #engine: Engine;
  readonly #desk: Desk;
  readonly #lab: Lab;
  readonly #profile: Profile;
  readonly #display: { name: string; end: () => Promise<void> } | undefined;
  #browser: Running | undefined;

  private constructor(
    engine: Engine,
    parts: {
      desk: Desk;
      lab: Lab;
      profile: Profile;
      display: { name: string; end: () => Promise<void> } | undefined;
    },
  ) {
    this.#engine = engine;
    this.#desk = parts.desk;
    this.#lab = parts.lab;
    this.#profile = parts.profile;
    this.#display = parts.display;
  }

  static async arrive(engine: Engine): Promise<Visitor> {
    const desk = new Desk();
    const folder = await bundle('e2e/engines/page.ts', `engines-${engine}`);
    const lab = await serve(folder, (request, response) => desk.answer(request, response));
    const display = engine === 'webkitgtk' ? await startDisplay() : undefined;
    const visitor = new Visitor(engine, { desk, lab, profile: await Profile.make(), display });
    visitor.#start();
    return visitor;
  }

  /** Has the page do something. What goes in and comes out is JSON. */
  async ask<Name extends keyof Work>(
    name: Name,
    ...args: Parameters<Work[Name]>
  ): Promise<Awaited<ReturnType<Work[Name]>>> {
    try {
      return (await this.#desk.give(name, args, 60_000)) as Awaited<ReturnType<Work[Name]>>;
    } catch (error) {
      throw new Error(`${this.#engine}: ${(error as Error).message}\n${this.#browser?.output ?? ''}`, {
        cause: error,
      });
    }
  }

  /** Ends the browser and starts it again with the same profile. */
  async restart(): Promise<void> {
    await this.#browser?.end();
    this.#desk.forget();
    this.#start();
  }

  async leave(): Promise<void> {
    await this.#browser?.end();
    await this.#display?.end();
    await this.#lab.close();
    await this.#profile.remove();
  }

  #start(): void {
    this.#browser = startBrowser(this.#engine, this.#profile, this.#lab.url, this.#display?.name ?? '');
  }
}
