const key = (conversation: string): string => `sotto-draft:${conversation}`;

/** Unsent text, kept for as long as the tab lives: also across the reload to a new version. */
export const readDraft = (conversation: string): string => {
  try {
    return sessionStorage.getItem(key(conversation)) ?? '';
  } catch {
    return '';
  }
};

export const writeDraft = (conversation: string, text: string): void => {
  try {
    if (text === '') sessionStorage.removeItem(key(conversation));
    else sessionStorage.setItem(key(conversation), text);
  } catch {
    // Full or forbidden: the text still stands in the field.
  }
};
