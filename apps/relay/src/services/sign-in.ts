import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type { ChallengeResponse, TokenRequest, TokenResponse } from '@sotto/contract/rest/session';
import { signInStatement } from '@sotto/crypto/sign-in';
import type pg from 'pg';
import { idBytes, idText } from '../store/id-bytes.ts';
import { selectSigningKeys, selectStandings, type SigningKey, type Standing } from '../store/standings.ts';
import { Gather } from './gather.ts';
import type { Origins } from './origins.ts';
import { isSignedBy } from './signature.ts';
import type { Identity, Tokens } from './tokens.ts';

/** Lets devices in: a challenge, signed by the device's key, is exchanged for an access token. Nothing is stored. */
export class SignIn {
  readonly #keys: Gather<DeviceId, SigningKey | undefined>;
  readonly #standings: Gather<DeviceId, Standing>;
  readonly #tokens: Tokens;
  readonly #origins: Origins;

  constructor(pool: pg.Pool, options: { tokens: Tokens; origins: Origins }) {
    this.#keys = new Gather((devices: DeviceId[]) => selectSigningKeys(pool, devices));
    this.#standings = new Gather((devices: DeviceId[]) => selectStandings(pool, devices));
    this.#tokens = options.tokens;
    this.#origins = options.origins;
  }

  /** The same for devices that exist and devices that do not. */
  async challenge(device: DeviceId): Promise<ChallengeResponse> {
    const { token, expiresAt } = await this.#tokens.issueChallenge(device);
    return { challenge: token, expiresAt };
  }

  /**
   * @throws RelayError `origin-refused`, `challenge-expired`, `signature-invalid`, `device-unknown`, `device-removed`
   */
  async token({ device, challenge, origin, signature }: TokenRequest): Promise<TokenResponse> {
    if (!this.#origins.includes(origin)) throw new RelayError('origin-refused');
    await this.#tokens.verifyChallenge(challenge, device);
    const row = await this.#keys.ask(device);
    if (!row) throw new RelayError('device-unknown');
    const statement = signInStatement({ origin, device, challenge });
    if (!isSignedBy(row.signingKey, Buffer.from(signature, 'base64url'), statement))
      throw new RelayError('signature-invalid');
    if (row.removed) throw new RelayError('device-removed');
    return this.#tokens.issueAccess(device, idText<AccountId>(row.account));
  }

  /** Who a token speaks for. @throws RelayError `unauthenticated`, `token-expired`, `device-removed` */
  async authenticate(token: string): Promise<Identity> {
    const identity = await this.#tokens.verifyAccess(token);
    await this.standing(identity);
    return identity;
  }

  /** Who a token speaks for, by the token alone. @throws RelayError `unauthenticated`, `token-expired` */
  verify(token: string): Promise<Identity> {
    return this.#tokens.verifyAccess(token);
  }

  /** @throws RelayError `unauthenticated` when the account has no such device, `device-removed` */
  async standing({
    device,
    account,
  }: Pick<Identity, 'device' | 'account'>): Promise<Pick<Standing, 'waiting'>> {
    const standing = await this.#standings.ask(device);
    // The token of a deleted account outlives it, and its device may have registered another.
    if (!standing.account?.equals(idBytes(account))) throw new RelayError('unauthenticated');
    if (standing.removed) throw new RelayError('device-removed');
    return standing;
  }
}
