/** The actions of WebDriver, which both of its protocols take. */
export interface ActionSource {
  type: 'key' | 'pointer';
  id: string;
  actions: readonly object[];
}

/** A tab of a browser that is driven, by whichever protocol. */
export interface Driven {
  goto(url: string): Promise<void>;
  reload(): Promise<void>;
  /** Runs `source`, an expression that may give a promise, and gives what comes of it, as JSON has it. */
  evaluate(source: string): Promise<unknown>;
  perform(sources: readonly ActionSource[]): Promise<void>;
  /** As PNG. */
  screenshot(): Promise<Buffer>;
  /** Errors that the browser told of, in whichever tab. */
  readonly problems: readonly string[];
  /** Another tab of this browser, in front. */
  another(): Promise<Driven>;
  closeTab(): Promise<void>;
  /** Ends the browser. */
  close(): Promise<void>;
}

/** What there is to click on or to write into, by its name on the screen. */
export type Target = readonly [selector: string, name: string];

// As WebDriver has them.
const ENTER = '\uE007';
const CONTROL = '\uE009';

const press = (key: string) => [
  { type: 'keyDown', value: key },
  { type: 'keyUp', value: key },
];

/** Runs in the page: the middle of what can be seen, in CSS pixels; nothing as long as it is not there. */
const place = (selector: string, name: string): { x: number; y: number } | undefined => {
  const nameOf = (element: Element): string =>
    element.ariaLabel ??
    ('labels' in element ? (element.labels as NodeListOf<HTMLElement> | null) : null)?.[0]?.textContent ??
    element.textContent ??
    '';
  for (const element of document.querySelectorAll(selector)) {
    if (!nameOf(element).includes(name)) continue;
    const { x, y, width, height } = element.getBoundingClientRect();
    const middle = { x: Math.round(x + width / 2), y: Math.round(y + height / 2) };
    const top = document.elementFromPoint(middle.x, middle.y);
    if (width > 0 && top && (element.contains(top) || top.contains(element))) return middle;
  }
  return undefined;
};

/** A tab as a person uses it: it waits for what is to come, clicks, and types key by key. */
export class Tab {
  readonly driven: Driven;

  constructor(driven: Driven) {
    this.driven = driven;
  }

  /** Runs a function in the page; what goes in and out is JSON. */
  async run<A extends readonly unknown[], R>(work: (...args: A) => R, ...args: A): Promise<Awaited<R>> {
    const list = args.map((arg) => JSON.stringify(arg)).join(', ');
    return (await this.driven.evaluate(`(${String(work)})(${list})`)) as Awaited<R>;
  }

  /** What `work` gives in the page, once it is something other than nothing, false or empty. */
  async until<A extends readonly unknown[], R>(
    what: string,
    work: (...args: A) => R,
    ...args: A
  ): Promise<NonNullable<Awaited<R>>> {
    const end = Date.now() + 45_000;
    for (;;) {
      const found = await this.run(work, ...args);
      if (found) return found;
      if (Date.now() > end) {
        const page = await this.run(() => document.body.innerText);
        throw new Error(`There is no ${what}. The page says:\n${page}\n${this.driven.problems.join('\n')}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  /** Waits for a message in the open conversation. */
  async logs(text: string): Promise<void> {
    await this.until(
      `message "${text}"`,
      (wanted) => document.querySelector('[role=log]')?.textContent.includes(wanted),
      text,
    );
  }

  async click([selector, name]: Target): Promise<void> {
    const { x, y } = await this.until(`${selector} named "${name}"`, place, selector, name);
    await this.driven.perform([
      {
        type: 'pointer',
        id: 'mouse',
        actions: [
          { type: 'pointerMove', x, y },
          { type: 'pointerDown', button: 0 },
          { type: 'pointerUp', button: 0 },
        ],
      },
    ]);
  }

  /** In place of what is there. */
  async type(target: Target, text: string): Promise<void> {
    await this.click(target);
    const all = [{ type: 'keyDown', value: CONTROL }, ...press('a'), { type: 'keyUp', value: CONTROL }];
    const actions = [...all, ...[...text].flatMap(press)];
    await this.driven.perform([{ type: 'key', id: 'keyboard', actions }]);
  }

  async enter(): Promise<void> {
    await this.driven.perform([{ type: 'key', id: 'keyboard', actions: press(ENTER) }]);
  }
}
