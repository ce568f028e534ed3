import type { Verification } from '@sotto/contract/rest/accounts';
import type { Config } from '../../config.ts';
import type { Logger } from '../../log.ts';
import { Refusal } from '../../problem.ts';
import type { PrismaClient } from '../../store/generated/client.ts';
import type { TransactionClient } from '../../store/generated/internal/prismaNamespace.ts';
import type { RateLimits } from '../limits.ts';
import { EmailCodes } from './email.ts';
import { openMailer } from './mailer.ts';
import { PhoneSignIns } from './phone.ts';
import { publishedKeys } from './published-keys.ts';

/** What a proof does in the registration's own transaction. */
export type Step = (tx: TransactionClient) => Promise<void>;

/** What the settings demand of a registration besides an invite, and who mails codes if they demand any. `relay` is its origin. */
export const openProofs = (
  prisma: PrismaClient,
  { registration, mail, firebase, now }: Config,
  { limits, relay, log }: { limits: Pick<RateLimits, 'take' | 'takeAddress'>; relay: string; log: Logger },
) => {
  // What is demanded and not set up must end the start, not go undemanded.
  const emails = registration.email
    ? new EmailCodes(prisma, { mailer: openMailer(mail!), limits, relay, now, log })
    : undefined;
  const phones = registration.phone
    ? new PhoneSignIns({
        projectId: firebase!.projectId,
        keys: firebase!.emulatorHost === undefined ? publishedKeys() : 'unsigned',
        now,
      })
    : undefined;
  /**
   * Checks what can be checked outside of the registration's transaction; what it returns uses the proofs up, inside of it.
   * @throws RelayError `verification-required`, `verification-failed`; `busy` when Google's keys cannot be had
   */
  const check = async ({ email, phone }: Verification = {}): Promise<Step> => {
    if (emails && !email) throw new Refusal('verification-required', 'email');
    if (phones && !phone) throw new Refusal('verification-required', 'phone');
    // The phone first: a bad token must not cost the code a try.
    const steps = [phone && (await phones?.check(phone)), email && (await emails?.check(email))];
    return async (tx) => {
      for (const step of steps) await step?.(tx);
    };
  };
  return { check, emails };
};
