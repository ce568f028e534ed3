import { RelayError } from '@sotto/contract/errors';
import {
  AckEvent,
  RenewEvent,
  SendEvent,
  type ClientEvents,
  type Reply,
} from '@sotto/contract/events/client';
import type { RelayEvents } from '@sotto/contract/events/relay';
import type { Socket } from 'socket.io';
import type { Logger } from '../log.ts';
import { parse, problemOf } from '../problem.ts';
import type { Doorbell } from '../services/doorbell.ts';
import type { Mailbox } from '../services/mailbox.ts';
import type { SignIn } from '../services/sign-in.ts';
import type { Identity } from '../services/tokens.ts';
import { Pump } from './pump.ts';

export type DeviceSocket = Socket<ClientEvents, RelayEvents, Record<string, never>, { identity: Identity }>;

export interface ConnectionParts {
  mailbox: Mailbox;
  doorbell: Doorbell;
  signIn: SignIn;
  now: () => number;
  log: Logger;
}

const isReply = (value: unknown): value is (answer: Reply) => void => typeof value === 'function';

/** Serves one signed-in socket until it ends. What it sends is untrusted in number, kind and content. */
export const serveConnection = (socket: DeviceSocket, parts: ConnectionParts): void => {
  const { mailbox, doorbell, signIn, now, log } = parts;
  const { device } = socket.data.identity;
  const refuse = (error: unknown): void => void socket.emit('problem', problemOf(error, log));

  const pump = new Pump({
    read: (except, limit) => mailbox.waiting(device, except, limit),
    deliver: (envelopes) => void socket.emit('deliver', { envelopes }),
    caughtUp: () => void socket.emit('caught-up'),
    failed: refuse,
  });

  let expiry: NodeJS.Timeout | undefined;
  const endWithToken = (): void => {
    clearTimeout(expiry);
    const left = socket.data.identity.expiresAt - now();
    expiry = setTimeout(
      () => {
        refuse(new RelayError('token-expired'));
        socket.disconnect(true);
      },
      Math.max(0, left),
    );
  };

  const single = (args: unknown[]): unknown => {
    if (args.length !== 1) throw new RelayError('bad-request');
    return args[0];
  };

  const handlers: Record<keyof ClientEvents, (args: unknown[]) => Promise<void>> = {
    send: async (args) => {
      const { envelopes } = parse(SendEvent, single(args));
      socket.emit('accepted', { results: await mailbox.accept(envelopes) });
    },
    ack: async (args) => {
      const { ids } = parse(AckEvent, single(args));
      try {
        await mailbox.acknowledge(device, ids);
      } finally {
        // Also when that failed: they come again, and are acknowledged again.
        pump.release(ids);
      }
    },
    renew: async (args) => {
      const reply = args.at(-1);
      if (!isReply(reply)) throw new RelayError('bad-request');
      try {
        const { token } = parse(RenewEvent, single(args.slice(0, -1)));
        const identity = await signIn.authenticate(token);
        if (identity.device !== device) throw new RelayError('forbidden');
        socket.data.identity = identity;
        if (socket.connected) endWithToken();
        reply({ ok: true });
      } catch (error) {
        reply({ ok: false, code: problemOf(error, log).code });
      }
    },
  };

  socket.onAny((name: string, ...args: unknown[]) => {
    if (!Object.hasOwn(handlers, name)) return refuse(new RelayError('unknown-event'));
    handlers[name as keyof ClientEvents](args).catch(refuse);
  });
  socket.on('error', () => undefined);

  let silence = (): void => undefined;
  // Looked at again now that a removal would find the socket: one during the handshake did not.
  signIn.assertActive(device).then(
    () => {
      if (!socket.connected) return;
      silence = doorbell.listen(device, () => pump.ring());
      pump.ring();
    },
    (error: unknown) => {
      refuse(error);
      socket.disconnect(true);
    },
  );
  socket.on('disconnect', () => {
    silence();
    pump.stop();
    clearTimeout(expiry);
  });
  endWithToken();
};
