// Stands in for those transports of engine.io that are left out of the build (vite.config.ts).
export const XHR = undefined;
export const Fetch = undefined;
export const WT = undefined;
