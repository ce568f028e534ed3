import type { Page } from '@playwright/test';
import type { ToClient } from '../../packages/engine/src/remote/host.ts';

type Fields = Record<string, unknown>;
type Known = Fields & { id: string };

/** Has the page believe that its worker said so of the state of the engine. */
export const pretend = (page: Page, set: Fields, unset: readonly string[] = []): Promise<void> =>
  page.evaluate(
    ([set, unset]) => {
      const { worker } = globalThis as unknown as { worker: Worker };
      const patch = { set, unset: [...unset], lists: {} };
      const data: ToClient = { kind: 'patches', patches: [{ view: 1, patch }] };
      worker.dispatchEvent(new MessageEvent('message', { data }));
    },
    [set, unset] as const,
  );

/**
 * Has the page believe that its worker said so of a chat or a message that it knows: what is `null` is not there. With nothing
 * to change it is as it was.
 */
export const alter = (page: Page, id: string, change: Fields): Promise<void> =>
  page.evaluate(
    ([id, change]) => {
      const { worker, known } = globalThis as unknown as {
        worker: Worker;
        known: { view: number; list: string; item: Known }[];
      };
      const { view, list, item } = known.findLast(({ item }) => item.id === id)!;
      const merge = <T extends Fields>(before: T, changes: Fields): T => {
        const next: Fields = { ...before };
        for (const [field, value] of Object.entries(changes)) {
          if (value === null) delete next[field];
          else if (typeof value === 'object') next[field] = merge(Object(next[field]), value as Fields);
          else next[field] = value;
        }
        return next as T;
      };
      const lists = { [list]: { at: 0, removed: 0, ids: [], put: [merge(item, change)] } };
      const patch = { set: {}, unset: [], lists };
      const data: ToClient = { kind: 'patches', patches: [{ view, patch }] };
      worker.dispatchEvent(new MessageEvent('message', { data }));
    },
    [id, change] as const,
  );

/** For `pretend` and `alter`: the worker is kept, and is not told that what it did not say was taken. */
export const keepWorker = (page: Page): Promise<unknown> =>
  page.addInitScript(() => {
    // A newer service worker waits, where a part of the walk has said so.
    const { href } = new URL('/sw.js', location.href);
    const newer = { waiting: { scriptURL: href }, addEventListener: () => undefined };
    if (sessionStorage.getItem('newer'))
      Object.assign(navigator.serviceWorker, { register: async () => newer });
    const Native = Worker;
    globalThis.Worker = class extends Native {
      constructor(...given: ConstructorParameters<typeof Worker>) {
        super(...given);
        let pretended = 0;
        const known: { view: number; list: string; item: unknown }[] = [];
        Object.assign(globalThis, { worker: this, known });
        const learn = (view: number, lists: object): void => {
          for (const [list, items] of Object.entries(lists))
            if (Array.isArray(items)) known.push(...items.map((item) => ({ view, list, item })));
        };
        this.addEventListener('message', ({ isTrusted, data }: MessageEvent<ToClient>) => {
          if (!isTrusted) {
            if (data.kind === 'patches') pretended += 1;
            return;
          }
          if (data.kind === 'opened') learn(data.root.view, data.root.snapshot);
          else if (data.kind === 'result' && 'opened' in data) learn(data.opened.view, data.opened.snapshot);
          else if (data.kind === 'patches')
            for (const { view, patch } of data.patches) {
              learn(view, patch.set);
              for (const [list, { put }] of Object.entries(patch.lists)) learn(view, { [list]: put });
            }
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
export const inWindow = (page: Page, area: { x: number; width: number; height: number }): Promise<void> =>
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
