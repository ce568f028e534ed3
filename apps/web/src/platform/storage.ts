import { createBox } from '@sotto/engine/box';

const COOKIE = 'sotto-account';
const YEAR_S = 365 * 24 * 60 * 60;

const write = (value: string, maxAge: number): void => {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `${COOKIE}=${value}; Path=/; Max-Age=${maxAge}; SameSite=Strict${secure}`;
};

/** Leaves a note outside the store that an account was here, and nothing about which. */
export const noteAccount = (): void => write('1', YEAR_S);

export const forgetAccount = (): void => write('', 0);

/** True when an account was here once: with an empty store it means that the browser threw the store away. */
export const hadAccount = (): boolean => document.cookie.split('; ').includes(`${COOKIE}=1`);

/** Whether the browser has promised not to throw the store away; undefined until it has answered. */
export const persisted = createBox<boolean | undefined>(undefined);

/** Asks for that promise. Firefox asks the person: nothing may wait for the answer. */
export const askToPersist = (): void => {
  if (persisted.getSnapshot() === true) return;
  navigator.storage?.persist?.().then(persisted.set, () => undefined);
};

/** What this site takes of the device, in bytes; undefined where the browser does not say. */
export const usedBytes = async (): Promise<number | undefined> => {
  try {
    return (await navigator.storage.estimate()).usage;
  } catch {
    return undefined;
  }
};
