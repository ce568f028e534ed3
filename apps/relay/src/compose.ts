import type { Server } from 'node:http';
import type { Config } from './config.ts';
import { FirstInvite } from './first-invite.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { openGateway, type Gateway, type GatewayParts } from './realtime/gateway.ts';
import type { Redis } from './redis.ts';
import { Accounts } from './services/accounts.ts';
import { Chains } from './services/chains.ts';
import { ChannelLinks } from './services/channel-links.ts';
import { Channels } from './services/channels.ts';
import { Doorbell } from './services/doorbell.ts';
import { Gate, SharedGate } from './services/gate.ts';
import { Inboxes } from './services/inboxes.ts';
import { Invites } from './services/invites.ts';
import { RateLimits } from './services/limits.ts';
import { Mailbox } from './services/mailbox.ts';
import type { Origins } from './services/origins.ts';
import { Prekeys } from './services/prekeys.ts';
import { SignIn } from './services/sign-in.ts';
import { Tokens } from './services/tokens.ts';
import { openProofs } from './services/verification/open.ts';
import type { Database } from './store/database.ts';

export interface ServiceParts {
  database: Database;
  /** The newest accept time given out before. */
  last: number;
  config: Config;
  origins: Origins;
  redis: Redis | undefined;
  metrics: Metrics;
  log: Logger;
}

/**
 * Whoever locks rows that others wait for keeps a connection meanwhile. Most of them are for messages: so many at once are
 * for who is signed in and changes an account, and so many for who registers or recovers one.
 */
const SIGNED_IN = { atOnce: 3, queue: 100, queueEach: 16 };
const OPEN = { atOnce: 2, queue: 100 };

/** What the relay does, apart from how it is asked. */
export const createServices = ({ database, last, config, origins, redis, metrics, log }: ServiceParts) => {
  const { pool, prisma } = database;
  const { now, lifetimes, registration } = config;
  const limits = new RateLimits(config.limits, {
    now,
    store: redis?.limits,
    hit: (limit) => metrics.limited.inc({ limit }),
  });
  const doorbell = new Doorbell();
  const invites = new Invites(prisma, { lifetime: lifetimes.invite, now });
  const first = new FirstInvite(config.dataFolder, invites);
  const inboxes = new Inboxes(pool, { now, log });
  const mailbox = new Mailbox(pool, { doorbell, limits, inboxes, now, last, metrics, log });
  const proofs = openProofs(prisma, config, { limits, relay: origins.main, log });
  const gates = { gate: new SharedGate(SIGNED_IN), openGate: new Gate(OPEN) };
  /** There once the sockets are. */
  let gateway: Gateway | undefined;
  const signIn = new SignIn(pool, { tokens: new Tokens(pool, { lifetimes, now }), origins });
  return {
    config,
    metrics,
    prisma,
    gate: gates.gate,
    limits,
    signIn,
    doorbell,
    invites,
    first,
    mailbox,
    emails: proofs.emails,
    accounts: new Accounts(prisma, {
      ...gates,
      invites,
      inviteDemanded: registration.invite,
      checkProofs: proofs.check,
      now,
      // Made good at the next start when it fails now.
      registered: () => first.forget().catch(() => undefined),
    }),
    chains: new Chains(prisma, { ...gates, now }),
    channels: new Channels(pool, {
      doorbell,
      limits,
      inboxes,
      strangersAtOnce: config.limits.strangers.points,
      time: () => mailbox.time(),
    }),
    channelLinks: new ChannelLinks(pool, { doorbell, limits, inboxes, time: () => mailbox.time() }),
    prekeys: new Prekeys(prisma, {
      gate: gates.gate,
      limits,
      now,
      low: (device, left) => gateway?.tell(device, 'prekeys-low', left),
    }),
    openGateway: (server: Server, refusal: GatewayParts['refusal']): Gateway => {
      gateway = openGateway(server, origins, {
        mailbox,
        doorbell,
        signIn,
        pool,
        limits,
        redis,
        refusal,
        metrics,
        now,
        log,
      });
      return gateway;
    },
  };
};

export type Services = ReturnType<typeof createServices>;
