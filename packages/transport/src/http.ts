import { RelayError } from '@sotto/contract/errors';
import { Problem } from '@sotto/contract/problem';
import type { ZodMiniType } from 'zod/mini';

/** A request without an answer by then, in ms, counts as unreachable. */
const TIMEOUT_MS = 15_000;

export interface Request<T> {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  path: string;
  body?: unknown;
  token?: string;
  answer: ZodMiniType<T>;
}

/** One request to a relay, its answer parsed; everything that goes wrong is a RelayError. */
export const createHttp = (origin: string) => {
  const call = async ({ method, path, body, token }: Request<unknown>): Promise<Response> => {
    try {
      return await fetch(new URL(path, origin), {
        method,
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
        signal: AbortSignal.timeout(TIMEOUT_MS),
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(token !== undefined && { authorization: `Bearer ${token}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (cause) {
      throw new RelayError('unreachable', undefined, { cause });
    }
  };

  const json = async (response: Response): Promise<unknown> => {
    if (response.status === 204) return undefined;
    try {
      return await response.json();
    } catch (cause) {
      // A proxy's page, or a body cut short: not the relay's word.
      throw new RelayError('unreachable', `status ${response.status}`, { cause });
    }
  };

  return async <T>(request: Request<T>): Promise<T> => {
    const response = await call(request);
    const body = await json(response);
    if (response.ok) {
      const answer = request.answer.safeParse(body);
      if (answer.success) return answer.data;
      throw new RelayError('internal', 'the answer is not of the contract');
    }
    const problem = Problem.safeParse(body);
    throw problem.success
      ? new RelayError(problem.data.code, problem.data.detail, { retryAfter: problem.data.retryAfter })
      : new RelayError('unreachable', `status ${response.status}`);
  };
};

export type Http = ReturnType<typeof createHttp>;
