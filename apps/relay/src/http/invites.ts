import { RelayError } from '@sotto/contract/errors';
import { InviteId } from '@sotto/contract/ids';
import {
  InviteCheckRequest,
  type InviteCheckResponse,
  type InviteResponse,
} from '@sotto/contract/rest/invites';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { Invites } from '../services/invites.ts';
import type { RateLimits } from '../services/limits.ts';
import type { SignIn } from '../services/sign-in.ts';
import { authenticate } from './authenticate.ts';

export interface InviteParts {
  invites: Invites;
  signIn: SignIn;
  limits: Pick<RateLimits, 'takeAddress'>;
  /** Members make invites; otherwise the host alone. */
  byMembers: boolean;
}

export const inviteRoutes = ({ invites, signIn, limits, byMembers }: InviteParts): Router => {
  const router = Router();
  router.post('/invites/check', async (request, response) => {
    limits.takeAddress('inviteCheck', request.ip ?? '');
    const { invite } = parse(InviteCheckRequest, request.body);
    const answer: InviteCheckResponse = { state: await invites.check(invite) };
    response.json(answer);
  });
  router.put('/invites/:invite', async (request, response) => {
    await authenticate(signIn, request);
    if (!byMembers) throw new RelayError('forbidden');
    const answer: InviteResponse = await invites.create(parse(InviteId, request.params.invite));
    response.json(answer);
  });
  return router;
};
