import { randomBytes } from 'node:crypto';
import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import type { ClientEvents } from '@sotto/contract/events/client';
import type { RelayEvents, SendResult } from '@sotto/contract/events/relay';
import type { AccountId, DeviceId, EnvelopeId, Handle, InviteSecret } from '@sotto/contract/ids';
import type { EcPrekey } from '@sotto/contract/keys';
import type { RegisterRequest } from '@sotto/contract/rest/accounts';
import type { ChallengeResponse, TokenResponse } from '@sotto/contract/rest/session';
import { WIRE_VERSION } from '@sotto/contract/version';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { createChain, verifyChain } from '@sotto/crypto/chain';
import { generateAgreementKey, generateSigningKey } from '@sotto/crypto/keys';
import { makePrekeys, type Prekey } from '@sotto/crypto/prekeys';
import { createSealingKey } from '@sotto/crypto/sealing-key';
import { signSignIn } from '@sotto/crypto/sign-in';
import { io, type Socket } from 'socket.io-client';
import * as parser from 'socket.io-msgpack-parser';
import type { TestRelay } from './harness.ts';

export const randomId = <Id extends string>(bytes = 16): Id => toBase64url(randomBytes(bytes)) as Id;

/** A request to the relay; the answer's status and parsed body. */
export const call = async (
  port: number,
  method: string,
  path: string,
  options: { body?: unknown; token?: string; headers?: Record<string, string> } = {},
) => {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      ...(options.body !== undefined && { 'content-type': 'application/json' }),
      ...(options.token !== undefined && { authorization: `Bearer ${options.token}` }),
      ...options.headers,
    },
    ...(options.body !== undefined && {
      body: typeof options.body === 'string' ? options.body : JSON.stringify(options.body),
    }),
  });
  const text = await response.text();
  const body: unknown = text.startsWith('{') ? JSON.parse(text) : text;
  return { status: response.status, body: body as Record<string, unknown>, headers: response.headers };
};

let count = 0;

/** A prekey as it goes over the wire. */
export const wirePrekey = ({ id, createdAt, expiresAt, publicKey, signature }: Prekey): EcPrekey => ({
  id,
  createdAt,
  expiresAt,
  publicKey: toBase64url(publicKey),
  signature: toBase64url(signature),
});

/** Keys of a new device and what it would register with. */
export const createDevice = async (invite: InviteSecret) => {
  const signing = await generateSigningKey();
  const identity = await generateAgreementKey();
  const { account, event } = await createChain({ signing, identity, createdAt: Date.now() });
  const { device } = (await verifyChain([event])).devices[0]!;
  const sealing = await createSealingKey({
    account,
    device,
    signing: signing.privateKey,
    id: 1,
    createdAt: Date.now(),
  });
  const prekey = async (kind: 'signed' | 'pq-last-resort') => {
    const owner = { account, device, signing: signing.privateKey };
    const [made] = await makePrekeys({ ...owner, kind, firstId: 1, count: 1, createdAt: Date.now() });
    return wirePrekey(made!);
  };
  count += 1;
  const registration: RegisterRequest = {
    invite,
    handle: `person_${count}` as Handle,
    event: toBase64url(event),
    sealingKey: {
      id: sealing.id,
      createdAt: sealing.createdAt,
      publicKey: toBase64url(sealing.publicKey),
      signature: toBase64url(sealing.signature),
    },
    signed: await prekey('signed'),
    lastResort: await prekey('pq-last-resort'),
  };
  return { account: account as AccountId, device: device as DeviceId, signing, registration };
};
export type TestKeys = Awaited<ReturnType<typeof createDevice>>;

/** Challenge, signature, token. `answer` changes what is sent. */
export const signIn = async (
  port: number,
  { device, signing }: Pick<TestKeys, 'device' | 'signing'>,
  answer: { origin?: string; challenge?: string } = {},
) => {
  const origin = answer.origin ?? `http://localhost:${port}`;
  const asked = await call(port, 'POST', '/v1/session/challenges', { body: { device } });
  const challenge = answer.challenge ?? (asked.body as unknown as ChallengeResponse).challenge;
  const signature = toBase64url(await signSignIn(signing.privateKey, { origin, device, challenge }));
  return call(port, 'POST', '/v1/session/tokens', { body: { device, challenge, origin, signature } });
};

/** Registered and signed in. */
export const join = async (test: Pick<TestRelay, 'invite' | 'relay'>) => {
  const keys = await createDevice(await test.invite());
  const registered = await call(test.relay.port, 'POST', '/v1/accounts', { body: keys.registration });
  if (registered.status !== 201) throw new Error(`registration: ${JSON.stringify(registered.body)}`);
  const { body } = await signIn(test.relay.port, keys);
  return { ...keys, token: (body as unknown as TokenResponse).token };
};
export type TestDevice = Awaited<ReturnType<typeof join>>;

export const envelopeFor = (device: DeviceId, body: Uint8Array = randomBytes(32)): OutgoingEnvelope => ({
  id: randomId<EnvelopeId>(),
  device,
  // The encoder takes nothing else for bytes.
  body: Buffer.from(body),
});

export const [CONNECT, EVENT] = [0, 2];

const encoder = new parser.Encoder() as unknown as { encode: (packet: unknown) => [Buffer] };

/** A packet of Socket.IO as it stands on the wire. */
export const encodeFrame = (packet: unknown): Buffer => encoder.encode(packet)[0];

/** A parser that sends `bytes` instead of every packet of a type. */
const lyingParser = ({ instead, bytes }: { instead: number; bytes: Buffer }) => ({
  ...parser,
  Encoder: class {
    encode(packet: { type: number }): [Buffer] {
      return packet.type === instead ? [bytes] : encoder.encode(packet);
    }
  },
});

/** A socket and all that came over it. */
export const connect = (
  port: number,
  auth: Record<string, unknown>,
  options: { origin?: string; acks?: boolean; frame?: { instead: number; bytes: Buffer } } = {},
) => {
  const socket: Socket<RelayEvents, ClientEvents> = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    parser: options.frame ? lyingParser(options.frame) : parser,
    auth: { version: WIRE_VERSION, ...auth },
    reconnection: false,
    forceNew: true,
    ...(options.origin && { extraHeaders: { origin: options.origin } }),
  });
  const seen = {
    delivered: [] as { id: EnvelopeId; at: number; body: Uint8Array }[],
    results: [] as SendResult[],
    problems: [] as string[],
    refusals: [] as string[],
    /** `caught-up` and the number of envelopes before it. */
    caughtUp: [] as number[],
    disconnects: [] as string[],
  };
  socket.on('deliver', ({ envelopes }) => {
    seen.delivered.push(...envelopes);
    if (options.acks) socket.emit('ack', { ids: envelopes.map(({ id }) => id) });
  });
  socket.on('accepted', ({ results }) => void seen.results.push(...results));
  socket.on('problem', ({ code }) => void seen.problems.push(code));
  socket.on('caught-up', () => void seen.caughtUp.push(seen.delivered.length));
  socket.on('disconnect', (reason) => void seen.disconnects.push(reason));
  socket.on('connect_error', (error) => {
    const { data } = error as { data?: { code?: string } };
    seen.refusals.push(data?.code ?? error.message);
  });
  return { socket, seen, close: () => void socket.disconnect() };
};

export const idBytesOf = (id: string): Buffer => Buffer.from(fromBase64url(id));
