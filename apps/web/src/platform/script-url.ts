interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** The service worker. */
export const SERVICE_WORKER = '/sw.js';

/** Made once: the relay's policy allows no second one. */
const createPolicy = (ours: readonly string[]) => {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  return trustedTypes?.createPolicy('sotto', {
    createScriptURL: (url) => {
      if (!ours.includes(url)) throw new TypeError('not a script of ours');
      return url;
    },
  });
};

/** The page's one Trusted Types policy: it lets these URLs of workers through, and no other. */
export const trustScripts = (ours: readonly string[]): ((url: string) => string) => {
  const policy = createPolicy(ours);
  return (url) => policy?.createScriptURL(url) ?? url;
};
