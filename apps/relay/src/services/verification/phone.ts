import { createHash } from 'node:crypto';
import type { Verification } from '@sotto/contract/rest/accounts';
import * as jose from 'jose';
import * as z from 'zod/mini';
import { Refusal } from '../../problem.ts';
import { idBytes } from '../../store/id-bytes.ts';
import type { Step } from './open.ts';

const FRESH_SECONDS = 10 * 60;
/** By which Google's clock and the relay's may differ. */
const TOLERANCE_SECONDS = 30;

/** Of what Firebase says in a token, what a phone sign-in is known by. `auth_time` is seconds since 1970. */
const Claims = z.object({
  sub: z.string().check(z.minLength(1)),
  auth_time: z.int(),
  phone_number: z.string().check(z.minLength(1)),
  firebase: z.object({ sign_in_provider: z.literal('phone') }),
});
type Claims = z.infer<typeof Claims>;

const failed = () => new Refusal('verification-failed', 'phone');

interface PhoneParts {
  projectId: string;
  /** `unsigned` takes the tokens of the Auth emulator, which anybody can write, and no others. */
  keys: jose.JWTVerifyGetKey | 'unsigned';
  now: () => number;
}

/** Phone numbers that Firebase has proven. Nothing of a number is kept. */
export class PhoneSignIns {
  readonly #parts: PhoneParts;

  constructor(parts: PhoneParts) {
    this.#parts = parts;
  }

  /**
   * A sign-in serves one registration, however many tokens are made of it, on all relays of a database.
   * @throws RelayError `verification-failed`, also from the step when the sign-in has served; `busy`
   */
  async check({ token }: NonNullable<Verification['phone']>): Promise<Step> {
    const { sub, auth_time: signedIn } = await this.#read(token);
    const age = this.#parts.now() / 1000 - signedIn;
    if (age > FRESH_SECONDS + TOLERANCE_SECONDS || age < -TOLERANCE_SECONDS) throw failed();
    const id = idBytes(
      createHash('sha256')
        .update(JSON.stringify([sub, signedIn]))
        .digest('base64url'),
    );
    const expiresAt = new Date((signedIn + FRESH_SECONDS + 2 * TOLERANCE_SECONDS) * 1000);
    return async (tx) => {
      // Waits for a rival on the same sign-in to commit, and then adds nothing.
      const { count } = await tx.phoneSignIn.createMany({ data: { id, expiresAt }, skipDuplicates: true });
      if (count === 0) throw failed();
    };
  }

  async #read(token: string): Promise<Claims> {
    const { keys, projectId, now } = this.#parts;
    const demands = {
      issuer: `https://securetoken.google.com/${projectId}`,
      audience: projectId,
      typ: 'JWT',
      requiredClaims: ['sub', 'exp', 'iat'],
      clockTolerance: TOLERANCE_SECONDS,
      // A Firebase token lives an hour. Also refuses an `iat` in the future.
      maxTokenAge: '1h',
      currentDate: new Date(now()),
    };
    try {
      const { payload } =
        keys === 'unsigned'
          ? jose.UnsecuredJWT.decode(token, demands)
          : await jose.jwtVerify(token, keys, { ...demands, algorithms: ['RS256'] });
      return Claims.parse(payload);
    } catch (error) {
      if (error instanceof jose.errors.JOSEError || error instanceof z.core.$ZodError) throw failed();
      throw error;
    }
  }
}
