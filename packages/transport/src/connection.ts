import {
  IncomingEnvelope,
  IncomingLive,
  type LiveEnvelope,
  type LivePost,
  type OutgoingEnvelope,
  type OutgoingPost,
} from '@sotto/contract/envelope';
import { type ErrorCode, RelayError } from '@sotto/contract/errors';
import type { ClientEvents, Handshake, Reply } from '@sotto/contract/events/client';
import { type RelayEvents, SendResult } from '@sotto/contract/events/relay';
import { EnvelopeId } from '@sotto/contract/ids';
import { Problem } from '@sotto/contract/problem';
import { WIRE_VERSION } from '@sotto/contract/version';
import type { Connection, ConnectionListener } from '@sotto/engine/ports';
import { io, type Socket } from 'socket.io-client';
import parser from 'socket.io-msgpack-parser';
import * as z from 'zod/mini';
import type { Session } from './session.ts';

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 20_000;
/** The relay says why it ends a connection this shortly before it does, at most. */
const REASON_MS = 5_000;
/** Refusals that do not pass by themselves: tried again, seldom. */
const STUBBORN: readonly ErrorCode[] = [
  'origin-refused',
  'device-unknown',
  'bad-request',
  'unsupported-version',
];

/** The parser's encoder takes an ArrayBuffer in a browser and a Buffer in Node, and nothing else, for bytes. */
const toWire = (bytes: Uint8Array): unknown =>
  'Buffer' in globalThis
    ? (globalThis as unknown as { Buffer: { from(bytes: Uint8Array): unknown } }).Buffer.from(bytes)
    : bytes.slice().buffer;

/** What the parser's decoder hands out for bytes: an ArrayBuffer in a browser, a Buffer in Node. */
const fromWire = (value: unknown): unknown =>
  value instanceof ArrayBuffer || value instanceof Uint8Array ? new Uint8Array(value) : value;

/** The items of an event's list that are what the contract says. What is not is a newer relay's, or nobody's. */
const itemsOf = <T>(event: unknown, list: string, parse: (item: unknown) => T | undefined): T[] => {
  const items: unknown = (event as Record<string, unknown> | undefined)?.[list];
  return Array.isArray(items) ? items.flatMap((item) => parse(item) ?? []) : [];
};

const parseEnvelope = (item: unknown): IncomingEnvelope | undefined => {
  const { body } = (item ?? {}) as { body?: unknown };
  return IncomingEnvelope.safeParse({ ...(item as object), body: fromWire(body) }).data;
};

const parseLive = (item: unknown): IncomingLive | undefined => {
  const { body } = (item ?? {}) as { body?: unknown };
  return IncomingLive.safeParse({ ...(item as object), body: fromWire(body) }).data;
};

const UnknownRefusal = z.looseObject({ id: EnvelopeId, code: z.string() });

const parseResult = (item: unknown): SendResult | undefined => {
  const { data } = SendResult.safeParse(item);
  if (data) return data;
  const refusal = UnknownRefusal.safeParse(item).data;
  return refusal && { id: refusal.id, code: 'internal' };
};

/**
 * One socket that is opened anew, signed in anew, whenever it is lost. It retries connecting and nothing else: what
 * is sent while it is down, or gets lost with it, is the caller's to send again.
 */
