import { PrismaPg } from '@prisma/adapter-pg';
import pg from 'pg';
import { PrismaClient } from './generated/client.ts';

/** One pool of connections, for plain SQL and for Prisma alike. */
export interface Database {
  readonly pool: pg.Pool;
  readonly prisma: PrismaClient;
  /** Waits for what is running. */
  close(): Promise<void>;
}

export const openDatabase = (connection: pg.PoolConfig): Database => {
  const pool = new pg.Pool({
    max: 10,
    connectionTimeoutMillis: 5_000,
    // A server that went silent would hold every connection for ever.
    query_timeout: 30_000,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    application_name: 'sotto-relay',
    ...connection,
  });
  // A connection that breaks while idle or while it is closed is replaced; unheard, it would end the process.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  const prisma = new PrismaClient({ adapter: new PrismaPg(pool), errorFormat: 'minimal' });
  return {
    pool,
    prisma,
    close: async () => {
      await prisma.$disconnect();
      await pool.end();
    },
  };
};

const OUTAGES = [
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'DatabaseNotReachable',
  'ConnectionClosed',
  'P1001',
  'P1017',
  'P2024',
  'P2028',
];

/** Whether there is no space left, here or at the database. */
export const isFull = (error: unknown): boolean => {
  for (let at = error, depth = 0; at instanceof Object && depth < 5; depth += 1) {
    const { code, cause } = at as { code?: unknown; cause?: unknown };
    if (code === '53100' || code === 'ENOSPC') return true;
    at = cause;
  }
  return false;
};

/** Whether the database is away, full or overloaded, so that the same may succeed later. */
export const isOutage = (error: unknown): boolean => {
  for (let at = error, depth = 0; at instanceof Object && depth < 5; depth += 1) {
    const { code, kind, message, cause } = at as {
      code?: unknown;
      kind?: unknown;
      message?: unknown;
      cause?: unknown;
    };
    // Classes 08, 53 and 57P: connection, resources, shutdown.
    if (typeof code === 'string' && (OUTAGES.includes(code) || /^(08|53|57P)\w+$/.test(code))) return true;
    if (typeof kind === 'string' && OUTAGES.includes(kind)) return true;
    if (
      typeof message === 'string' &&
      /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after)/.test(
        message,
      )
    )
      return true;
    at = cause;
  }
  return false;
};
