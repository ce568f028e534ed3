export const CATEGORIES: readonly ['performance', 'accessibility', 'best-practices'];

/** What Lighthouse says of an address, in the Chromium that listens on the port, by category from 0 to 100. */
export const look: (
  url: string,
  port: number,
) => Promise<{ scores: Record<(typeof CATEGORIES)[number], number>; failed: string[] }>;
