import { toBase64url, utf8, type Bytes } from './bytes.ts';
import type { NamedPrekeys, OwnDevice, PublicDevice } from './handshake.ts';
import { deviceId, generateAgreementKey, generateSigningKey, type KeyPair } from './keys.ts';
import { consume } from './prekey-plan.ts';
import {
  makePrekeys,
  publicPrekey,
  type Bundle,
  type OwnPrekey,
  type PqKind,
  type PrekeyKind,
} from './prekeys.ts';
import { decrypt, encrypt, startSession, type Decrypted } from './session.ts';
import { handshakeOf } from './session-body.ts';
import type { PeerState } from './session-state.ts';
import { random, unchanged } from './test-support.ts';

export const NOW = 1_770_000_000_000;

/** A device as a test drives it: its keys, its prekeys, what it keeps of its peers. */
export interface TestDevice extends OwnDevice {
  readonly signing: KeyPair;
  prekeys: OwnPrekey[];
  /** By device id. */
  readonly peers: Map<string, PeerState>;
  /** How often each kind is left with the relay: the first that was not handed out. */
  handedOut: number;
}

export const publicDevice = ({ account, device, signing, identity }: OwnDevice): PublicDevice => ({
  account,
  device,
  signing: signing.publicKey,
  identity: identity.publicKey,
});

/** One signed prekey, one last resort, and `oneTime` of each kind. */
export const testDevice = async (oneTime = 1, now = NOW): Promise<TestDevice> => {
  const [signing, identity] = await Promise.all([generateSigningKey(), generateAgreementKey()]);
  const account = toBase64url(random(32));
  const device = await deviceId(signing.publicKey);
  const make = (kind: PrekeyKind, count: number) =>
    makePrekeys({ account, device, signing: signing.privateKey, kind, firstId: 1, count, createdAt: now });
  const made = await Promise.all([
    make('signed', 1),
    make('pq-last-resort', 1),
    make('one-time', oneTime),
    make('pq-one-time', oneTime),
  ]);
  return { account, device, signing, identity, prekeys: made.flat(), peers: new Map(), handedOut: 0 };
};

const find = <Kind extends PrekeyKind>(owner: TestDevice, kind: Kind, id: number) =>
  owner.prekeys.find((key) => key.kind === kind && key.id === id) as OwnPrekey<Kind> | undefined;

/** What a relay hands out: one-time keys as long as there are any. */
export const takeBundle = (owner: TestDevice): Bundle => {
  owner.handedOut += 1;
  const oneTime = find(owner, 'one-time', owner.handedOut);
  const pq = find(owner, 'pq-one-time', owner.handedOut) ?? find(owner, 'pq-last-resort', 1)!;
  return {
    signed: publicPrekey<'signed'>(find(owner, 'signed', 1)!),
    ...(oneTime && { oneTime: publicPrekey<'one-time'>(oneTime) }),
    pq: publicPrekey<PqKind>(pq),
  };
};

/** The prekeys of `owner` that a body names. */
export const named = (owner: TestDevice, body: Uint8Array): NamedPrekeys => {
  const handshake = handshakeOf(body);
  if (!handshake) return {};
  const { signedId, oneTimeId, pqKind, pqId } = handshake;
  return {
    signed: find(owner, 'signed', signedId),
    oneTime: oneTimeId === undefined ? undefined : find(owner, 'one-time', oneTimeId),
    pq: find(owner, pqKind, pqId),
  };
};

export const start = async (from: TestDevice, to: TestDevice, now = NOW, bundle = takeBundle(to)) => {
  const request = {
    me: from,
    peer: publicDevice(to),
    bundle,
    state: from.peers.get(to.device),
    now,
  };
  const { state } = await unchanged({ ...request, me: undefined }, () => startSession(request));
  from.peers.set(to.device, state);
};

/** Starts a session where there is none. */
export const write = async (from: TestDevice, to: TestDevice, text: string, now = NOW): Promise<Bytes> => {
  if (!from.peers.has(to.device)) await start(from, to, now);
  const request = { state: from.peers.get(to.device)!, plaintext: utf8(text), now };
  const { state, body } = await unchanged(request, encrypt);
  from.peers.set(to.device, state);
  return body;
};

/** What `decrypt` says, with nothing kept. */
export const attempt = async (
  to: TestDevice,
  from: PublicDevice,
  body: Uint8Array,
  now = NOW,
  prekeys?: NamedPrekeys,
): Promise<Decrypted> => {
  const state = to.peers.get(from.device);
  const request = { peer: from, state, prekeys: prekeys ?? named(to, body), body, now };
  return unchanged(request, (given) => decrypt({ ...given, me: to }));
};

/** Takes a body in and keeps what comes of it. */
export const read = async (
  to: TestDevice,
  from: TestDevice,
  body: Bytes,
  now = NOW,
): Promise<Decrypted & { text?: string }> => {
  const result = await attempt(to, publicDevice(from), body, now);
  if (result.outcome !== 'message') return result;
  to.peers.set(from.device, result.state);
  to.prekeys = consume<OwnPrekey>(to.prekeys, result.consumed);
  const { content } = result;
  return content.type === 'message'
    ? { ...result, text: new TextDecoder().decode(content.plaintext) }
    : result;
};

/** Two devices, and a session between them that `a` started and both have written in. */
export const conversation = async (): Promise<{ a: TestDevice; b: TestDevice }> => {
  const [a, b] = await Promise.all([testDevice(), testDevice()]);
  await read(b, a, await write(a, b, 'first'));
  await read(a, b, await write(b, a, 'answer'));
  return { a, b };
};
