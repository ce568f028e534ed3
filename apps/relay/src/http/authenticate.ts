import { RelayError } from '@sotto/contract/errors';
import type { Request } from 'express';
import type { SignIn } from '../services/sign-in.ts';
import type { Identity } from '../services/tokens.ts';

/** Who asks. @throws RelayError `unauthenticated`, `token-expired`, `device-removed` */
export const authenticate = async (signIn: SignIn, request: Request): Promise<Identity> => {
  const token = /^Bearer ([\w.-]{1,2048})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new RelayError('unauthenticated');
  return signIn.authenticate(token);
};
