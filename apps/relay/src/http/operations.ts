import { createHash, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { RelayError } from '@sotto/contract/errors';
import { Router } from 'express';
import type { Metrics } from '../metrics.ts';

const READY_MS = 2_000;

const same = (one: string, other: string): boolean => {
  const [a, b] = [one, other].map((text) => createHash('sha256').update(text).digest());
  return timingSafeEqual(a!, b!);
};

/** What those who run the relay ask of it. `checkReady` rejects while it cannot serve. */
export const operationRoutes = (parts: {
  checkReady: () => Promise<void>;
  metrics: Metrics;
  metricsToken: string | undefined;
}): Router => {
  const router = Router();
  router.get(['/healthz', '/readyz', '/metrics'], (_request, response, next) => {
    response.set('cache-control', 'no-store');
    next();
  });
  router.get('/healthz', (_request, response) => void response.json({ ok: true }));
  router.get('/readyz', async (_request, response) => {
    const late = sleep(READY_MS, 'late', { ref: false });
    if ((await Promise.race([parts.checkReady(), late])) === 'late') throw new RelayError('busy');
    response.json({ ok: true });
  });
  router.get('/metrics', async (request, response) => {
    const { metrics, metricsToken } = parts;
    if (metricsToken === undefined) throw new RelayError('not-found');
    const shown = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (shown === undefined || !same(shown, metricsToken)) throw new RelayError('unauthenticated');
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });
  return router;
};
