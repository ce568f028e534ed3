import {
  ChallengeRequest,
  TokenRequest,
  type ChallengeResponse,
  type TokenResponse,
} from '@sotto/contract/rest/session';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { RateLimits } from '../services/limits.ts';
import type { SignIn } from '../services/sign-in.ts';

export const sessionRoutes = (signIn: SignIn, limits: Pick<RateLimits, 'takeAddress'>): Router => {
  const router = Router();
  router.post('/session/challenges', async (request, response) => {
    limits.takeAddress('challenge', request.ip ?? '');
    const { device } = parse(ChallengeRequest, request.body);
    const answer: ChallengeResponse = await signIn.challenge(device);
    response.json(answer);
  });
  router.post('/session/tokens', async (request, response) => {
    limits.takeAddress('token', request.ip ?? '');
    const answer: TokenResponse = await signIn.token(parse(TokenRequest, request.body));
    response.json(answer);
  });
  return router;
};
