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
    // One that waits ends there before it is given up here, and one that begins and goes silent lets go of its locks.
    statement_timeout: 28_000,
    idle_in_transaction_session_timeout: 5_000,
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

/** Stood in another's way: a deadlock, a conflict, a lock that did not come in time. */
const CONFLICTS = ['P2034', 'TransactionWriteConflict', '40001', '40P01', '55P03'];

const OUTAGES = [
  // A statement, or a pause within a transaction, that took too long.
  '57014',
  '25P03',
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
  ...CONFLICTS,
];

/** What an error and its causes say of themselves. */
const causesOf = (error: unknown, depth = 6): { codes: string[]; message: string }[] => {
  if (depth === 0 || !(error instanceof Object)) return [];
  const { code, kind, originalCode, message, cause, meta } = error as Record<string, unknown>;
  const codes = [code, kind, originalCode].filter((one) => typeof one === 'string');
  // Where Prisma puts the cause when the statement was plain SQL.
  const { driverAdapterError } = (meta ?? {}) as Record<string, unknown>;
  return [{ codes, message: String(message) }, ...causesOf(cause ?? driverAdapterError, depth - 1)];
};

/** Whether there is no space left, here or at the database. */
export const isFull = (error: unknown): boolean =>
  causesOf(error).some(({ codes }) => codes.includes('53100') || codes.includes('ENOSPC'));

/** Whether a transaction was undone because it stood in another's way: none of it has happened. */
export const isConflict = (error: unknown): boolean =>
  causesOf(error).some(({ codes }) => codes.some((code) => CONFLICTS.includes(code)));

const LOST =
  /^(Connection terminated|Query read timeout|timeout exceeded when trying to connect|Cannot use a pool after)/;

/** Whether the database is away, full or overloaded, so that the same may succeed later. */
export const isOutage = (error: unknown): boolean =>
  causesOf(error).some(
    ({ codes, message }) =>
      // Classes 08, 53 and 57P: connection, resources, shutdown.
      codes.some((code) => OUTAGES.includes(code) || /^(08|53|57P)\w+$/.test(code)) || LOST.test(message),
  );
