import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId, Handle } from '@sotto/contract/ids';
import type { AccountResponse, RegisterRequest, RegisterResponse } from '@sotto/contract/rest/accounts';
import { verifyChain } from '@sotto/crypto/chain';
import { CryptoError } from '@sotto/crypto/errors';
import { verifySealingKey } from '@sotto/crypto/sealing-key';
import { Prisma, type PrismaClient } from '../store/generated/client.ts';
import { DAY, dayOf } from '../store/days.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import type { Invites } from './invites.ts';
import { type NamedPrekey, prekeyRow, verifyPrekeys } from './prekeys.ts';

/** An account and what is needed to write to it. */
const WITH_KEYS = {
  events: { orderBy: { index: 'asc' } },
  devices: { where: { removedAt: null }, orderBy: { createdAt: 'asc' } },
} as const satisfies Prisma.AccountInclude;

interface Verified {
  account: AccountId;
  device: DeviceId;
  signing: Uint8Array<ArrayBuffer>;
  prekeys: NamedPrekey[];
}

export class Accounts {
  readonly #prisma: PrismaClient;
  readonly #invites: Invites;
  readonly #now: () => number;
  readonly #registered: () => Promise<void>;

  /** `registered` is called after each registration and never rejects. */
  constructor(
    prisma: PrismaClient,
    options: { invites: Invites; now: () => number; registered: () => Promise<void> },
  ) {
    this.#prisma = prisma;
    this.#invites = options.invites;
    this.#now = options.now;
    this.#registered = options.registered;
  }

  /**
   * Uses the invite and makes the account, both or neither. The same chain again is answered as the first time.
   * @throws RelayError `chain-invalid`, `sealing-key-invalid`, `prekey-invalid`, `handle-taken`, `invite-unknown`, `invite-used`,
   * `invite-expired`
   */
  async register(request: RegisterRequest): Promise<RegisterResponse> {
    const verified = await this.#verify(request);
    const { account, device } = verified;
    const before = await this.#find(account, device);
    if (before) return before;
    try {
      await this.#create(request, verified);
    } catch (error) {
      // The same request may have gone through beside this one, with this invite and this handle.
      const meanwhile = await this.#find(account, device);
      if (meanwhile) return meanwhile;
      if (error instanceof Prisma.PrismaClientKnownRequestError && error.code === 'P2002') {
        throw new RelayError('handle-taken');
      }
      throw error;
    }
    await this.#registered();
    return { account, device, handle: request.handle };
  }

  /** @throws RelayError `account-unknown` */
  async byId(account: AccountId): Promise<AccountResponse> {
    return this.#read({ id: idBytes(account) });
  }

  /** @throws RelayError `account-unknown` */
  async byHandle(handle: Handle): Promise<AccountResponse> {
    return this.#read({ handle });
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

  async #verify({ event, sealingKey, signed, lastResort }: RegisterRequest): Promise<Verified> {
    const chain = await verifyChain([idBytes(event)]).catch((error: unknown) => {
      throw error instanceof CryptoError ? new RelayError('chain-invalid') : error;
    });
    const { device, signing } = chain.devices[0]!;
    const valid = await verifySealingKey({
      account: chain.account,
      device,
      signingPublic: signing,
      sealingKey: {
        ...sealingKey,
        publicKey: idBytes(sealingKey.publicKey),
        signature: idBytes(sealingKey.signature),
      },
    });
    if (!valid) throw new RelayError('sealing-key-invalid');
    const owner = { account: chain.account as AccountId, device: device as DeviceId, signing };
    const prekeys = [
      { kind: 'signed' as const, prekey: signed },
      { kind: 'pq-last-resort' as const, prekey: lastResort },
    ];
    await verifyPrekeys(owner, prekeys, this.#now());
    return { ...owner, prekeys };
  }

  async #find(account: AccountId, device: DeviceId): Promise<RegisterResponse | undefined> {
    const row = await this.#prisma.account.findUnique({ where: { id: idBytes(account) } });
    return row ? { account, device, handle: row.handle as Handle } : undefined;
  }

  async #create(
    { invite, handle, event, sealingKey }: RegisterRequest,
    { account, device, signing, prekeys }: Verified,
  ): Promise<void> {
    // The day alone: a moment would tie the account to what else happened in it.
    const createdAt = new Date(dayOf(this.#now()) * DAY);
    await this.#prisma.$transaction(async (tx) => {
      await this.#invites.consume(tx, invite);
      await tx.account.create({
        data: {
          id: idBytes(account),
          handle,
          createdAt,
          events: { create: { index: 0, event: idBytes(event) } },
          devices: {
            create: {
              id: idBytes(device),
              signingKey: signing,
              sealingId: BigInt(sealingKey.id),
              sealingCreatedAt: BigInt(sealingKey.createdAt),
              sealingPublicKey: idBytes(sealingKey.publicKey),
              sealingSignature: idBytes(sealingKey.signature),
              createdAt,
            },
          },
        },
      });
      await tx.prekey.createMany({ data: prekeys.map((key) => prekeyRow(device, key)) });
    });
  }
}
