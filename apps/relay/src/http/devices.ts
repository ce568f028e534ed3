import { DeviceId } from '@sotto/contract/ids';
import { Router } from 'express';
import { parse } from '../problem.ts';
import type { SignIn } from '../services/sign-in.ts';
import type { Identity } from '../services/tokens.ts';
import { authenticate } from './authenticate.ts';

export const deviceRoutes = (
  signIn: SignIn,
  remove: (device: DeviceId, account: Identity['account']) => Promise<void>,
): Router => {
  const router = Router();
  router.delete('/devices/:device', async (request, response) => {
    const { account } = await authenticate(signIn, request);
    await remove(parse(DeviceId, request.params.device), account);
    response.status(204).end();
  });
  return router;
};
