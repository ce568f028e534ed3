import { pino, type Logger } from 'pino';

export type { Logger };

/**
 * What may be known of an error in a log: its kind, its code and the way through the code. Messages and further
 * properties can hold what somebody sent, and stay out.
 */
const describe = (error: unknown) => {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code } = error as { code?: unknown };
  const stack = error.stack?.split('\n').filter((line) => /^\s+at /.test(line));
  return {
    type: error.name,
    ...(typeof code === 'string' && { code }),
    stack: stack?.map((line) => line.trim()),
  };
};

export const createLog = (level: string): Logger =>
  pino({
    level,
    base: null,
    serializers: { error: describe },
    redact: [
      'err',
      'req',
      'res',
      'headers',
      'body',
      'token',
      'device',
      'account',
      'address',
      '*.token',
      '*.device',
      '*.account',
    ],
  });
