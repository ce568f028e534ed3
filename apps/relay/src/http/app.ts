import { RelayError } from '@sotto/contract/errors';
import { LIMITS } from '@sotto/contract/limits';
import type { RelayResponse } from '@sotto/contract/rest/relay';
import { WIRE_VERSION } from '@sotto/contract/version';
import express, { Router, type Express } from 'express';
import type { Logger } from '../log.ts';
import type { Origins } from '../services/origins.ts';
import { errorMapper } from './errors.ts';
import { checkOrigin, securityHeaders } from './security.ts';
import { webApp } from './web-app.ts';

export interface AppParts {
  origins: Origins;
  /** One for each resource. */
  routes: Router[];
  /** Rejects while the relay cannot serve. */
  checkReady: () => Promise<void>;
  webFolder: string;
  log: Logger;
}

/** Everything that is answered over HTTP. */
export const createApp = ({ origins, routes, checkReady, webFolder, log }: AppParts): Express => {
  const app = express().disable('x-powered-by').disable('etag').enable('case sensitive routing');
  app.use(securityHeaders(origins));

  const v1 = Router();
  v1.use(checkOrigin(origins));
  v1.use((_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });
  v1.use(express.json({ limit: LIMITS.requestBytes, inflate: false }));
  v1.get('/relay', (_request, response) => {
    const answer: RelayResponse = { version: WIRE_VERSION };
    response.json(answer);
  });
  for (const route of routes) v1.use(route);
  v1.use(() => {
    throw new RelayError('not-found');
  });
  app.use('/v1', v1);

  app.get('/health', (_request, response) => {
    response.set('cache-control', 'no-store').json({ ok: true });
  });
  app.get('/ready', async (_request, response) => {
    await checkReady();
    response.set('cache-control', 'no-store').json({ ok: true });
  });
  app.use(webApp(webFolder));
  app.use(errorMapper(log));
  return app;
};
