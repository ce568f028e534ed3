import type { Server } from 'node:http';
import type { Router } from 'express';
import type { Config } from './config.ts';
import { FirstInvite } from './first-invite.ts';
import { accountRoutes } from './http/accounts.ts';
import type { AddressOf } from './http/address.ts';
import { channelRoutes } from './http/channels.ts';
import { deviceRoutes } from './http/devices.ts';
import { inboxRoutes } from './http/inbox.ts';
import { inviteRoutes } from './http/invites.ts';
import { prekeyRoutes } from './http/prekeys.ts';
import { sessionRoutes } from './http/session.ts';
import { verificationRoutes } from './http/verifications.ts';
import type { Logger } from './log.ts';
import type { Metrics } from './metrics.ts';
import { openGateway, type Gateway, type GatewayParts } from './realtime/gateway.ts';
import type { Redis } from './redis.ts';
import { Accounts } from './services/accounts.ts';
import { Chains } from './services/chains.ts';
import { Channels } from './services/channels.ts';
import { removeAccount, removeDevice } from './services/devices.ts';
import { Doorbell } from './services/doorbell.ts';
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
  const mailbox = new Mailbox(pool, { doorbell, limits, now, last, metrics, log });
  const { proofs, email } = openProofs(prisma, config, { limits, relay: origins.main, log });
  /** There once the sockets are. */
  let gateway: Gateway | undefined;
  const signIn = new SignIn(pool, { tokens: new Tokens(pool, { lifetimes, now }), origins });
  return {
    limits,
    signIn,
    doorbell,
    invites,
    first,
    mailbox,
    email,
    accounts: new Accounts(prisma, {
      invites,
      inviteDemanded: registration.invite,
      proofs,
      now,
      // Made good at the next start when it fails now.
      registered: () => first.forget().catch(() => undefined),
    }),
    chains: new Chains(prisma, { now }),
    channels: new Channels(pool, { doorbell, time: () => mailbox.time() }),
    prekeys: new Prekeys(prisma, pool, {
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

/** How it is asked over HTTP. */
export const createRoutes = (
  services: Omit<Services, 'openGateway'>,
  parts: { prisma: Database['prisma']; addressOf: AddressOf; config: Pick<Config, 'invites' | 'now'> },
): { large: Router[]; others: Router[] } => {
  const { prisma, addressOf, config } = parts;
  const { now } = config;
  const { accounts, chains, channels, email, invites, limits, mailbox, prekeys, signIn } = services;
  return {
    large: [inboxRoutes(mailbox, signIn), channelRoutes({ channels, signIn, limits })],
    others: [
      accountRoutes({
        accounts,
        chains,
        signIn,
        limits,
        remove: (account) => removeAccount(prisma, account),
      }),
      sessionRoutes(signIn, limits),
      verificationRoutes(email, addressOf),
      inviteRoutes({ invites, signIn, limits, byMembers: config.invites === 'members' }),
      prekeyRoutes(prekeys, signIn, limits),
      deviceRoutes(signIn, (device, account) => removeDevice(prisma, device, { account, now: now() })),
    ],
  };
};
