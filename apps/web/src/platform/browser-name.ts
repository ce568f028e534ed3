/** By what they say of themselves; the first that is found, for most also name others. */
const BROWSERS: readonly (readonly [mark: string, name: string])[] = [
  ['Edg', 'Edge'],
  ['OPR/', 'Opera'],
  ['Firefox/', 'Firefox'],
  ['FxiOS/', 'Firefox'],
  ['CriOS/', 'Chrome'],
  ['Chrome/', 'Chrome'],
  ['Safari/', 'Safari'],
];
const SYSTEMS: readonly (readonly [mark: string, name: string])[] = [
  ['Android', 'Android'],
  ['iPhone', 'iPhone'],
  ['iPad', 'iPad'],
  ['Windows', 'Windows'],
  ['Macintosh', 'Mac'],
  ['CrOS', 'ChromeOS'],
  ['Linux', 'Linux'],
];

/** The browser and what it runs on, as people call them: `Firefox, Linux`. */
export const browserName = (agent = navigator.userAgent): string =>
  [BROWSERS, SYSTEMS]
    .map((known) => known.find(([mark]) => agent.includes(mark))?.[1])
    .filter((name) => name !== undefined)
    .join(', ');
