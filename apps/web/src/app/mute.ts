const HOUR_MS = 60 * 60 * 1000;

/** Until the person says otherwise: the year 2100. */
export const MUTED_FOREVER = 4_102_444_800_000;

/** For how long a chat may be silenced, in ms. */
export const MUTE_MS = { hours: 8 * HOUR_MS, week: 7 * 24 * HOUR_MS } as const;
