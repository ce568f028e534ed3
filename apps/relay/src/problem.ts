import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import type { Problem } from '@sotto/contract/problem';
import type * as z from 'zod/mini';
import type { Logger } from './log.ts';
import { isFull, isOutage } from './store/database.ts';

/** A refusal whose `detail` may be shown: it never holds what was sent. */
export class Refusal extends RelayError {
  override readonly detail: string;

  constructor(code: ErrorCode, detail: string) {
    super(code, detail);
    this.detail = detail;
  }
}

/** A value of a schema. @throws RelayError `bad-request`, telling where the value differs but not how it reads. */
export const parse = <Schema extends z.core.$ZodType>(
  schema: Schema,
  value: unknown,
): z.core.output<Schema> => {
  const result = (schema as unknown as z.ZodMiniType<z.core.output<Schema>>).safeParse(value);
  if (result.success) return result.data;
  const { path, code } = result.error.issues[0]!;
  throw new Refusal('bad-request', [path.join('.'), code].filter(Boolean).join(': '));
};

/** What goes to the client instead of an error. What nobody foresaw is logged. */
export const problemOf = (error: unknown, log: Logger): Problem & { code: ErrorCode } => {
  if (error instanceof Refusal) return { code: error.code as ErrorCode, detail: error.detail };
  if (error instanceof RelayError && error.code !== 'unreachable') {
    const { code, retryAfter } = error;
    return { code, ...(retryAfter !== undefined && { retryAfter }) };
  }
  if (isFull(error)) {
    log.warn({ error }, 'no space is left');
    return { code: 'no-space' };
  }
  if (isOutage(error)) {
    log.warn({ error }, 'the database did not answer');
    return { code: 'busy' };
  }
  log.error({ error }, 'an unexpected error');
  return { code: 'internal' };
};
