import { AccountId } from '@sotto/contract/ids';
import {
  BundlesRequest,
  type BundlesResponse,
  type PrekeysResponse,
  PublishRequest,
} from '@sotto/contract/rest/prekeys';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { RateLimits } from '../services/limits.ts';
import type { Prekeys } from '../services/prekeys.ts';
import type { SignIn } from '../services/sign-in.ts';
import { authenticate } from './authenticate.ts';

export const prekeyRoutes = (
  prekeys: Prekeys,
  signIn: SignIn,
  limits: Pick<RateLimits, 'takePair'>,
): Router => {
  const router = Router();
  router.put('/prekeys', async (request, response) => {
    const { account, device } = await authenticate(signIn, request);
    const wanted = parse(PublishRequest, request.body);
    const answer: PrekeysResponse = await prekeys.publish(account, device, wanted);
    response.json(answer);
  });
  router.post('/accounts/:account/bundles', async (request, response) => {
    const asker = await authenticate(signIn, request);
    const account = parse(AccountId, request.params.account);
    const { devices } = parse(BundlesRequest, request.body);
    // Also for accounts that there are not, and before it is known.
    if (account !== asker.account) limits.takePair('bundles', asker.account, account);
    const answer: BundlesResponse = await prekeys.bundles(account, devices);
    response.json(answer);
  });
  return router;
};
