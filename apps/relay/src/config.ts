import { resolve } from 'node:path';
import { isIP } from 'node:net';
import { LIMITS } from '@sotto/contract/limits';
import * as z from 'zod';
import { DEFAULT_LIMITS, type Limits } from './services/limits.ts';
import { StartError } from './start-error.ts';
import { DAY } from './store/days.ts';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
const PROOFS = ['invite', 'email', 'phone'];
const DAYS = 'must be a number of days from 1 to 365';

const isOrigin = (text: string): boolean => {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.href === `${url.origin}/`;
};

const isNetwork = (text: string): boolean => {
  const [address = '', bits, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
};

const list = (text: string): string[] => text.split(',').map((item) => item.trim());
const text = (form: RegExp, message: string) => z.string().regex(form, message);
const url = (scheme: RegExp, message: string) => text(scheme, message).refine(URL.canParse, message);

const Environment = z.object({
  SOTTO_DATA: z.string().default('./data'),
  PORT: text(/^\d{1,5}$/, 'must be a port number')
    .transform(Number)
    .refine((port) => port <= 65535, 'must be a port number')
    .default(7688),
  HOST: z.string().default('127.0.0.1'),
  PUBLIC_URL: z
    .string()
    .refine(isOrigin, 'must be an address such as https://chat.example.org, without a path')
    .transform((origin) => new URL(origin).origin)
    .optional(),
  DATABASE_URL: text(/^postgres(ql)?:\/\//, 'must begin with postgresql://').optional(),
  REDIS_URL: url(/^rediss?:\/\//, 'must be an address such as redis://127.0.0.1:6379').optional(),
  TRUST_PROXY: z
    .string()
    .refine(
      (value) => /^[1-9]$/.test(value) || list(value).every(isNetwork),
      'must be the number of proxies in front, or a list of their addresses such as 127.0.0.1,10.0.0.0/8',
    )
    .transform((value): number | string[] => (/^\d$/.test(value) ? Number(value) : list(value)))
    .default([]),
  REGISTRATION: z
    .string()
    .refine(
      (value) => value === 'open' || list(value).every((item) => PROOFS.includes(item)),
      `must be open, or a list of ${PROOFS.join(', ')}`,
    )
    .default('invite'),
  INVITES: z.enum(['members', 'host'], 'must be members or host').default('members'),
  SMTP_URL: url(
    /^smtps?:\/\/./,
    'must be an address such as smtps://user:password@mail.example.org',
  ).optional(),
  MAIL_FROM: text(/^(?:[^<>@\r\n]* <)?[^\s<>@]+@[^\s<>@]+>?$/, 'must be an e-mail address').optional(),
  FIREBASE_PROJECT_ID: text(/^[a-z0-9-]{4,40}$/, 'must be the id of a Firebase project').optional(),
  FIREBASE_API_KEY: text(/^[\w-]{1,100}$/, 'must be the key of a Firebase web app').optional(),
  FIREBASE_AUTH_DOMAIN: text(
    /^[a-z0-9.-]{1,253}$/,
    'must be a domain such as project.firebaseapp.com',
  ).optional(),
  FIREBASE_AUTH_EMULATOR_HOST: text(/^[a-z0-9.-]+:\d{1,5}$/, 'must be a host and a port').optional(),
  RETENTION_DAYS: text(/^[1-9]\d{0,2}$/, DAYS)
    .transform(Number)
    .refine((days) => days <= 365, DAYS)
    .default(LIMITS.retentionMs / DAY),
  METRICS_TOKEN: text(/^[\x21-\x7e]{16,}$/, 'must have 16 characters or more, without spaces').optional(),
  SOTTO_WEB: z.string().default(resolve(import.meta.dirname, '../../web/dist')),
  LOG_LEVEL: z.enum(LEVELS, `must be one of ${LEVELS.join(', ')}`).default('info'),
});

/** What is wrong with settings that are each right by themselves. */
const contradictions = (set: Record<string, string | undefined>): string[] => {
  const demanded = list(set['REGISTRATION'] ?? '');
  const missing = (proof: string, ...names: string[]) =>
    demanded.includes(proof)
      ? names
          .filter((name) => set[name] === undefined)
          .map((name) => `${name} must be set: REGISTRATION demands ${proof}.`)
      : [];
  const emulated = set['FIREBASE_AUTH_EMULATOR_HOST'] !== undefined;
  const served = set['NODE_ENV'] === 'production' || /^https:/i.test(set['PUBLIC_URL'] ?? '');
  return [
    ...missing('email', 'SMTP_URL', 'MAIL_FROM'),
    ...missing('phone', 'FIREBASE_PROJECT_ID', 'FIREBASE_API_KEY', 'FIREBASE_AUTH_DOMAIN'),
    ...(emulated && served
      ? [
          'FIREBASE_AUTH_EMULATOR_HOST must not be set in production: the emulator lets every phone number in.',
        ]
      : []),
  ];
};

/**
 * The settings from environment variables; an empty variable counts as unset.
 * @throws StartError `config-invalid`: a line for every mistake, each naming its variable and none telling its value
 */
export const readConfig = (environment: NodeJS.ProcessEnv = process.env) => {
  const set = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = Environment.safeParse(set);
  const mistakes = new Map(parsed.error?.issues.map(({ path, message }) => [path.join('.'), message]));
  const lines = [...[...mistakes].map(([name, message]) => `${name} ${message}.`), ...contradictions(set)];
  if (!parsed.success || lines.length > 0) throw new StartError('config-invalid', lines.join('\n'));
  const values = parsed.data;
  const demanded = list(values.REGISTRATION);
  const { SMTP_URL: smtpUrl, MAIL_FROM: from } = values;
  const {
    FIREBASE_PROJECT_ID: projectId,
    FIREBASE_API_KEY: apiKey,
    FIREBASE_AUTH_DOMAIN: authDomain,
    FIREBASE_AUTH_EMULATOR_HOST: emulatorHost,
  } = values;
  return {
    /** Absolute path of the folder that holds everything this relay keeps. */
    dataFolder: resolve(values.SOTTO_DATA),
    /** 0 takes any free port. */
    port: values.PORT,
    host: values.HOST,
    /** The one origin people use; undefined means localhost. */
    publicUrl: values.PUBLIC_URL,
    /** A PostgreSQL of the host's own; undefined means the embedded one. */
    databaseUrl: values.DATABASE_URL,
    /** What several relays of one database share; undefined means there is one relay. */
    redisUrl: values.REDIS_URL,
    /** Whose X-Forwarded-For is believed: addresses and networks, or how many proxies stand in front. */
    trustProxy: values.TRUST_PROXY,
    /** What somebody must show to register; nothing of it: everybody may. */
    registration: {
      invite: demanded.includes('invite'),
      email: demanded.includes('email'),
      phone: demanded.includes('phone'),
    },
    /** Who makes invites. */
    invites: values.INVITES,
    mail: smtpUrl && from ? { smtpUrl, from } : undefined,
    /** The Auth emulator checks nothing: for tests alone. */
    firebase: projectId && apiKey && authDomain ? { projectId, apiKey, authDomain, emulatorHost } : undefined,
    /** Milliseconds that an envelope waits for its device. */
    retentionMs: values.RETENTION_DAYS * DAY,
    limits: DEFAULT_LIMITS as Limits,
    /** What a scraper of `/metrics` shows; undefined: there are none. */
    metricsToken: values.METRICS_TOKEN,
    /** The built web app. */
    webFolder: resolve(values.SOTTO_WEB),
    migrationsFolder: resolve(import.meta.dirname, '../../../prisma/migrations'),
    logLevel: values.LOG_LEVEL,
    /** Milliseconds. */
    lifetimes: {
      accessToken: LIMITS.accessTokenMs as number,
      challenge: LIMITS.challengeMs as number,
      invite: LIMITS.inviteMs as number,
    },
    /** Milliseconds since 1970. */
    now: Date.now,
  };
};
export type Config = ReturnType<typeof readConfig>;
