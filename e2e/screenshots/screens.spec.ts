import { test } from '@playwright/test';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { ALL, areComparable, type Film, filmsOf, isKey, isUpdate, LOOKS } from './camera.ts';
import { keepWorker } from './pretend.ts';
import { tell } from './story.ts';
import { openStudio } from './studio.ts';
import { walk } from './walk.ts';
import { wordsOf } from './words.ts';

/** For the README. */
const DOCS = path.resolve(import.meta.dirname, '../../docs/images');

/** What is kept of the screens, in English: each as a window by day and as a phone by night. */
const KEPT = new Set([
  'list',
  'list-search',
  'conversation',
  'message-menu',
  'details',
  'reply',
  'emoji',
  'contact',
  'requests',
  'group-conversation',
  'group',
  'new-group',
  'starred',
  'settings',
  'keys',
  'copied',
]);
/** And from right to left. */
const MIRRORED = new Set(['list', 'conversation', 'message-menu', 'group', 'settings']);

/** What `npm test` looks at, and the parts of the walk that show it. */
const KEY = new Set(['list', 'list-search', 'conversation', 'message-menu', 'details', 'settings']);
const PARTS = ['the list', 'a conversation', 'settings'];

const FILMS: readonly Film[] = [
  {
    language: 'en',
    looks: () => LOOKS,
    kept: (screen, look) => KEPT.has(screen) && (look === 'desktop-light' || look === 'phone-dark'),
  },
  {
    language: 'ar',
    looks: () => ['desktop-light', 'phone-dark'],
    kept: (screen) => MIRRORED.has(screen),
  },
  // The longest words.
  { language: 'de', looks: () => ['phone-light'] },
];

const forTest = (film: Film): Film => ({
  ...film,
  kept: (screen, look) => KEY.has(screen) && film.kept?.(screen, look) === true,
  parts: PARTS,
});

test('every screen of somebody with an account', async ({ browser }) => {
  test.setTimeout(1_800_000);
  const studio = await openStudio(browser, '2026-03-07T10:00');
  try {
    if (isKey) {
      const page = await studio.visitor();
      await page.goto('/');
      test.skip(!(await areComparable(page)), 'other fonts');
    }
    const story = await tell(studio, keepWorker);
    const { page } = story.mara;
    for (const film of filmsOf(FILMS)) {
      await page.evaluate((language) => {
        const kept = JSON.parse(localStorage.getItem('sotto-preferences') ?? '{}');
        localStorage.setItem('sotto-preferences', JSON.stringify({ ...kept, language }));
      }, film.language);
      await page.reload();
      await walk(story, wordsOf(film.language), isKey ? forTest(film) : film);
    }
    if (!isUpdate()) return;
    for (const look of ['desktop-light', 'phone-dark'])
      await copyFile(path.join(ALL, `conversation-en-${look}.png`), path.join(DOCS, `${look}.png`));
  } finally {
    await studio.close();
  }
});
