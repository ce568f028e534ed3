import { AccountId, Handle } from '@sotto/contract/ids';
import {
  AppendRequest,
  type AccountResponse,
  type AppendResponse,
  DeliveryRequest,
  RegisterRequest,
  type RegisterResponse,
} from '@sotto/contract/rest/accounts';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { Accounts } from '../services/accounts.ts';
import type { Chains } from '../services/chains.ts';
import { network, type RateLimits } from '../services/limits.ts';
import type { SignIn } from '../services/sign-in.ts';
import { authenticate } from './authenticate.ts';

export interface AccountParts {
  accounts: Accounts;
  chains: Chains;
  signIn: SignIn;
  limits: Pick<RateLimits, 'take' | 'takeAddress' | 'takePair'>;
  remove: (account: AccountId) => Promise<void>;
}

export const accountRoutes = ({ accounts, chains, signIn, limits, remove }: AccountParts): Router => {
  const router = Router();
  router.post('/accounts', async (request, response) => {
    limits.takeAddress('register', request.ip ?? '');
    const answer: RegisterResponse = await accounts.register(parse(RegisterRequest, request.body));
    response.status(201).json(answer);
  });
  router.get('/accounts/:account', async (request, response) => {
    limits.take('lookup', (await authenticate(signIn, request)).account);
    const answer: AccountResponse = await accounts.byId(parse(AccountId, request.params.account));
    response.json(answer);
  });
  router.get('/handles/:handle', async (request, response) => {
    limits.take('lookup', (await authenticate(signIn, request)).account);
    const answer: AccountResponse = await accounts.byHandle(parse(Handle, request.params.handle));
    response.json(answer);
  });
  router.post('/account/events', async (request, response) => {
    const { account } = await authenticate(signIn, request);
    limits.take('events', account);
    const answer: AppendResponse = await chains.append(account, parse(AppendRequest, request.body));
    response.json(answer);
  });
  // For who has lost all devices: signed by the recovery key instead.
  router.post('/accounts/:account/events', async (request, response) => {
    const account = parse(AccountId, request.params.account);
    const wanted = parse(AppendRequest, request.body);
    // By address too: otherwise anybody could keep the owner out.
    limits.takePair('recovery', network(request.ip ?? ''), account);
    const answer: AppendResponse = await chains.append(account, wanted, { recovery: true });
    response.json(answer);
  });
  router.put('/account/delivery', async (request, response) => {
    const { account } = await authenticate(signIn, request);
    await accounts.setDelivery(account, parse(DeliveryRequest, request.body).delivery);
    response.status(204).end();
  });
  router.delete('/account', async (request, response) => {
    await remove((await authenticate(signIn, request)).account);
    response.status(204).end();
  });
  return router;
};
