import { equal, toBase64url, type Bytes } from './bytes.ts';
import { authored, eventHash, joined, parseEvent, type ChainEvent, type EventBody } from './chain-event.ts';
import { CryptoError } from './errors.ts';
import { checkPoint, deviceId, verify } from './keys.ts';

/** A device that an account chain names. */
export interface ChainDevice {
  device: string;
  signing: Bytes;
  identity: Bytes;
}

/** The public halves of a recovery key. */
export interface RecoveryKey {
  /** The first 16 bytes of SHA-256 of `signing`, base64url. */
  id: string;
  signing: Bytes;
  /** For HPKE. */
  sealing: Bytes;
}

/** What the chain says of the archive. */
export interface ChainArchive {
  /** Of the manifest. */
  version: number;
  /** The manifest's hash: 32 bytes. */
  manifest: Bytes;
  /** Of the archive keys so far, 32 bytes each; that of generation n stands at n - 1, the current one last. */
  commitments: readonly Bytes[];
}

export interface ChainState {
  account: string;
  /** The hash of the last event: 32 bytes. */
  head: Bytes;
  /** The number of events. */
  length: number;
  /** Active ones, in the order in which they joined. */
  devices: readonly ChainDevice[];
  revoked: readonly ChainDevice[];
  recovery?: RecoveryKey;
  /** Recovery keys that another one replaced. */
  retired: readonly RecoveryKey[];
  archive?: ChainArchive;
  /** A device was revoked since the archive key was made: the next `archive` event has to bring a new one. */
  archiveKeyDue: boolean;
}

/** Of one account at a time: what a sender encrypts to is bounded. */
export const MAX_DEVICES = 32;
/** Of one chain: what a stranger's chain costs to check is bounded. */
export const MAX_EVENTS = 256;

const refuse = (why: string): never => {
  throw new CryptoError('chain-invalid', why);
};

/** Whether the recovery key in force signs an event. */
export const isByRecovery = (state: ChainState, body: EventBody): boolean =>
  body.kind !== 'create' && body.author === state.recovery?.id;

const authorKey = ({ devices, recovery }: ChainState, author: string): Bytes =>
  devices.find(({ device }) => device === author)?.signing ??
  (recovery?.id === author ? recovery.signing : refuse('author'));

const signedBy = async (key: Bytes, signature: Bytes | undefined, message: Bytes): Promise<void> => {
  if (signature === undefined || !(await verify(key, signature, message))) refuse('signature');
};

/**
 * Two keys that join, of which neither is the other or has stood anywhere in the chain before. Whether the first is a
 * point is seen where it verifies and gets its id.
 */
const checkNew = (state: ChainState | undefined, first: Bytes, second: Bytes): void => {
  checkPoint(second);
  if (equal(first, second)) refuse('one key for two purposes');
  if (state === undefined) return;
  const devices = [...state.devices, ...state.revoked].flatMap(({ signing, identity }) => [
    signing,
    identity,
  ]);
  const recovery = [...state.retired, ...(state.recovery ? [state.recovery] : [])];
  const used = [...devices, ...recovery.flatMap(({ signing, sealing }) => [signing, sealing])];
  if (used.some((key) => equal(key, first) || equal(key, second))) refuse('a key that was used before');
};

/** Signatures that are not asked for: the joining key's, or, where they were verified before, all. */
type Unasked = 'joiner' | 'all';

const create = async (
  event: ChainEvent,
  body: EventBody & { kind: 'create' },
  unasked?: Unasked,
): Promise<ChainState> => {
  const { signing, identity } = body;
  if (event.previous.length !== 0) refuse('previous');
  checkNew(undefined, signing, identity);
  if (unasked !== 'all') await signedBy(signing, event.signatures[0], authored(event.content));
  const head = await eventHash(event.content);
  const devices = [{ device: await deviceId(signing), signing, identity }];
  const account = toBase64url(head);
  return { account, head, length: 1, devices, revoked: [], retired: [], archiveKeyDue: false };
};

type Change = Partial<ChainState>;

