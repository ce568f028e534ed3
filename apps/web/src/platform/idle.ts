/** WebKit has no idle callbacks. */
const later = globalThis.requestIdleCallback as typeof requestIdleCallback | undefined;

/** Once there is nothing more urgent to do. */
export const whenIdle = (work: () => void): void => void (later ? later(work) : setTimeout(work));
