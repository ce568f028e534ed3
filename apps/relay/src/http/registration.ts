import { RelayError } from '@sotto/contract/errors';
import { EmailCodeRequest, EmailCodeResponse } from '@sotto/contract/rest/accounts';
import { RelayResponse } from '@sotto/contract/rest/relay';
import { WIRE_VERSION } from '@sotto/contract/version';
import { open, type Route } from './route.ts';

type Phone = RelayResponse['registration']['phone'];

/** What somebody asks who has no account yet. */
export const REGISTRATION: Route[] = [
  open('get', '/relay', {
    summary: 'Who is there, and what it demands of who registers.',
    response: RelayResponse,
    handle: async ({ config: { registration, firebase, invites } }) => {
      const { invite, email, phone } = registration;
      const { emulatorHost: emulator, ...web } = firebase ?? {};
      return {
        version: WIRE_VERSION,
        registration: { invite, email, ...(phone && { phone: { ...web, emulator } as Phone }) },
        invites: invites === 'members',
      };
    },
  }),
  open('post', '/verifications/email', {
    summary: 'Mails a code. Answered alike whatever becomes of the mail.',
    request: EmailCodeRequest,
    response: EmailCodeResponse,
    errors: ['not-found'],
    handle: async ({ emails }, { body, address }) => {
      if (!emails) throw new RelayError('not-found');
      return emails.send(body.address, address);
    },
  }),
];
