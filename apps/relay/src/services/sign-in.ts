import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type { ChallengeResponse, TokenRequest, TokenResponse } from '@sotto/contract/rest/session';
import { verifySignIn } from '@sotto/crypto/sign-in';
import type { PrismaClient } from '../store/generated/client.ts';
import { idBytes, idText } from '../store/id-bytes.ts';
import type { Origins } from './origins.ts';
import type { Identity, Tokens } from './tokens.ts';

/** Lets devices in: a challenge, signed by the device's key, is exchanged for an access token. Nothing is stored. */
export class SignIn {
  readonly #prisma: PrismaClient;
  readonly #tokens: Tokens;
  readonly #origins: Origins;

  constructor(prisma: PrismaClient, options: { tokens: Tokens; origins: Origins }) {
    this.#prisma = prisma;
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
    const row = await this.#prisma.device.findUnique({ where: { id: idBytes(device) } });
    if (!row) throw new RelayError('device-unknown');
    const signing = new Uint8Array(row.signingKey);
    if (!(await verifySignIn(signing, { origin, device, challenge }, idBytes(signature)))) {
      throw new RelayError('signature-invalid');
    }
    if (row.removedAt) throw new RelayError('device-removed');
    return this.#tokens.issueAccess(device, idText<AccountId>(row.account));
  }

  /** Who a token speaks for. @throws RelayError `unauthenticated`, `token-expired`, `device-removed` */
  async authenticate(token: string): Promise<Identity> {
    const identity = await this.#tokens.verifyAccess(token);
    await this.assertActive(identity.device);
    return identity;
  }

  /** @throws RelayError `unauthenticated` when there is no such device, `device-removed` */
  async assertActive(device: DeviceId): Promise<void> {
    const row = await this.#prisma.device.findUnique({
      where: { id: idBytes(device) },
      select: { removedAt: true },
    });
    if (!row) throw new RelayError('unauthenticated');
    if (row.removedAt) throw new RelayError('device-removed');
  }
}
