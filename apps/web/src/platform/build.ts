/** Names the version of the page: the hash in the name of its first script, which says all that it loads. */
export const buildId = (): string => {
  const script = document.querySelector<HTMLScriptElement>('script[type="module"][src]');
  return /-([\w-]{8})\.js$/.exec(script?.src ?? '')?.[1] ?? 'development';
};
