import { AccountId, Handle } from '@sotto/contract/ids';
import { RegisterRequest, type AccountResponse, type RegisterResponse } from '@sotto/contract/rest/accounts';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { Accounts } from '../services/accounts.ts';
import type { SignIn } from '../services/sign-in.ts';
import { authenticate } from './authenticate.ts';

export const accountRoutes = (accounts: Accounts, signIn: SignIn): Router => {
  const router = Router();
  router.post('/accounts', async (request, response) => {
    const answer: RegisterResponse = await accounts.register(parse(RegisterRequest, request.body));
    response.status(201).json(answer);
  });
  router.get('/accounts/:account', async (request, response) => {
    await authenticate(signIn, request);
    const answer: AccountResponse = await accounts.byId(parse(AccountId, request.params.account));
    response.json(answer);
  });
  router.get('/handles/:handle', async (request, response) => {
    await authenticate(signIn, request);
    const answer: AccountResponse = await accounts.byHandle(parse(Handle, request.params.handle));
    response.json(answer);
  });
  return router;
};
