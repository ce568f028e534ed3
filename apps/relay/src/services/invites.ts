import { createHash, randomBytes } from 'node:crypto';
import { RelayError } from '@sotto/contract/errors';
import type { InviteId, InviteSecret } from '@sotto/contract/ids';
import type { InviteCheckResponse } from '@sotto/contract/rest/invites';
import type { PrismaClient } from '../store/generated/client.ts';
import type { TransactionClient } from '../store/generated/internal/prismaNamespace.ts';
import { DAY, dayOf } from '../store/days.ts';
import { idBytes } from '../store/id-bytes.ts';

export const newInviteSecret = (): InviteSecret => randomBytes(16).toString('base64url') as InviteSecret;

/** The relay learns an invite by its hash; the secret is known to who made it and who gets the link. */
export const inviteId = (secret: InviteSecret): InviteId =>
  createHash('sha256').update(idBytes(secret)).digest('base64url') as InviteId;

export class Invites {
  readonly #prisma: PrismaClient;
  readonly #lifetime: number;
  readonly #now: () => number;

  /** `lifetime` is milliseconds. */
  constructor(prisma: PrismaClient, { lifetime, now }: { lifetime: number; now: () => number }) {
    this.#prisma = prisma;
    this.#lifetime = lifetime;
    this.#now = now;
  }

  /** Repeating it changes nothing. @throws RelayError `invite-exists` when it has been used. */
  async create(id: InviteId): Promise<{ expiresAt: number }> {
    // At midnight: the moment would tell when it was made, and so by whom.
    const expiresAt = new Date((dayOf(this.#now() + this.#lifetime) + 1) * DAY);
    await this.#prisma.invite.createMany({ data: { id: idBytes(id), expiresAt }, skipDuplicates: true });
    const invite = await this.#prisma.invite.findUniqueOrThrow({ where: { id: idBytes(id) } });
    if (invite.used) throw new RelayError('invite-exists');
    return { expiresAt: invite.expiresAt.getTime() };
  }

  /** One of the host's own. */
  async make(): Promise<InviteSecret> {
    const secret = newInviteSecret();
    await this.create(inviteId(secret));
    return secret;
  }

  async check(secret: InviteSecret): Promise<InviteCheckResponse['state']> {
    const invite = await this.#prisma.invite.findUnique({ where: { id: idBytes(inviteId(secret)) } });
    if (!invite) return 'unknown';
    if (invite.used) return 'used';
    return invite.expiresAt.getTime() <= this.#now() ? 'expired' : 'open';
  }

  /** Closes an invite that nobody has used. */
  async revoke(secret: InviteSecret): Promise<void> {
    await this.#prisma.invite.deleteMany({ where: { id: idBytes(inviteId(secret)), used: false } });
  }

  /** Uses an invite up within a transaction. @throws RelayError `invite-unknown`, `invite-used`, `invite-expired` */
  async consume(tx: TransactionClient, secret: InviteSecret): Promise<void> {
    const id = idBytes(inviteId(secret));
    const now = new Date(this.#now());
    // The update waits for a rival on the same invite to commit, and then finds nothing.
    const { count } = await tx.invite.updateMany({
      where: { id, used: false, expiresAt: { gt: now } },
      data: { used: true },
    });
    if (count === 1) return;
    const invite = await tx.invite.findUnique({ where: { id } });
    if (!invite) throw new RelayError('invite-unknown');
    throw new RelayError(invite.used ? 'invite-used' : 'invite-expired');
  }
}