const add = async (state: ChainState, body: EventBody & { kind: 'add' }): Promise<Change> => {
  const { signing, identity } = body;
  checkNew(state, signing, identity);
  if (state.devices.length === MAX_DEVICES) refuse('too many devices');
  return { devices: [...state.devices, { device: await deviceId(signing), signing, identity }] };
};

const revoke = (state: ChainState, body: EventBody & { kind: 'revoke' }): Change => {
  const gone = state.devices.find(({ device }) => device === body.device) ?? refuse('not an active device');
  const devices = state.devices.filter((device) => device !== gone);
  if (devices.length === 0 && state.recovery === undefined) refuse('nobody left');
  return { devices, revoked: [...state.revoked, gone], archiveKeyDue: true };
};

const recovery = async (state: ChainState, body: EventBody & { kind: 'recovery' }): Promise<Change> => {
  const { signing, sealing } = body;
  checkNew(state, signing, sealing);
  return {
    recovery: { id: await deviceId(signing), signing, sealing },
    retired: [...state.retired, ...(state.recovery ? [state.recovery] : [])],
  };
};

const archive = (state: ChainState, body: EventBody & { kind: 'archive' }): Change => {
  const { generation, commitment, version, manifest } = body;
  const commitments = state.archive?.commitments ?? [];
  if (version <= (state.archive?.version ?? 0)) refuse('an older manifest');
  const known = commitments.some((other) => equal(other, commitment));
  if (generation === commitments.length + 1) {
    if (known) refuse('an archive key that was used before');
    return {
      archive: { version, manifest, commitments: [...commitments, commitment] },
      archiveKeyDue: false,
    };
  }
  const current = commitments.at(-1);
  if (generation !== commitments.length || current === undefined || !equal(current, commitment)) {
    refuse('another archive key');
  }
  if (state.archiveKeyDue) refuse('an archive key that a revoked device knows');
  return { archive: { version, manifest, commitments } };
};

const change = (state: ChainState, body: EventBody): Change | Promise<Change> => {
  switch (body.kind) {
    case 'create':
      return refuse('a second creation');
    case 'add':
      return add(state, body);
    case 'revoke':
      return revoke(state, body);
    case 'recovery':
      return recovery(state, body);
    case 'archive':
      return archive(state, body);
  }
};

/** The state after a parsed event. */
export const applyParsed = async (
  state: ChainState | undefined,
  event: ChainEvent,
  unasked?: Unasked,
): Promise<ChainState> => {
  const { body, content, signatures } = event;
  if (state === undefined)
    return body.kind === 'create' ? create(event, body, unasked) : refuse('no creation');
  if (body.kind === 'create') return refuse('a second creation');
  if (!equal(event.previous, state.head)) refuse('previous');
  if (state.length === MAX_EVENTS) refuse('too many events');
  const author = authorKey(state, body.author);
  if (unasked !== 'all') await signedBy(author, signatures[0], authored(content));
  const changed = await change(state, body);
  const joins = body.kind === 'add' || body.kind === 'recovery';
  if (joins && unasked === undefined) await signedBy(body.signing, signatures[1], joined(content));
  return { ...state, ...changed, head: await eventHash(content), length: state.length + 1 };
};

/** Whatever is wrong with an event, its code is `chain-invalid`. */
export const asChainInvalid = async <T>(work: () => Promise<T>): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw error instanceof CryptoError && error.code !== 'chain-invalid'
      ? new CryptoError('chain-invalid', error.message)
      : error;
  }
};

/** The state after an event; `state` is undefined before the first. Throws `chain-invalid`. */
export const applyEvent = (state: ChainState | undefined, event: Bytes): Promise<ChainState> =>
  asChainInvalid(() => applyParsed(state, parseEvent(event)));

/** The state after events whose signatures were verified before: they are not looked at again. Throws `chain-invalid`. */
export const foldVerified = (events: readonly Bytes[]): Promise<ChainState> =>
  asChainInvalid(async () => {
    let state: ChainState | undefined;
    for (const event of events) state = await applyParsed(state, parseEvent(event), 'all');
    return state ?? refuse('empty');
  });
