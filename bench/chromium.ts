import { type BrowserContext, chromium } from '@playwright/test';
import { findChromium } from '../scripts/browser.mjs';

export interface Launch {
  serviceWorkers?: 'allow' | 'block';
  args?: string[];
}

/** A Chromium of its own with a profile on disk. */
export const launch = (
  profile: string,
  { serviceWorkers = 'allow', args = [] }: Launch = {},
): Promise<BrowserContext> => {
  const found = findChromium();
  return chromium.launchPersistentContext(profile, {
    args: [...(found?.args ?? []), ...args],
    ...(found?.executablePath !== undefined && { executablePath: found.executablePath }),
    viewport: { width: 1280, height: 800 },
    serviceWorkers,
  });
};
