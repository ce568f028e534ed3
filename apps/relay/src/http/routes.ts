import { ACCOUNTS } from './accounts.ts';
import { CHANNELS } from './channels.ts';
import { INBOX } from './inbox.ts';
import { INVITES } from './invites.ts';
import { PREKEYS } from './prekeys.ts';
import { REGISTRATION } from './registration.ts';
import type { Route } from './route.ts';
import { SESSION } from './session.ts';

/** Everything under `/v1`. */
export const ROUTES: Route[] = [
  ...REGISTRATION,
  ...SESSION,
  ...INVITES,
  ...ACCOUNTS,
  ...PREKEYS,
  ...CHANNELS,
  ...INBOX,
];
