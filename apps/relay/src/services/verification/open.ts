import type { Config } from '../../config.ts';
import type { Logger } from '../../log.ts';
import type { PrismaClient } from '../../store/generated/client.ts';
import type { RateLimits } from '../limits.ts';
import { EmailCodes } from './email.ts';
import { openMailer } from './mailer.ts';
import { PhoneSignIns } from './phone.ts';
import { Proofs } from './proofs.ts';
import { GOOGLE_KEYS, PublishedKeys } from './published-keys.ts';

/** What the settings demand of a registration, and who mails codes if they demand any. `relay` is its origin. */
export const openProofs = (
  prisma: PrismaClient,
  { registration, mail, firebase, now }: Config,
  { limits, relay, log }: { limits: Pick<RateLimits, 'take' | 'takeAddress'>; relay: string; log: Logger },
) => {
  // What is demanded and not set up must end the start, not go undemanded.
  const email = registration.email
    ? new EmailCodes(prisma, { mailer: openMailer(mail!), limits, relay, now, log })
    : undefined;
  const phone = registration.phone
    ? new PhoneSignIns({
        projectId: firebase!.projectId,
        keys:
          firebase!.emulatorHost === undefined
            ? new PublishedKeys({ url: GOOGLE_KEYS, fetch, now })
            : 'unsigned',
        now,
      })
    : undefined;
  return { proofs: new Proofs({ email, phone }), email };
};
