import { STATUS, RelayError, type ErrorCode } from '@sotto/contract/errors';
import type { ErrorRequestHandler } from 'express';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { problemOf } from '../problem.ts';

/** What express and its body parser call their own refusals. */
const byStatus = (error: unknown): ErrorCode | undefined => {
  const { status } = error as { status?: unknown };
  if (status === 413) return 'body-too-large';
  return typeof status === 'number' && status >= 400 && status < 500 ? 'bad-request' : undefined;
};

/** The one place where an error becomes an answer. */
export const refusalOf = (error: unknown, log: Logger, metrics: Metrics) => {
  const code = error instanceof RelayError ? undefined : byStatus(error);
  const problem: ReturnType<typeof problemOf> = code ? { code } : problemOf(error, log);
  metrics.refused.inc({ code: problem.code });
  const { retryAfter = problem.code === 'busy' ? 1 : undefined } = problem;
  const headers = retryAfter === undefined ? [] : ['retry-after', String(retryAfter)];
  return { status: STATUS[problem.code], problem, headers };
};

export const errorMapper =
  (log: Logger, metrics: Metrics): ErrorRequestHandler =>
  (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    const { status, problem, headers } = refusalOf(error, log, metrics);
    if (headers.length > 0) response.set(headers[0]!, headers[1]);
    response.status(status).set('cache-control', 'no-store').json(problem);
  };
