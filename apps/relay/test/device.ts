import { createHash, randomBytes } from 'node:crypto';
import type { IncomingEnvelope, IncomingLive, OutgoingEnvelope } from '@sotto/contract/envelope';
import type { ClientEvents } from '@sotto/contract/events/client';
import type { PrekeysLowEvent, RelayEvents, SendResult } from '@sotto/contract/events/relay';
import type {
  AccountId,
  ChainHead,
  DeliveryHash,
  DeliveryToken,
  DeviceId,
  EnvelopeId,
  Handle,
  InviteSecret,
} from '@sotto/contract/ids';
import type { EcPrekey } from '@sotto/contract/keys';
import type { AppendRequest, RegisterRequest } from '@sotto/contract/rest/accounts';
import type { ChallengeResponse, TokenResponse } from '@sotto/contract/rest/session';
import { WIRE_VERSION } from '@sotto/contract/version';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { acceptDevice, createChain, proposeDevice, verifyChain } from '@sotto/crypto/chain';
import { generateAgreementKey, generateSigningKey, type KeyPair } from '@sotto/crypto/keys';
import { makePrekeys, type Prekey } from '@sotto/crypto/prekeys';
import { createSealingKey, type SealingKey } from '@sotto/crypto/sealing-key';
import { signSignIn } from '@sotto/crypto/sign-in';
import { io, type Socket } from 'socket.io-client';
import * as parser from 'socket.io-msgpack-parser';
import type { TestRelay } from './harness.ts';

export const randomId = <Id extends string>(bytes = 16): Id => toBase64url(randomBytes(bytes)) as Id;

export const idBytesOf = (id: string): Buffer => Buffer.from(fromBase64url(id));

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

/** What was made here, for who writes to it. */
const owners = new Map<DeviceId, Pick<TestKeys, 'chain' | 'delivery'>>();

/** A prekey as it goes over the wire. */
export const wirePrekey = ({ id, createdAt, expiresAt, publicKey, signature }: Prekey): EcPrekey => ({
  id,
  createdAt,
  expiresAt,
  publicKey: toBase64url(publicKey),
  signature: toBase64url(signature),
});

export const wireSealingKey = ({ id, createdAt, publicKey, signature }: SealingKey) => ({
  id,
  createdAt,
  publicKey: toBase64url(publicKey),
  signature: toBase64url(signature),
});

/** What a device brings along when it joins an account. */
const deviceKeys = async (owner: { account: string; device: string; signing: KeyPair }) => {
  const { account, device } = owner;
  const address = { account, device, signing: owner.signing.privateKey };
  const sealing = await createSealingKey({ ...address, id: 1, createdAt: Date.now() });
  const prekey = async (kind: 'signed' | 'pq-last-resort') => {
    const [made] = await makePrekeys({ ...address, kind, firstId: 1, count: 1, createdAt: Date.now() });
    return wirePrekey(made!);
  };
  return {
    sealingKey: wireSealingKey(sealing),
    signed: await prekey('signed'),
    lastResort: await prekey('pq-last-resort'),
  };
};

/** Keys of a new device and what it would register with. `delivery` is the token that contacts would get. */
export const createDevice = async (invite: InviteSecret, known: { signing?: KeyPair } = {}) => {
  const delivery = randomId<DeliveryToken>();
  const signing = known.signing ?? (await generateSigningKey());
  const identity = await generateAgreementKey();
  const { account, event } = await createChain({ signing, identity, createdAt: Date.now() });
  const chain = await verifyChain([event]);
  const ids = { account: account as AccountId, device: chain.devices[0]!.device as DeviceId };
  count += 1;
  const registration: RegisterRequest = {
    invite,
    handle: `person_${count}` as Handle,
    event: toBase64url(event),
    ...(await deviceKeys({ ...ids, signing })),
    delivery: createHash('sha256').update(idBytesOf(delivery)).digest('base64url') as DeliveryHash,
  };
  const keys = { ...ids, chain, signing, identity, registration, delivery };
  owners.set(ids.device, keys);
  return keys;
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

/** The event that adds a device to an account, as `author` proposes it, with what the device brings along. */
export const proposeSecond = async (
  account: Pick<TestKeys, 'account' | 'chain'>,
  author: KeyPair,
  state = account.chain,
  known?: KeyPair,
) => {
  const [signing, identity] = [known ?? (await generateSigningKey()), await generateAgreementKey()];
  const joining = { signing: signing.publicKey, identity: identity.publicKey };
  const proposal = await proposeDevice({ state, author, createdAt: Date.now(), device: joining });
  const next = await acceptDevice({ state, proposal, signing, identity });
  const device = next.state.devices.at(-1)!.device as DeviceId;
  const request: AppendRequest = {
    head: toBase64url(state.head) as ChainHead,
    event: toBase64url(next.event),
    device: await deviceKeys({ account: account.account, device, signing }),
  };
  return { request, chain: next.state, device, signing, identity };
};

/** Another device of the same account, signed in. Both know the longer chain then. */
export const addDevice = async (port: number, first: TestDevice): Promise<TestDevice> => {
  const { request, ...second } = await proposeSecond(first, first.signing);
  const added = await call(port, 'POST', '/v1/account/events', { token: first.token, body: request });
  if (added.status !== 200) throw new Error(`a second device: ${JSON.stringify(added.body)}`);
  first.chain = second.chain;
  const keys = { ...first, ...second };
  owners.set(second.device, keys);
  owners.set(first.device, first);
  const { body } = await signIn(port, keys);
  return { ...keys, token: (body as unknown as TokenResponse).token };
};

/** For a device that was made here, with its account's head and token as they were then; or for nobody's. */
export const envelopeFor = (
  device: DeviceId,
  body: Uint8Array = randomBytes(32),
  changes: Partial<OutgoingEnvelope> = {},
): OutgoingEnvelope => ({
  id: randomId<EnvelopeId>(),
  device,
  head: owners.has(device)
    ? (toBase64url(owners.get(device)!.chain.head) as ChainHead)
    : randomId<ChainHead>(32),
  ...(owners.has(device) && { token: owners.get(device)!.delivery }),
  // The encoder takes nothing else for bytes.
  body: Buffer.from(body),
  ...changes,
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

/** A socket and all that came over it. `from`: as a proxy would tell it. */
export const connect = (
  port: number,
  auth: Record<string, unknown>,
  options: {
    origin?: string;
    from?: string;
    acks?: boolean;
    frame?: { instead: number; bytes: Buffer };
  } = {},
) => {
  const socket: Socket<RelayEvents, ClientEvents> = io(`http://127.0.0.1:${port}`, {
    transports: ['websocket'],
    parser: options.frame ? lyingParser(options.frame) : parser,
    auth: { version: WIRE_VERSION, ...auth },
    reconnection: false,
    forceNew: true,
    extraHeaders: {
      ...(options.origin && { origin: options.origin }),
      ...(options.from && { 'x-forwarded-for': options.from }),
    },
  });
  const seen = {
    delivered: [] as IncomingEnvelope[],
    live: [] as IncomingLive[],
    low: [] as PrekeysLowEvent[],
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
  socket.on('live', ({ envelopes }) => void seen.live.push(...envelopes));
  socket.on('prekeys-low', (event) => void seen.low.push(event));
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
