import { resolve } from 'node:path';
import { LIMITS } from '@sotto/contract/limits';
import * as z from 'zod';
import { StartError } from './start-error.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

export interface Config {
  /** Absolute path of the folder that holds everything this relay keeps. */
  dataFolder: string;
  /** 0 takes any free port. */
  port: number;
  host: string;
  /** The one origin people use; undefined means localhost. */
  publicUrl: string | undefined;
  /** A PostgreSQL of the host's own; undefined means the embedded one. */
  databaseUrl: string | undefined;
  /** The built web app. */
  webFolder: string;
  migrationsFolder: string;
  logLevel: (typeof LEVELS)[number];
  /** Milliseconds. */
  lifetimes: { accessToken: number; challenge: number; invite: number };
  /** Milliseconds since 1970. */
  now: () => number;
}

const isOrigin = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
};

const Environment = z.object({
  SOTTO_DATA: z.string().default('./data'),
  PORT: z
    .string()
    .regex(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .refine((port) => port <= 65535, 'must be a port number')
    .default(7688),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: z
    .string()
    .refine(isOrigin, 'must be an address such as https://chat.example.org, without a path')
    .transform((text) => new URL(text).origin)
    .optional(),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must begin with postgresql://')
    .optional(),
  SOTTO_WEB: z.string().default(resolve(import.meta.dirname, '../../web/dist')),
  LOG_LEVEL: z.enum(LEVELS, `must be one of ${LEVELS.join(', ')}`).default('info'),
});

/**
 * The settings from environment variables; an empty variable counts as unset.
 * @throws StartError `config-invalid`, naming the variable.
 */
export const readConfig = (environment: NodeJS.ProcessEnv = process.env): Config => {
  const set = Object.entries(environment).filter(([, value]) => value !== '');
  const parsed = Environment.safeParse(Object.fromEntries(set));
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new StartError('config-invalid', `${issue.path.join('.')} ${issue.message}.`);
  }
  const values = parsed.data;
  return {
    dataFolder: resolve(values.SOTTO_DATA),
    port: values.PORT,
    host: values.HOST,
    publicUrl: values.PUBLIC_URL,
    databaseUrl: values.DATABASE_URL,
    webFolder: resolve(values.SOTTO_WEB),
    migrationsFolder: resolve(import.meta.dirname, '../../../prisma/migrations'),
    logLevel: values.LOG_LEVEL,
    lifetimes: {
      accessToken: LIMITS.accessTokenMs,
      challenge: LIMITS.challengeMs,
      invite: LIMITS.inviteMs,
    },
    now: Date.now,
  };
};