export const openConnection = (
  origin: string,
  session: Session,
  listener: ConnectionListener,
): Connection => {
  let token = '';
  let closed = false;
  let retryMs = FIRST_RETRY_MS;
  let attempting = false;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let renewTimer: ReturnType<typeof setTimeout> | undefined;

  const socket: Socket<RelayEvents, ClientEvents> = io(origin, {
    autoConnect: false,
    reconnection: false,
    transports: ['websocket'],
    parser,
    auth: (send) => send({ token, version: WIRE_VERSION } satisfies Handshake),
  });

  const attempt = async (): Promise<void> => {
    if (closed || attempting || socket.connected) return;
    attempting = true;
    clearTimeout(retryTimer);
    try {
      token = await session.token();
      if (!closed) socket.connect();
    } catch (error) {
      lost(error instanceof RelayError ? error.code : 'unreachable');
    } finally {
      attempting = false;
    }
  };

  /** There is no connection, for the reason named; sees to the next one. */
  const lost = (code?: RelayError['code']): void => {
    clearTimeout(renewTimer);
    if (closed) return;
    if (code === 'device-removed') {
      closed = true;
      listener.disconnected(code);
      return;
    }
    if (code === 'token-expired' || code === 'unauthenticated') session.drop();
    const stubborn = STUBBORN.find((refusal) => refusal === code);
    if (stubborn) retryMs = LAST_RETRY_MS;
    listener.disconnected(stubborn);
    clearTimeout(retryTimer);
    retryTimer = setTimeout(() => void attempt(), retryMs * (0.5 + Math.random() / 2));
    retryMs = Math.min(retryMs * 2, LAST_RETRY_MS);
  };

  const tellTime = (): void => {
    const now = session.relayNow();
    if (now !== undefined) listener.time?.(now);
  };

  /** Silently, well before the relay would end the connection. */
  const renew = async (): Promise<void> => {
    try {
      token = await session.token();
      const answer: Reply = await socket.timeout(10_000).emitWithAck('renew', { token });
      if (!answer.ok) throw new RelayError(answer.code);
      tellTime();
      renewLater();
    } catch {
      // The connection may live on until its token runs out; until then this is tried again.
      if (socket.connected) renewTimer = setTimeout(() => void renew(), 10_000);
    }
  };

  const renewLater = (): void => {
    clearTimeout(renewTimer);
    renewTimer = setTimeout(() => void renew(), session.renewIn());
  };

  socket.on('connect', () => {
    retryMs = FIRST_RETRY_MS;
    renewLater();
    tellTime();
    listener.connected();
  });
  let lastProblem: { code: ErrorCode; at: number } | undefined;
  socket.on('disconnect', () => {
    const isReason = lastProblem !== undefined && performance.now() - lastProblem.at < REASON_MS;
    lost(isReason ? lastProblem!.code : undefined);
    lastProblem = undefined;
  });
  socket.on('connect_error', (error) => {
    const problem = Problem.safeParse((error as { data?: unknown }).data);
    lost(problem.success ? problem.data.code : 'unreachable');
  });
  socket.on('accepted', (event) => listener.accepted(itemsOf(event, 'results', parseResult)));
  socket.on('deliver', (event) => listener.deliver(itemsOf(event, 'envelopes', parseEnvelope)));
  socket.on('live', (event) => listener.live(itemsOf(event, 'envelopes', parseLive)));
  socket.on('caught-up', () => listener.caughtUp());
  socket.on('prekeys-low', () => listener.prekeysLow());
  socket.on('problem', (event) => {
    const parsed = Problem.safeParse(event);
    if (!parsed.success) return;
    lastProblem = { code: parsed.data.code, at: performance.now() };
    listener.problem(parsed.data.code);
  });

  void attempt();

  return {
    send(envelopes) {
      if (!socket.connected) return false;
      const wire = envelopes.map((envelope) => ({ ...envelope, body: toWire(envelope.body) }));
      socket.emit('send', { envelopes: wire as OutgoingEnvelope[] });
      return true;
    },
    post(posts) {
      if (!socket.connected) return false;
      const wire = posts.map((post) => ({ ...post, body: toWire(post.body) }));
      socket.emit('post', { posts: wire as OutgoingPost[] });
      return true;
    },
    ack(ids) {
      if (!socket.connected || ids.length === 0) return false;
      socket.emit('ack', { ids: ids as EnvelopeId[] });
      return true;
    },
    live(signals) {
      if (!socket.connected || signals.length === 0) return false;
      const wire = signals.map((signal) => ({ ...signal, body: toWire(signal.body) }));
      socket.emit('live', { envelopes: wire as LiveEnvelope[], posts: [] });
      return true;
    },
    livePost(post) {
      if (!socket.connected) return false;
      const posts = [{ ...post, body: toWire(post.body) }] as LivePost[];
      socket.emit('live', { envelopes: [], posts });
      return true;
    },
    retry() {
      retryMs = FIRST_RETRY_MS;
      void attempt();
    },
    close() {
      closed = true;
      clearTimeout(retryTimer);
      clearTimeout(renewTimer);
      socket.disconnect();
    },
  };
};
