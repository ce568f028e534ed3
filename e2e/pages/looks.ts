import type { Page } from '@playwright/test';

/** The two sizes and two themes in which every screen has to look right. */
export const LOOKS = [
  { name: 'desktop-light', size: { width: 1280, height: 800 }, theme: 'light' },
  { name: 'desktop-dark', size: { width: 1280, height: 800 }, theme: 'dark' },
  { name: 'phone-light', size: { width: 390, height: 844 }, theme: 'light' },
  { name: 'phone-dark', size: { width: 390, height: 844 }, theme: 'dark' },
] as const;

export const inEveryLook = async (
  page: Page,
  look: (name: (typeof LOOKS)[number]['name']) => Promise<void>,
): Promise<void> => {
  for (const { name, size, theme } of LOOKS) {
    await page.setViewportSize(size);
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
    await look(name);
  }
};
