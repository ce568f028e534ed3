import type { IncomingEnvelope, IncomingLive } from '@sotto/contract/envelope';
import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import {
  AckEvent,
  LiveEvent,
  PostEvent,
  RenewEvent,
  SendEvent,
  type ClientEvents,
  type Reply,
} from '@sotto/contract/events/client';
import type { RelayEvents, SendResult } from '@sotto/contract/events/relay';
import type { DeviceId } from '@sotto/contract/ids';
import type { Socket } from 'socket.io';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { parse, problemOf } from '../problem.ts';
import type { Doorbell, Listener } from '../services/doorbell.ts';
import type { Live } from '../services/live.ts';
import type { Mailbox } from '../services/mailbox.ts';
import type { SignIn } from '../services/sign-in.ts';
import type { Identity } from '../services/tokens.ts';
import type { Taker } from '../services/way-in.ts';
import { encodeDelivery, encodeEvent, forgetDelivery } from './frames.ts';
import { BYTES_IN_FLIGHT, Pump, type PumpPorts } from './pump.ts';

/** What may wait for a reader that does not read: frames of Engine.IO, and bytes beyond. */
const FRAMES_WAITING = 1_000;
const BYTES_WAITING = 2 * BYTES_IN_FLIGHT;

export type DeviceSocket = Socket<
  ClientEvents,
  RelayEvents,
  Record<string, never>,
  { connection: Connection; waiting: boolean }
>;

/** The parts of Engine.IO and `ws` that Socket.IO has no name for. */
interface Wire {
  readonly writeBuffer: readonly unknown[];
  readonly transport: {
    readonly socket?: {
      readonly bufferedAmount: number;
      send(frame: Buffer, options: { binary: true; compress: false }): void;
      terminate(): void;
      readonly _socket?: { cork(): void; uncork(): void };
    };
  };
}

const BINARY = { binary: true, compress: false } as const;
const CAUGHT_UP = encodeEvent('caught-up');

export interface ConnectionParts {
  mailbox: Mailbox;
  doorbell: Doorbell;
  live: Live;
  signIn: SignIn;
  limits: Taker;
  now: () => number;
  metrics?: Metrics | undefined;
  log: Logger;
}

const endOf = ({ expiresAt }: Identity, now: number): number => performance.now() + expiresAt - now;

const isReply = (value: unknown): value is (answer: Reply) => void => typeof value === 'function';

const single = (args: readonly unknown[]): unknown => {
  if (args.length !== 1) throw new RelayError('bad-request');
  return args[0];
};

/** Connections with something to write. All that becomes known in one go leaves together. */
const dirty: Connection[] = [];

const flushAll = (): void => {
  for (const connection of dirty) connection.flush();
  dirty.length = 0;
  forgetDelivery();
};

/**
 * A signed-in socket, from its sign-in on: it hears of removals and of what is new before it is let in. What it sends
 * is untrusted in number, kind and content. There are thousands: they share what they can.
 */
export class Connection implements Listener, PumpPorts {
  identity: Identity;
  /** By `performance.now`: its token's end, whatever becomes of the clock. */
  #endsAt: number;
  readonly #socket: DeviceSocket;
  readonly #parts: ConnectionParts;
  readonly #pump: Pump = new Pump(this);
  #state: 'waiting' | 'open' | 'ended' = 'waiting';
  /** Rung while it waited to be let in. */
  #rung = false;
  /** Why it was ended by the relay. */
  #reason: ErrorCode | undefined;
  #renewing = false;
  #dirty = false;
  #results: SendResult[] | undefined;
  #envelopes: IncomingEnvelope[] | undefined;
  #live: IncomingLive[] | undefined;

  constructor(socket: DeviceSocket, identity: Identity, parts: ConnectionParts) {
    this.#socket = socket;
    this.identity = identity;
    this.#endsAt = endOf(identity, parts.now());
    this.#parts = parts;
    parts.doorbell.listen(identity.device, this);
  }

  get device(): DeviceId {
    return this.identity.device;
  }

