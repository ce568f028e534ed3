import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ChainHead, DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { AppendRequest, AppendResponse, ChainResponse } from '@sotto/contract/rest/accounts';
import {
  extendChain,
  isRecoverable,
  viewVerified,
  type Extension,
  type KnownChain,
} from '@sotto/crypto/chain-view';
import { CryptoError } from '@sotto/crypto/errors';
import { Refusal } from '../problem.ts';
import { Prisma, type PrismaClient } from '../store/generated/client.ts';
import { DAY, dayOf } from '../store/days.ts';
import { isConflict } from '../store/database.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import { checkDeviceKeys, insertDevice, type SigningDevice } from './device-keys.ts';
import { removeDevices } from './devices.ts';
import type { Gate, SharedGate } from './gate.ts';

/** How often a chain may move on while one event is checked against it. */
const ATTEMPTS = 5;

interface ChainParts {
  now: () => number;
  /** For whom the rows of an account are locked. */
  gate: SharedGate;
  /** The same for who is not signed in. */
  openGate: Gate;
}

/**
 * Account chains. The relay checks what every client checks again: structure, signatures, and that nobody but the recovery
 * key takes back what stands.
 */
export class Chains {
  readonly #prisma: PrismaClient;
  readonly #parts: ChainParts;

  constructor(prisma: PrismaClient, parts: ChainParts) {
    this.#prisma = prisma;
    this.#parts = parts;
  }

  /**
   * Adds an event, its device and the head, all or nothing; devices that the chain no longer names are removed with it. The
   * last event again is answered as the first time. `recovery`: nobody is signed in, and only the recovery key may sign.
   * Then every event that does not fit is `unauthenticated`, so that the answer does not tell whether there is such an account.
   * @throws RelayError `chain-invalid`, `stale-head`, `too-many-devices`, `sealing-key-invalid`, `prekey-invalid`,
   * `bad-request` when keys come without a device or a device without keys, `unauthenticated`, `busy`
   */
  async append(
    account: AccountId,
    request: AppendRequest,
    { recovery = false }: { recovery?: boolean } = {},
  ): Promise<AppendResponse> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      const { known, stored } = await this.#read(account);
      const extension = await this.#extend(known, request).catch((error: unknown) => {
        throw recovery && error instanceof RelayError ? new RelayError('unauthenticated') : error;
      });
      const { chain, added } = extension;
      const head = idText<ChainHead>(chain.state.head);
      if (added === 0) return { head };
      if (recovery && !extension.byRecovery) throw new RelayError('unauthenticated');
      const joining = await this.#joining(account, request, extension, stored);
      const { gate, openGate } = this.#parts;
      const write = () => this.#write(account, known, extension, joining, request);
      // Who is not signed in takes no place of the owner's.
      if (await (recovery ? openGate.run(write) : gate.run(account, write))) return { head };
    }
    throw new RelayError('busy');
  }

  /**
   * For the recovery of an account. What has no recovery key cannot be recovered, and is nobody's business who is not
   * signed in. Who asks verifies it. @throws RelayError `unauthenticated`, also when there is no such account, `busy`
   */
  async read(account: AccountId): Promise<ChainResponse> {
    const events = (await this.#parts.openGate.run(() => this.#events(account))).map(({ event }) => event);
    if (!isRecoverable(events)) throw new RelayError('unauthenticated');
    return { chain: events.map((event) => idText(event)) };
  }

  #events(account: AccountId) {
    return this.#prisma.chainEvent.findMany({
      where: { account: idBytes(account) },
      orderBy: { index: 'asc' },
    });
  }

  /** @throws RelayError `unauthenticated` when there is no such account */
  async #read(account: AccountId): Promise<{ known: KnownChain; stored: Set<string> }> {
    // Before the events: whatever device a rival adds meanwhile, they name it.
    const devices = await this.#prisma.device.findMany({
      where: { account: idBytes(account) },
      select: { id: true },
    });
    const rows = await this.#events(account);
    if (rows.length === 0) throw new RelayError('unauthenticated');
    const events = rows.map(({ event }) => event);
    const { entries, state } = await viewVerified(events, 0);
    // The beginning of the day: every client sees an event later than the relay, and so accepts what the relay accepts.
    const known = { entries: entries.map((entry, i) => ({ ...entry, seenAt: rows[i]!.day * DAY })), state };
    const stored = [...devices.map(({ id }) => idText(id)), ...state.devices.map(({ device }) => device)];
    return { known, stored: new Set(stored) };
  }

  async #extend(known: KnownChain, { event, head, device }: AppendRequest): Promise<Extension> {
    const extension = await extendChain(known, [idBytes(event)], this.#parts.now()).catch(
      (error: unknown) => {
        if (!(error instanceof CryptoError)) throw error;
        if (error.code !== 'chain-invalid') throw new RelayError('stale-head');
        const full = device !== undefined && known.state.devices.length >= LIMITS.devicesPerAccount;
        throw new RelayError(full ? 'too-many-devices' : 'chain-invalid');
      },
    );
    const follows = extension.added > 0 && extension.dropped.length === 0;
    if (follows && head !== idText(known.state.head)) throw new RelayError('stale-head');
    return extension;
  }

  /** The device that the event adds, if it adds one. One that was removed is stored, and does not come back. */
  async #joining(
    account: AccountId,
    { device: keys }: AppendRequest,
    { chain }: Extension,
    stored: ReadonlySet<string>,
  ): Promise<SigningDevice | undefined> {
    const joining = chain.state.devices.find(({ device }) => !stored.has(device));
    if ((joining === undefined) !== (keys === undefined)) throw new Refusal('bad-request', 'device');
    if (!joining || !keys) return undefined;
    const owner = { account, device: joining.device as DeviceId, signing: joining.signing };
    await checkDeviceKeys(owner, keys, this.#parts.now());
    return owner;
  }

  /** False when the chain has moved on meanwhile, or something stood in the way. */
  async #write(
    account: AccountId,
    known: KnownChain,
    { chain, added }: Extension,
    joining: SigningDevice | undefined,
    { event, device: keys }: AppendRequest,
  ): Promise<boolean> {
    const id = idBytes(account);
    const index = chain.entries.length - added;
    const now = this.#parts.now();
    const write = this.#prisma.$transaction(async (tx) => {
      // Holds the row, so that rivals wait and then find another head.
      const { count } = await tx.account.updateMany({
        where: { id, head: new Uint8Array(known.state.head) },
        data: { head: new Uint8Array(chain.state.head) },
      });
      if (count === 0) return false;
      await tx.chainEvent.deleteMany({ where: { account: id, index: { gte: index } } });
      await tx.chainEvent.create({ data: { account: id, index, event: idBytes(event), day: dayOf(now) } });
      if (joining && keys) await insertDevice(tx, joining, keys, now);
      const active = chain.state.devices.map(({ device }) => idBytes(device));
      const gone = await tx.device.findMany({
        where: { account: id, removedAt: null, id: { notIn: active } },
        select: { id: true },
      });
      const ids = gone.map((device) => device.id);
      await removeDevices(tx, ids, now);
      return true;
    });
    return write.catch((error: unknown) => {
      if (isConflict(error)) return false;
      // A device has one account.
      const elsewhere = error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002';
      throw elsewhere ? new RelayError('chain-invalid') : error;
    });
  }
}
