import { LIMITS } from '@sotto/contract/limits';
import type { Request, Response } from 'express';
import { jsonBody } from './json.ts';

const parser = jsonBody(LIMITS.largeRequestBytes);

/**
 * The JSON of a request that may be larger than most; to be asked for once it is known who sends it. The routes that do so
 * stand before the parser of all others, which would refuse it.
 */
export const largeBody = async (request: Request, response: Response): Promise<unknown> => {
  await new Promise<void>((resolve, reject) => {
    void parser(request, response, (error?: unknown) => (error ? reject(error as Error) : resolve()));
  });
  return request.body;
};