  /** @throws RelayError as the relay ended it meanwhile */
  assertWanted(): void {
    if (this.#reason) throw new RelayError(this.#reason);
  }

  /** The socket is there. `waiting`: there was something in the inbox at a moment since the construction of this. */
  open(waiting: boolean): void {
    this.#state = 'open';
    if (waiting || this.#rung) this.#pump.ring();
    else this.#pump.begin();
  }

  /** What is written from now to the end of this turn leaves together. */
  cork(): void {
    const tcp = this.#wire.transport.socket?._socket;
    tcp?.cork();
    setImmediate(() => tcp?.uncork());
  }

  /** Tells the socket why, and ends it. */
  close(code: ErrorCode): void {
    this.#reason = code;
    if (this.#state !== 'open') return;
    this.#socket.emit('problem', { code });
    this.#socket.disconnect(true);
  }

  /** The socket has ended. */
  end(): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#parts.doorbell.silence(this.device, this);
    this.#pump.stop();
  }

  /** Ends it when its token ran out. */
  checkExpiry(now: number): boolean {
    if (this.identity.expiresAt > now && this.#endsAt > performance.now()) return false;
    this.close('token-expired');
    return true;
  }

  tell<Name extends keyof RelayEvents>(name: Name, ...payload: Parameters<RelayEvents[Name]>): void {
    if (this.#state === 'open') this.#socket.conn.write(encodeEvent(name, ...payload), { compress: false });
  }

  receive(name: string, args: unknown[]): void {
    if (this.checkExpiry(this.#parts.now()) || this.#overrun()) return;
    try {
      if (!Object.hasOwn(handlers, name)) throw new RelayError('unknown-event');
      handlers[name as keyof ClientEvents](this, args);
    } catch (error) {
      this.failed(error);
    }
  }

  send(args: unknown[]): void {
    const { envelopes } = parse(SendEvent, single(args));
    this.#parts.mailbox.submit(this.identity, 'envelopes', envelopes, (results) => this.#answer(results));
  }

  post(args: unknown[]): void {
    const { posts } = parse(PostEvent, single(args));
    this.#parts.mailbox.submit(this.identity, 'posts', posts, (results) => this.#answer(results));
  }

  passLive(args: unknown[]): void {
    this.#parts.live.pass(this.identity, parse(LiveEvent, single(args)));
  }

  ack(args: unknown[]): void {
    const { ids } = parse(AckEvent, single(args));
    const taken = this.#pump.acked(ids);
    if (taken.length > 0)
      this.#parts.mailbox.submitAcks(this.device, taken, (error) => {
        this.#pump.stored(taken, error !== undefined);
        if (error !== undefined) this.failed(error);
      });
    // What it was sent bounds what it has to acknowledge; whatever else it names is dropped.
    if (taken.length < ids.length) this.#parts.limits.take('ack', this.device, ids.length - taken.length);
  }

  renew(args: unknown[]): void {
    const reply = args.at(-1);
    if (!isReply(reply)) throw new RelayError('bad-request');
    const { signIn, limits, log } = this.#parts;
    if (this.#renewing) return reply({ ok: false, code: 'busy' });
    this.#renewing = true;
    const renewed = async (): Promise<void> => {
      const { token } = parse(RenewEvent, single(args.slice(0, -1)));
      limits.take('token', this.device);
      const identity = await signIn.authenticate(token);
      if (identity.device !== this.device) throw new RelayError('forbidden');
      this.identity = identity;
      this.#endsAt = endOf(identity, this.#parts.now());
    };
    renewed()
      .finally(() => (this.#renewing = false))
      .then(
        () => reply({ ok: true }),
        (error: unknown) => reply({ ok: false, code: problemOf(error, log).code }),
      );
  }

  ring(): void {
    if (this.#state === 'open') this.#pump.ring();
    else this.#rung = true;
  }

  fresh(envelope: IncomingEnvelope): void {
    if (this.#state === 'open') this.#pump.fresh(envelope);
    else this.#rung = true;
  }

  /** Dropped where the reader is behind anyway. */
  hearLive(live: IncomingLive): void {
    if (this.#state !== 'open' || (this.#wire.transport.socket?.bufferedAmount ?? 0) > 0) return;
    (this.#live ??= []).push(live);
    this.#mark();
  }

  read(options: Parameters<PumpPorts['read']>[0]): ReturnType<PumpPorts['read']> {
    return this.#parts.mailbox.waiting(this.device, options);
  }

  deliver(envelope: IncomingEnvelope): void {
    (this.#envelopes ??= []).push(envelope);
    this.#mark();
  }

  caughtUp(): void {
    this.flush();
    this.#write(CAUGHT_UP);
  }

  failed(error: unknown): void {
    if (this.#state !== 'open') return;
    const problem = problemOf(error, this.#parts.log);
    this.#parts.metrics?.refused.inc({ code: problem.code });
    this.tell('problem', problem);
  }

  flush(): void {
    this.#dirty = false;
    const [results, envelopes, live] = [this.#results, this.#envelopes, this.#live];
    this.#results = this.#envelopes = this.#live = undefined;
    if (this.#state !== 'open') return;
    const tcp = this.#wire.transport.socket?._socket;
    tcp?.cork();
    if (results) this.#write(encodeEvent('accepted', { results }));
    if (envelopes) {
      this.#parts.metrics?.delivered.inc(envelopes.length);
      for (const frame of encodeDelivery(envelopes)) this.#write(frame);
    }
    if (live) this.#write(encodeEvent('live', { envelopes: live }));
    tcp?.uncork();
    this.#overrun();
  }

  get #wire(): Wire {
    return this.#socket.conn as unknown as Wire;
  }

  #answer(results: readonly SendResult[]): void {
    (this.#results ??= []).push(...results);
    this.#mark();
  }

  #mark(): void {
    if (this.#dirty) return;
    this.#dirty = true;
    if (dirty.push(this) === 1) queueMicrotask(flushAll);
  }

  /** Straight to the wire, unless Engine.IO holds something that comes first. */
  #write(frame: Buffer): void {
    const { writeBuffer, transport } = this.#wire;
    if (writeBuffer.length === 0 && transport.socket) transport.socket.send(frame, BINARY);
    else this.#socket.conn.write(frame, { compress: false });
  }

  /** Ends who sends and does not read. Deliveries have bounds of their own. */
  #overrun(): boolean {
    const { writeBuffer, transport } = this.#wire;
    if (writeBuffer.length <= FRAMES_WAITING && (transport.socket?.bufferedAmount ?? 0) <= BYTES_WAITING)
      return false;
    // A polite end would wait for the same reader.
    transport.socket?.terminate();
    return true;
  }
}

const handlers: Record<keyof ClientEvents, (connection: Connection, args: unknown[]) => void> = {
  send: (connection, args) => connection.send(args),
  post: (connection, args) => connection.post(args),
  live: (connection, args) => connection.passLive(args),
  ack: (connection, args) => connection.ack(args),
  renew: (connection, args) => connection.renew(args),
};
