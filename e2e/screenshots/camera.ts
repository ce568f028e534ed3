import { expect, type Page, test } from '@playwright/test';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';

/** Where the pictures are. */
export const ALL = path.resolve(import.meta.dirname, '../../test-results/screenshots');
const FONTS = path.resolve(import.meta.dirname, 'baseline/fonts.txt');

const SIZES = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

export const LOOKS = ['desktop-light', 'desktop-dark', 'phone-light', 'phone-dark'] as const;
export type Look = (typeof LOOKS)[number];

/** What no two runs have in common: keys, and what is made of them. */
const RANDOM = `
  .qr-code path, .verify-digits { visibility: hidden !important; }
  .avatar { background: #666666 !important; }
  .message-author { color: #666666 !important; }
`;

/** How wide this machine draws a text of each script: other fonts make other pictures. */
const measureFonts = (page: Page): Promise<string> =>
  page.evaluate(() => {
    const context = document.createElement('canvas').getContext('2d')!;
    const width = (text: string, weight: number): number => {
      context.font = `${weight} 100px ${getComputedStyle(document.documentElement).fontFamily}`;
      return Math.round(context.measureText(text).width);
    };
    return JSON.stringify({
      latin: width('Hamburgefonstiv 0123456789', 400),
      bold: width('Hamburgefonstiv 0123456789', 600),
      arabic: width('نص حكيم له سر قاطع', 400),
      emoji: width('👍😀❤️', 400),
    });
  });

/** Whether these pictures are the ones to be kept. */
export const isUpdate = (): boolean => test.info().config.updateSnapshots === 'all';

let fonts: Promise<boolean> | undefined;

/** Whether pictures of this machine can be held against those that are kept; with `--update-snapshots` it becomes theirs. */
export const areComparable = (page: Page): Promise<boolean> =>
  (fonts ??= (async () => {
    const here = await measureFonts(page);
    if (isUpdate() || !existsSync(FONTS)) writeFileSync(FONTS, `${here}\n`);
    const same = readFileSync(FONTS, 'utf8').trim() === here;
    if (!same) console.log('  Other fonts than those of the pictures that are kept: nothing is compared.');
    return same;
  })());

const settle = async (page: Page): Promise<void> => {
  await page.evaluate(async () => {
    await document.fonts.ready;
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
  });
};

/** The screen at half its size, without what is random: small to keep, and as good to see a change by. */
const small = async (page: Page): Promise<Buffer> => {
  await page.evaluate((css) => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    document.adoptedStyleSheets = [sheet];
  }, RANDOM);
  await settle(page);
  const { width, height } = page.viewportSize()!;
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', {
    format: 'png',
    clip: { x: 0, y: 0, width, height, scale: 0.5 },
  });
  await session.detach();
  await page.evaluate(() => {
    document.adoptedStyleSheets = [];
  });
  return Buffer.from(data, 'base64');
};

/** Makes a window of that size and theme; one of a phone is touched. */
export const pose = async (page: Page, look: Look): Promise<void> => {
  const [size, theme] = look.split('-') as ['desktop' | 'phone', 'light' | 'dark'];
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setTouchEmulationEnabled', { enabled: size === 'phone', maxTouchPoints: 1 });
  await session.detach();
  await page.setViewportSize(SIZES[size]);
  await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
};

export interface Film {
  language: string;
  looks(screen: string): readonly Look[];
  /** Of which screens in which looks a picture is kept to compare with. */
  kept?(screen: string, look: Look): boolean;
  /** Of the walk; all of it where nothing is said. */
  parts?: readonly string[];
}

/** Has the screen as it is to be seen, for what a window of another size would leave behind. */
interface Arrangement {
  open(): Promise<void>;
  close(): Promise<void>;
}

/** `kept`: those alone that are held against others; `key`: of these the ones that `npm test` looks at. */
const mode = process.env['SCREENSHOTS'];
export const isKey = mode === 'key';
const isShort = isKey || mode === 'kept';

export const filmsOf = (films: readonly Film[]): readonly Film[] =>
  isShort ? films.filter(({ kept }) => kept !== undefined) : films;

/** Pictures of the screen as it stands, in every look of the film. */
export const shoot = async (
  page: Page,
  screen: string,
  { language, looks, kept }: Film,
  arrangement?: Arrangement,
): Promise<void> => {
  mkdirSync(ALL, { recursive: true });
  for (const look of looks(screen)) {
    if (isShort && kept?.(screen, look) !== true) continue;
    await pose(page, look);
    await arrangement?.open();
    await settle(page);
    const name = `${screen}-${language}-${look}.png`;
    await page.screenshot({ path: path.join(ALL, name) });
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect.soft(overflow, `${name} is wider than the screen`).toBeLessThanOrEqual(0);
    if (kept?.(screen, look) === true && (await areComparable(page)))
      expect.soft(await small(page)).toMatchSnapshot(name, { maxDiffPixelRatio: 0.01 });
    await arrangement?.close();
  }
};
