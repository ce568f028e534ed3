import type { IncomingMessage } from 'node:http';
import { RelayError } from '@sotto/contract/errors';
import { LIMITS } from '@sotto/contract/limits';
import type { RelayResponse } from '@sotto/contract/rest/relay';
import express, { Router, type Express } from 'express';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { RateLimits } from '../services/limits.ts';
import type { Origins } from '../services/origins.ts';
import type { AddressOf } from './address.ts';
import { documentRoutes } from './docs-page.ts';
import { errorMapper } from './errors.ts';
import { jsonBody } from './json.ts';
import { operationRoutes } from './operations.ts';
import { checkOrigin, securityHeaders } from './security.ts';
import { webApp } from './web-app.ts';

export interface AppParts {
  origins: Origins;
  relay: RelayResponse;
  /** Those that read their bodies by themselves, and the others: one for each resource. */
  routes: { large: Router[]; others: Router[] };
  limits: RateLimits;
  addressOf: AddressOf;
  /** Rejects while the relay cannot serve. */
  checkReady: () => Promise<void>;
  metrics: Metrics;
  metricsToken: string | undefined;
  webFolder: string;
  log: Logger;
}

/** Everything that is answered over HTTP. */
export const createApp = (parts: AppParts): Express => {
  const { origins, limits, log } = parts;
  const app = express().disable('x-powered-by').disable('etag').enable('case sensitive routing');
  // One answer to where a request came from, for sockets too.
  Object.defineProperty(app.request, 'ip', {
    get(this: IncomingMessage) {
      return parts.addressOf(this);
    },
  });
  app.use(securityHeaders(origins));

  const v1 = Router();
  v1.use(checkOrigin(origins));
  v1.use((request, response, next) => {
    response.set('cache-control', 'no-store');
    limits.takeAddress('requests', request.ip ?? '');
    next();
  });
  for (const route of parts.routes.large) v1.use(route);
  v1.use(jsonBody(LIMITS.requestBytes));
  v1.get('/relay', (_request, response) => void response.json(parts.relay));
  for (const route of parts.routes.others) v1.use(route);
  v1.use(() => {
    throw new RelayError('not-found');
  });
  app.use('/v1', v1);

  app.use(operationRoutes(parts));
  app.use(documentRoutes());
  app.use(webApp(parts.webFolder));
  app.use(errorMapper(log, parts.metrics));
  return app;
};
