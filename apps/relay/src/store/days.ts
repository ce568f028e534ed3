export const DAY = 24 * 60 * 60 * 1000;

/** Whole days since 1970, of milliseconds since then. */
export const dayOf = (at: number): number => Math.floor(at / DAY);
