import { RelayError } from '@sotto/contract/errors';
import { EmailCodeRequest, type EmailCodeResponse } from '@sotto/contract/rest/accounts';
import type { RelayResponse } from '@sotto/contract/rest/relay';
import { WIRE_VERSION } from '@sotto/contract/version';
import { Router } from 'express';
import type { Config } from '../config.ts';
import { parse } from '../problem.ts';
import type { EmailCodes } from '../services/verification/email.ts';
import type { AddressOf } from './address.ts';

/** `email` is undefined where no registration demands it. */
export const verificationRoutes = (email: EmailCodes | undefined, addressOf: AddressOf): Router => {
  const router = Router();
  router.post('/verifications/email', async (request, response) => {
    if (!email) throw new RelayError('not-found');
    const { address } = parse(EmailCodeRequest, request.body);
    const answer: EmailCodeResponse = await email.send(address, addressOf(request));
    response.json(answer);
  });
  return router;
};

/** What `GET /v1/relay` answers. */
export const relayAnswer = ({ registration, firebase, invites }: Config): RelayResponse => ({
  version: WIRE_VERSION,
  registration: {
    invite: registration.invite,
    email: registration.email,
    ...(registration.phone &&
      firebase && {
        phone: {
          apiKey: firebase.apiKey,
          authDomain: firebase.authDomain,
          projectId: firebase.projectId,
          ...(firebase.emulatorHost !== undefined && { emulator: firebase.emulatorHost }),
        },
      }),
  },
  invites: invites === 'members',
});
