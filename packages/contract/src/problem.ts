import * as z from 'zod/mini';
import { STATUS, type ErrorCode as Code } from './errors.ts';

export const ErrorCode = z.enum(Object.keys(STATUS) as [Code, ...Code[]]);

/** The body of every REST answer that is not 2xx, and the payload of a socket's `problem`. */
export const Problem = z.strictObject({
  code: ErrorCode,
  /** For a developer's eyes; never holds what was sent. */
  detail: z.optional(z.string()),
  /** Seconds after which trying again makes sense. */
  retryAfter: z.optional(z.int().check(z.minimum(0))),
});
export type Problem = z.infer<typeof Problem>;
