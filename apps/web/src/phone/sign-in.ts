import { initializeApp } from '@firebase/app';
import {
  type Auth,
  connectAuthEmulator,
  initializeAuth,
  inMemoryPersistence,
  RecaptchaVerifier,
  signInWithPhoneNumber,
} from '@firebase/auth';
import type { RelayResponse } from '@sotto/contract/rest/relay';
import { localeNow } from '../i18n/i18n.ts';

export type PhoneSettings = NonNullable<RelayResponse['registration']['phone']>;

/** Nothing of the sign-in is kept in this browser. */
const open = ({ emulator, ...options }: PhoneSettings): Auth => {
  const auth = initializeAuth(initializeApp(options), { persistence: inMemoryPersistence });
  if (emulator !== undefined) connectAuthEmulator(auth, `http://${emulator}`, { disableWarnings: true });
  auth.languageCode = localeNow();
  return auth;
};

export interface SentCode {
  /** What proves the number to the relay. Rejects with Firebase's code, as `send` does. */
  confirm(code: string): Promise<string>;
}

/** Sends codes to phones. `place` is where Google may ask whether somebody is a person. */
export const createSender = (settings: PhoneSettings, place: HTMLElement) => {
  const auth = open(settings);
  let verifier: RecaptchaVerifier | undefined;
  return {
    async send(number: string): Promise<SentCode> {
      verifier?.clear();
      const container = document.createElement('div');
      place.replaceChildren(container);
      verifier = new RecaptchaVerifier(auth, container, { size: 'invisible' });
      const sent = await signInWithPhoneNumber(auth, number, verifier);
      return {
        async confirm(code) {
          const { user } = await sent.confirm(code);
          const token = await user.getIdToken();
          // The token is good without it, and nobody needs the number any more.
          await user.delete().catch(() => undefined);
          return token;
        },
      };
    },
  };
};
