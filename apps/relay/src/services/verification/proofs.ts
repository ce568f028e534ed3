import type { Verification } from '@sotto/contract/rest/accounts';
import { Refusal } from '../../problem.ts';
import type { TransactionClient } from '../../store/generated/internal/prismaNamespace.ts';
import type { EmailCodes } from './email.ts';
import type { PhoneSignIns } from './phone.ts';

/** What a proof does in the registration's own transaction. */
export type Step = (tx: TransactionClient) => Promise<void>;

/** What this relay demands of a registration besides an invite; each is off where it is undefined. */
export class Proofs {
  readonly #email: EmailCodes | undefined;
  readonly #phone: PhoneSignIns | undefined;

  constructor(demanded: { email: EmailCodes | undefined; phone: PhoneSignIns | undefined }) {
    this.#email = demanded.email;
    this.#phone = demanded.phone;
  }

  /**
   * Checks what can be checked outside of the transaction.
   * @throws RelayError `verification-required`, `verification-failed`; `busy` when Google's keys cannot be had
   */
  async check({ email, phone }: Verification = {}): Promise<Step> {
    if (this.#email && !email) throw new Refusal('verification-required', 'email');
    if (this.#phone && !phone) throw new Refusal('verification-required', 'phone');
    // The phone first: a bad token must not cost the code a try.
    const steps = [phone && (await this.#phone?.check(phone)), email && (await this.#email?.check(email))];
    return async (tx) => {
      for (const step of steps) await step?.(tx);
    };
  }
}
