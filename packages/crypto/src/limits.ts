/** Bounds of prekeys and sessions: docs/protocol.md, "Limits". Times are in milliseconds. */
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

/** How far a message may lie ahead of its chain. */
export const MAX_FORWARD_JUMP = 2_000;
/** Message keys kept for what has not come yet, by session; the oldest go first. */
export const MAX_SKIPPED = 1_000;
/** How long such a key, and an old receive chain, is kept. */
export const SKIPPED_LIFETIME = 30 * DAY;
/** Receive chains kept beside the current one. */
export const MAX_OLD_CHAINS = 5;
/** Used counters remembered by session, to tell a repeat from a rollback. */
export const MAX_CONSUMED = 1_000;

/** Sessions kept beside the one that sends, and how long. */
export const MAX_OLD_SESSIONS = 5;
export const OLD_SESSION_LIFETIME = 30 * DAY;
/** How long a session sends without an answer. */
export const UNANSWERED_LIFETIME = 30 * DAY;
/** When a session is due for a fresh handshake. */
export const SESSION_REFRESH = 30 * DAY;
/** How far the generation of a session may lie ahead of those seen. */
export const MAX_GENERATION_JUMP = 65_536;
/** First messages remembered by peer, as long as their signed prekey is held. */
export const MAX_REPLAYS = 1_000;

/** When a signed prekey and the last resort are replaced, by when at the latest, how long they are honoured after. */
export const PREKEY_ROTATION = 7 * DAY;
export const PREKEY_OVERDUE = 14 * DAY;
export const PREKEY_KEPT = 30 * DAY;
/** How long a signed prekey and the last resort may be used by others. */
export const BUNDLE_LIFETIME = 45 * DAY;
/** One-time prekeys: how many, from how few on there are new ones, how long they live. */
export const ONE_TIME_COUNT = 100;
export const ONE_TIME_REFILL = 20;
export const ONE_TIME_LIFETIME = 90 * DAY;
/** When a sealing key is replaced, and how long it opens what is sealed for it after that. */
export const SEALING_ROTATION = 30 * DAY;
export const SEALING_KEPT = 90 * DAY;
/** How far the clocks of two devices may be apart. */
export const CLOCK_TOLERANCE = 2 * DAY;

/** A new handshake made by itself: once in this time, by device. */
export const REPAIR_INTERVAL = 1 * HOUR;
/** Requests to send again: so many in this time, by device. */
export const RESEND_REQUESTS = 10;
export const RESEND_WINDOW = 3 * HOUR;
/** How long a message may be sent again on request. */
export const RESEND_LIFETIME = 7 * DAY;

/** How far the time of a live signal may be from ours, and how many are remembered. */
export const SIGNAL_LIFETIME = 60_000;
export const MAX_SIGNALS = 1_000;
