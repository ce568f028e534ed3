import type { IncomingMessage } from 'node:http';
import { RelayError } from '@sotto/contract/errors';
import express, { Router, type Express } from 'express';
import type { Services } from '../compose.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { Origins } from '../services/origins.ts';
import type { AddressOf } from './address.ts';
import { documentRoutes } from './docs-page.ts';
import { errorMapper } from './errors.ts';
import { operationRoutes } from './operations.ts';
import { phonePage } from './phone-page.ts';
import { serve } from './route.ts';
import { ROUTES } from './routes.ts';
import { checkOrigin, securityHeaders } from './security.ts';
import { webApp } from './web-app.ts';

export interface AppParts {
  services: Services;
  origins: Origins;
  addressOf: AddressOf;
  /** Rejects while the relay cannot serve. */
  checkReady: () => Promise<void>;
  metrics: Metrics;
  log: Logger;
}

/** Everything that is answered over HTTP. */
export const createApp = (parts: AppParts): Express => {
  const { services, origins, metrics, log } = parts;
  const { config, limits } = services;
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
  v1.use(serve(ROUTES, services));
  v1.use(() => {
    throw new RelayError('not-found');
  });
  app.use('/v1', v1);

  app.use(operationRoutes({ ...parts, metricsToken: config.metricsToken }));
  app.use(documentRoutes());
  app.use('/phone.html', phonePage(config));
  app.use(webApp(config.webFolder));
  app.use(errorMapper(log, metrics));
  return app;
};
