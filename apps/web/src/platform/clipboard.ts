/** False where the browser refuses, as some do without https or without a click. */
export const copyText = async (text: string): Promise<boolean> => {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
};

export const canShare = (): boolean => typeof navigator.share === 'function';

/** The platform's own sheet. Closing it without a choice is no failure. */
export const share = async (data: { title: string; url: string }): Promise<void> => {
  await navigator.share(data).catch(() => undefined);
};
