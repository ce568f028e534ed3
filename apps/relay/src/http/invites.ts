import { InviteId } from '@sotto/contract/ids';
import {
  InviteCheckRequest,
  type InviteCheckResponse,
  type InviteResponse,
} from '@sotto/contract/rest/invites';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { Invites } from '../services/invites.ts';
import type { SignIn } from '../services/sign-in.ts';
import { authenticate } from './authenticate.ts';

export const inviteRoutes = (invites: Invites, signIn: SignIn): Router => {
  const router = Router();
  router.post('/invites/check', async (request, response) => {
    const { invite } = parse(InviteCheckRequest, request.body);
    const answer: InviteCheckResponse = { state: await invites.check(invite) };
    response.json(answer);
  });
  router.put('/invites/:invite', async (request, response) => {
    await authenticate(signIn, request);
    const answer: InviteResponse = await invites.create(parse(InviteId, request.params.invite));
    response.json(answer);
  });
  return router;
};
