import { createHash, randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EmailCodeResponse, Verification } from '@sotto/contract/rest/accounts';
import { RelayError } from '@sotto/contract/errors';
import type { Logger } from '../../log.ts';
import { Refusal } from '../../problem.ts';
import type { PrismaClient } from '../../store/generated/client.ts';
import { idBytes } from '../../store/id-bytes.ts';
import type { RateLimits } from '../limits.ts';
import { mailboxOf, normaliseAddress } from './address.ts';
import type { Mail, Mailer } from './mailer.ts';
import type { Step } from './open.ts';

const LIFETIME_MS = 10 * 60 * 1000;
const TRIES = 5;
/** Mails on their way to the mail server. */
const MAILS = 100;
const CLOSE_MS = 5_000;

const sha256 = (...parts: string[]) => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return idBytes(hash.digest('base64url'));
};

const mailOf = (to: string, code: string, relay: string): Mail => ({
  to,
  subject: `Your code for ${new URL(relay).host}`,
  text: `Your code for ${relay} is

    ${code}

Type it where you asked for it, within 10 minutes. Give it to nobody.

You did not ask for a code? Then somebody mistyped their address. Ignore
this mail; without the code nothing happens.
`,
});

interface EmailParts {
  mailer: Mailer;
  limits: Pick<RateLimits, 'take' | 'takeAddress'>;
  /** The origin that the mail names. */
  relay: string;
  now: () => number;
  log: Logger;
}

/**
 * Codes by e-mail. Of an address the relay keeps a hash that only the code's request opens, until the code is used or
 * too old.
 */
export class EmailCodes {
  readonly #prisma: PrismaClient;
  readonly #parts: EmailParts;
  readonly #underway = new Set<Promise<void>>();

  constructor(prisma: PrismaClient, parts: EmailParts) {
    this.#prisma = prisma;
    this.#parts = parts;
  }

  /**
   * Mails a code; `asker` is the network address. The answer waits for no mail server. `expiresIn` is milliseconds.
   * @throws RelayError `bad-request`, `too-many-requests`, `busy`
   */
  async send(text: string, asker: string): Promise<EmailCodeResponse> {
    const address = normaliseAddress(text);
    // First who asks, so that who has asked too often takes nothing from the mailbox.
    this.#parts.limits.takeAddress('email', asker);
    this.#parts.limits.take('mailbox', createHash('sha256').update(mailboxOf(address)).digest('base64url'));
    if (this.#underway.size >= MAILS) throw new RelayError('busy');
    const request = randomBytes(16).toString('base64url');
    const code = String(randomInt(1_000_000)).padStart(6, '0');
    await this.#prisma.emailCode.create({
      data: {
        request: sha256(request),
        hash: sha256(request, address, code),
        tries: TRIES,
        expiresAt: new Date(this.#parts.now() + LIFETIME_MS),
      },
    });
    this.#mail(mailOf(address, code, this.#parts.relay));
    return { request, expiresIn: LIFETIME_MS };
  }

  /**
   * A wrong code costs a try whatever becomes of the registration; a right one is used up by the step.
   * @throws RelayError `verification-failed`, also from the step when a rival came first
   */
  async check({ request, address, code }: NonNullable<Verification['email']>): Promise<Step> {
    const id = sha256(request);
    const hash = sha256(request, normaliseAddress(address), code);
    const now = new Date(this.#parts.now());
    // One statement: those who try at once wait for each other's count.
    const [row] = await this.#prisma.$queryRaw<{ right: boolean }[]>`
      UPDATE email_code SET tries = tries - CASE WHEN hash = ${hash} THEN 0 ELSE 1 END
      WHERE request = ${id} AND tries > 0 AND expires_at > ${now}
      RETURNING hash = ${hash} AS right`;
    if (!row?.right) throw new Refusal('verification-failed', 'email');
    return async (tx) => {
      const { count } = await tx.emailCode.deleteMany({ where: { request: id, hash } });
      if (count === 0) throw new Refusal('verification-failed', 'email');
    };
  }

  /** Lets mails that are on their way leave, for a moment. */
  async close(): Promise<void> {
    await Promise.race([Promise.all(this.#underway), sleep(CLOSE_MS, undefined, { ref: false })]);
    this.#parts.mailer.close();
  }

  #mail(mail: Mail): void {
    const sending = this.#parts.mailer
      .send(mail)
      .catch((error: unknown) => this.#parts.log.warn({ error }, 'a mail could not be sent: see SMTP_URL'))
      .finally(() => this.#underway.delete(sending));
    this.#underway.add(sending);
  }
}
