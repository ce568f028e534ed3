import { RelayError } from '@sotto/contract/errors';
import { EngineError } from '@sotto/engine/errors';
import { StoreError } from '@sotto/engine/ports';

const STORE_WORDS: Record<StoreError['code'], string> = {
  full: 'There is no room left on this device. Make some, then try again.',
  failed: 'The browser could not store it. Try again; if that does not help, reload the page.',
  superseded: 'Another tab has just taken over. Try again.',
  closed: 'Sotto was closed here. Reload the page.',
  blocked: 'Another tab has an older version of Sotto open. Close it, then reload the page.',
  newer: 'A newer version of Sotto has been at work here. Reload the page.',
  sealed: 'The browser has lost the key to what is stored here: it cannot be read.',
};

const ENGINE_WORDS: Record<EngineError['code'], string> = {
  'not-ready': 'There is no account here yet.',
  'already-registered': 'There is an account here already.',
  yourself: 'That is you.',
  empty: 'There is nothing to send.',
  'too-long': 'That is too long for one message.',
  'no-conversation': 'There is no such conversation on this device.',
  'bad-name': 'A name has 1 to 64 characters, and not only invisible ones.',
  'other-handle':
    'The link gives another handle than the account has. Whoever made it may want to be taken for somebody else.',
  'no-message': 'That message is not on this device any more.',
  'not-yours': 'Only who wrote a message can change it or delete it for everybody.',
  'not-sent': 'That message has not been sent yet.',
  'no-request': 'That is no request any more.',
  blocked: 'You have blocked this person. Unblock them to write to them.',
  'too-many-blocked': 'You have blocked as many people as can be. Unblock somebody first.',
  'bad-emoji': 'That cannot be a reaction.',
  'bad-timer': 'Messages can go after one second at the earliest and four weeks at the latest.',
  'too-late': 'The message may have left already: it cannot be taken back. Delete it for everybody instead.',
  interrupted: 'The tab that was doing it was closed: it may be done or not. Look, then try again.',
};

/** What went wrong, and what to do, for whatever the engine rejected with. */
export const explain = (error: unknown): string => {
  if (error instanceof StoreError) return STORE_WORDS[error.code];
  if (error instanceof EngineError) return ENGINE_WORDS[error.code];
  if (!(error instanceof RelayError)) return 'Something unexpected went wrong. Try again.';
  switch (error.code) {
    case 'unreachable':
      return 'The relay does not answer. Check your network and try again.';
    case 'busy':
    case 'internal':
      return 'The relay has trouble at the moment. Try again in a little while.';
    case 'too-many-requests':
      return 'That was too often in a short time. Wait a minute and try again.';
    case 'device-removed':
      return 'This device was removed from its account.';
    default:
      return `The relay refused it (${error.code}).`;
  }
};

export const codeOf = (error: unknown): string | undefined =>
  error instanceof RelayError || error instanceof StoreError || error instanceof EngineError
    ? error.code
    : undefined;
