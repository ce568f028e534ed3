import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeliveryHash, DeviceId, Handle } from '@sotto/contract/ids';
import type {
  AccountResponse,
  RegisterRequest,
  RegisterResponse,
  Verification,
} from '@sotto/contract/rest/accounts';
import { verifyChain } from '@sotto/crypto/chain';
import { CryptoError } from '@sotto/crypto/errors';
import { Refusal } from '../problem.ts';
import { Prisma, type PrismaClient } from '../store/generated/client.ts';
import type { TransactionClient } from '../store/generated/internal/prismaNamespace.ts';
import { dayOf } from '../store/days.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import { checkDeviceKeys, deletedHash, insertDevice, midnight, type SigningDevice } from './device-keys.ts';
import type { Gate, SharedGate } from './gate.ts';
import { claimSkeleton } from './handles.ts';
import type { Invites } from './invites.ts';
import type { Step } from './verification/open.ts';

/** An account and what is needed to write to it. */
const WITH_KEYS = {
  events: { orderBy: { index: 'asc' } },
  devices: { where: { removedAt: null }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
} as const satisfies Prisma.AccountInclude;

/** Its places in channels are still there, and its old delivery tokens. @throws RelayError `account-deleted` */
const refuseDeleted = async (db: TransactionClient, account: AccountId): Promise<void> => {
  const row = await db.deletedAccount.findUnique({ where: { hash: deletedHash(account) } });
  if (row) throw new RelayError('account-deleted');
};

interface AccountParts {
  /** For whom the rows of an account are locked. */
  gate: SharedGate;
  /** The same for who is not signed in. */
  openGate: Gate;
  invites: Invites;
  inviteDemanded: boolean;
  /** Of what has to be shown besides an invite. */
  checkProofs: (verification: Verification | undefined) => Promise<Step>;
  now: () => number;
  /** Called after each registration; never rejects. */
  registered: () => Promise<void>;
}

export class Accounts {
  readonly #prisma: PrismaClient;
  readonly #parts: AccountParts;

  constructor(prisma: PrismaClient, parts: AccountParts) {
    this.#prisma = prisma;
    this.#parts = parts;
  }

  /**
   * Uses the invite and the proofs up and makes the account, all or nothing. The same chain again is answered as the
   * first time, whatever has become of them.
   * @throws RelayError `chain-invalid`, `sealing-key-invalid`, `prekey-invalid`, `handle-taken`, `invite-unknown`,
   * `invite-used`, `invite-expired`, `verification-required`, `verification-failed`, `account-deleted`, `busy`
   */
  async register(request: RegisterRequest): Promise<RegisterResponse> {
    const owner = await this.#verify(request);
    const before = await this.#find(owner);
    if (before) return before;
    try {
      await this.#create(request, owner);
    } catch (error) {
      // The same request may have gone through beside this one, with this invite and this handle.
      const meanwhile = await this.#find(owner);
      if (meanwhile) return meanwhile;
      if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') {
        const device = await this.#prisma.device.findUnique({ where: { id: idBytes(owner.device) } });
        // A device has one account.
        throw new RelayError(device ? 'chain-invalid' : 'handle-taken');
      }
      throw error;
    }
    await this.#parts.registered();
    return { account: owner.account, device: owner.device, handle: request.handle };
  }

  /** @throws RelayError `account-unknown` */
  byId(account: AccountId): Promise<AccountResponse> {
    return this.#read({ id: idBytes(account) });
  }

  /** @throws RelayError `account-unknown` */
  byHandle(handle: Handle): Promise<AccountResponse> {
    return this.#read({ handle });
  }

  /** From now on the token of this hash lets into the inbox. @throws RelayError `unauthenticated`, `busy` */
  async setDelivery(account: AccountId, delivery: DeliveryHash): Promise<void> {
    const { count } = await this.#parts.gate.run(account, () =>
      this.#prisma.account.updateMany({
        where: { id: idBytes(account) },
        data: { delivery: idBytes(delivery) },
      }),
    );
    if (count === 0) throw new RelayError('unauthenticated');
  }

  async count(): Promise<number> {
    return this.#prisma.account.count();
  }

  async #read(where: Prisma.AccountWhereUniqueInput): Promise<AccountResponse> {
    const row = await this.#prisma.account.findUnique({ where, include: WITH_KEYS });
    if (!row) throw new RelayError('account-unknown');
    return {
      account: idText<AccountId>(row.id),
      handle: row.handle as Handle,
      chain: row.events.map(({ event }) => idText(event)),
      devices: row.devices.map((device) => ({
        device: idText<DeviceId>(device.id),
        sealingKey: {
          id: Number(device.sealingId),
          createdAt: Number(device.sealingCreatedAt),
          publicKey: idText(device.sealingPublicKey!),
          signature: idText(device.sealingSignature!),
        },
      })),
    };
  }

  async #verify(request: RegisterRequest): Promise<SigningDevice> {
    const chain = await verifyChain([idBytes(request.event)]).catch((error: unknown) => {
      throw error instanceof CryptoError ? new RelayError('chain-invalid') : error;
    });
    const { device, signing } = chain.devices[0]!;
    const owner = { account: chain.account as AccountId, device: device as DeviceId, signing };
    await checkDeviceKeys(owner, request, this.#parts.now());
    return owner;
  }

  async #find({ account, device }: SigningDevice): Promise<RegisterResponse | undefined> {
    const row = await this.#prisma.account.findUnique({ where: { id: idBytes(account) } });
    if (row) return { account, device, handle: row.handle as Handle };
    await refuseDeleted(this.#prisma, account);
    return undefined;
  }

  async #create(request: RegisterRequest, owner: SigningDevice): Promise<void> {
    const { invite, verification, handle, event, delivery } = request;
    const { invites, inviteDemanded, checkProofs, openGate } = this.#parts;
    const skeleton = claimSkeleton(handle);
    if (inviteDemanded && invite === undefined) throw new Refusal('verification-required', 'invite');
    const useProofs = await checkProofs(verification);
    const now = this.#parts.now();
    const id = idBytes(owner.account);
    const write = async (tx: TransactionClient): Promise<void> => {
      if (inviteDemanded) await invites.consume(tx, invite!);
      await useProofs(tx);
      await tx.account.create({
        data: {
          id,
          handle,
          skeleton,
          head: id,
          delivery: idBytes(delivery),
          createdAt: midnight(now),
          events: { create: { index: 0, event: idBytes(event), day: dayOf(now) } },
        },
      });
      // Once its row is there: a deletion that was under way beside this is over.
      await refuseDeleted(tx, owner.account);
      await insertDevice(tx, owner, request, now);
    };
    await openGate.run(() => this.#prisma.$transaction(write));
  }
}
