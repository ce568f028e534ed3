import {
  ChallengeRequest,
  TokenRequest,
  type ChallengeResponse,
  type TokenResponse,
} from '@sotto/contract/rest/session';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { SignIn } from '../services/sign-in.ts';

export const sessionRoutes = (signIn: SignIn): Router => {
  const router = Router();
  router.post('/session/challenges', async (request, response) => {
    const { device } = parse(ChallengeRequest, request.body);
    const answer: ChallengeResponse = await signIn.challenge(device);
    response.json(answer);
  });
  router.post('/session/tokens', async (request, response) => {
    const answer: TokenResponse = await signIn.token(parse(TokenRequest, request.body));
    response.json(answer);
  });
  return router;
};
