const KEY = 'sotto-phone';
/** In ms. The relay takes a sign-in for ten minutes; some of them are left to make the account. */
const FRESH_MS = 9 * 60 * 1000;

interface PhoneProof {
  token: string;
}

/** What the page of the phone number leaves for this tab. */
export const leavePhoneProof = (proof: PhoneProof): void =>
  sessionStorage.setItem(KEY, JSON.stringify({ ...proof, at: Date.now() }));

/** What that page left, while the relay takes it. */
export const phoneProof = (): PhoneProof | undefined => {
  try {
    const { token, at } = JSON.parse(sessionStorage.getItem(KEY) ?? '{}') as Record<string, unknown>;
    const isFresh = typeof at === 'number' && Date.now() - at < FRESH_MS;
    return typeof token === 'string' && isFresh ? { token } : undefined;
  } catch {
    return undefined;
  }
};

export const forgetPhoneProof = (): void => {
  try {
    sessionStorage.removeItem(KEY);
  } catch {
    // Forbidden: then there is none.
  }
};
