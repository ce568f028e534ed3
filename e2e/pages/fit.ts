import { expect, type Page } from '@playwright/test';

/** What scrolls sideways, and by how much. */
const sideways = (page: Page): Promise<string[]> =>
  page.evaluate(() =>
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

/** What moves to its place in a window of another size is given the time for it. */
const soon = expect.configure({ soft: true, timeout: 5_000 });

export const expectNoSidewaysScroll = async (page: Page, screen: string): Promise<void> => {
  await soon.poll(() => sideways(page), `${screen} scrolls sideways`).toEqual([]);
};

/**
 * Buttons and fields that cannot be brought into sight, that something lies over, or whose words do not fit. What is drawn as
 * one scrolls is looked at where it is drawn.
 */
const cut = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const place =
      [...document.querySelectorAll('dialog[open], [role=dialog], [role=menu]')].at(-1) ?? document;
    const scrolled = [...document.querySelectorAll('*')].filter(
      ({ scrollHeight, clientHeight }) => scrollHeight > clientHeight,
    );
    const places = scrolled.map((element) => element.scrollTop);
    const found: string[] = [];
    for (const element of place.querySelectorAll<HTMLElement>(
      'button, .button, input, select, textarea, [role=menuitem]',
    )) {
      const target = element.closest('label') ?? element;
      const seen = (): DOMRect => target.getBoundingClientRect();
      if (seen().width <= 1 || !element.checkVisibility({ visibilityProperty: true })) continue;
      if (element.closest('[role=log], [role=grid]')) continue;
      target.scrollIntoView({ block: 'nearest', behavior: 'instant' });
      const { left, right, top, bottom } = seen();
      const isInside = left > -1 && right < innerWidth + 1 && top > -1 && bottom < innerHeight + 1;
      const isFree = [left + 3, (left + right) / 2, right - 3].every((x) => {
        const hit = document.elementFromPoint(x, (top + bottom) / 2);
        return target.contains(hit);
      });
      const fits =
        element.matches('input, select, textarea') || element.scrollWidth <= element.clientWidth + 1;
      if (isInside && isFree && fits) continue;
      found.push(`${element.outerHTML.slice(0, 160)} ${[left, right, top, bottom].map(Math.round)}`);
    }
    for (const [index, element] of scrolled.entries()) element.scrollTop = places[index]!;
    return found;
  });

/** Twice as large in a small window, as narrow as a page may get, and with the largest text on a phone. */
const NARROW = [
  { name: 'at 200 %', size: { width: 640, height: 400 }, text: '' },
  { name: 'at 320 px', size: { width: 320, height: 640 }, text: '' },
  { name: 'with larger text', size: { width: 390, height: 844 }, text: 'larger' },
] as const;

/** Nothing scrolls sideways and nothing that can be operated is cut off, however little room there is. */
export const expectReflow = async (page: Page, screen: string): Promise<void> => {
  const before = page.viewportSize()!;
  for (const { name, size, text } of NARROW) {
    await page.setViewportSize(size);
    await page.evaluate(async (text) => {
      document.documentElement.dataset['text'] = text;
      for (let frame = 0; frame < 2; frame += 1) await new Promise(requestAnimationFrame);
    }, text);
    await expectNoSidewaysScroll(page, `${screen}, ${name}`);
    await soon.poll(() => cut(page), `${screen}, ${name}: cut off`).toEqual([]);
  }
  await page.evaluate(() => delete document.documentElement.dataset['text']);
  await page.setViewportSize(before);
};

/** Nothing turns or slides for who has asked for less motion: what is over within a millisecond is not seen. */
export const expectStill = async (page: Page, screen: string): Promise<void> => {
  const moving = await page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ playState }) => playState === 'running')
      .map(({ effect }) => effect as KeyframeEffect)
      .filter((effect) => Number(effect.getComputedTiming().activeDuration) > 1)
      .map(({ target }) => target?.outerHTML.slice(0, 80)),
  );
  expect(moving, `${screen} moves`).toEqual([]);
};
