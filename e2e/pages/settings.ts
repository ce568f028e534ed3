import { expect, type Locator, type Page } from '@playwright/test';

export const openSettings = async (page: Page): Promise<void> => {
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('menuitem', { name: 'Settings' }).click();
  await expect(page.getByRole('heading', { name: 'Settings', exact: true })).toBeVisible();
};

/** One of the answers to who learns something. */
export const who = (page: Page, of: string, answer: 'Everyone' | 'Contacts' | 'Nobody'): Locator =>
  page.getByRole('group', { name: of }).getByRole('radio', { name: answer });

/** It is chosen once it is stored. */
export const choose = async (...answer: Parameters<typeof who>): Promise<void> => {
  await who(...answer).click();
  await expect(who(...answer)).toBeChecked();
};
