import { randomUUID } from 'node:crypto';
import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import { AccountId, DeviceId } from '@sotto/contract/ids';
import * as jose from 'jose';
import type { PrismaClient } from '../store/generated/client.ts';

const DAY = 24 * 60 * 60 * 1000;
const ROTATE_MS = 30 * DAY;
/** Longer than any token outlives its key's turn. */
const KEEP_MS = 31 * DAY;
const RELOAD_MS = 1_000;
const ALGORITHM = 'ES256';
const ISSUER = 'sotto';
const ROTATION_LOCK = 7689;

/** The two statements that the relay signs. Type and audience keep one from passing for the other. */
const KINDS = {
  access: { typ: 'at+jwt', audience: 'sotto/access', expired: 'token-expired', invalid: 'unauthenticated' },
  challenge: {
    typ: 'challenge+jwt',
    audience: 'sotto/challenge',
    expired: 'challenge-expired',
    invalid: 'signature-invalid',
  },
} as const satisfies Record<
  string,
  { typ: string; audience: string; expired: ErrorCode; invalid: ErrorCode }
>;

interface TokenKey {
  kid: string;
  createdAt: number;
  privateKey: jose.CryptoKey;
  publicKey: jose.CryptoKey;
}

/** Who a token speaks for, and until when (milliseconds since 1970). */
export interface Identity {
  device: DeviceId;
  account: AccountId;
  expiresAt: number;
}

/** Signs and checks access tokens and challenges with keys that the database keeps and that change every 30 days. */
export class Tokens {
  readonly #prisma: PrismaClient;
  readonly #lifetimes: { accessToken: number; challenge: number };
  readonly #now: () => number;
  #keys: TokenKey[] = [];
  #loadedAt = -Infinity;
  #loading: Promise<void> | undefined;

  constructor(
    prisma: PrismaClient,
    options: { lifetimes: { accessToken: number; challenge: number }; now: () => number },
  ) {
    this.#prisma = prisma;
    this.#lifetimes = options.lifetimes;
    this.#now = options.now;
  }

  /** `expiresIn` is milliseconds. */
  async issueAccess(device: DeviceId, account: AccountId) {
    return this.#issue('access', { sub: device, account }, this.#lifetimes.accessToken);
  }

  async issueChallenge(device: DeviceId) {
    return this.#issue('challenge', { sub: device }, this.#lifetimes.challenge);
  }

  /** @throws RelayError `token-expired`, `unauthenticated` */
  async verifyAccess(token: string): Promise<Identity> {
    const claims = await this.#verify('access', token);
    const device = DeviceId.safeParse(claims.sub);
    const account = AccountId.safeParse(claims['account']);
    if (!device.success || !account.success) throw new RelayError('unauthenticated');
    return { device: device.data, account: account.data, expiresAt: claims.exp! * 1000 };
  }

  /** @throws RelayError `challenge-expired`, `signature-invalid` also when it was made for another device */
  async verifyChallenge(challenge: string, device: DeviceId): Promise<void> {
    const claims = await this.#verify('challenge', challenge);
    if (claims.sub !== device) throw new RelayError('signature-invalid');
  }

  async #issue(kind: keyof typeof KINDS, claims: jose.JWTPayload, lifetime: number) {
    const { typ, audience } = KINDS[kind];
    const { kid, privateKey } = await this.#current();
    const now = this.#now();
    const exp = Math.ceil((now + lifetime) / 1000);
    const token = await new jose.SignJWT(claims)
      .setProtectedHeader({ alg: ALGORITHM, typ, kid })
      .setIssuer(ISSUER)
      .setAudience(audience)
      .setExpirationTime(exp)
      .sign(privateKey);
    return { token, expiresAt: exp * 1000, expiresIn: exp * 1000 - now };
  }

  async #verify(kind: keyof typeof KINDS, token: string): Promise<jose.JWTPayload> {
    const { typ, audience, expired, invalid } = KINDS[kind];
    try {
      const { payload } = await jose.jwtVerify(token, ({ kid }) => this.#publicKey(kid), {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience,
        typ,
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(this.#now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof jose.errors.JWTExpired) throw new RelayError(expired);
      if (error instanceof jose.errors.JOSEError) throw new RelayError(invalid);
      throw error;
    }
  }

  async #publicKey(kid: string | undefined): Promise<jose.CryptoKey> {
    const find = () => this.#keys.find((key) => key.kid === kid);
    // Another process may have made a key since. Not asked more often, whatever kids a stranger invents.
    if (!find() && this.#now() - this.#loadedAt > RELOAD_MS) await this.#load();
    const key = find();
    if (!key) throw new jose.errors.JWKSNoMatchingKey();
    return key.publicKey;
  }

  async #current(): Promise<TokenKey> {
    const fresh = () => this.#keys.find((key) => this.#now() - key.createdAt < ROTATE_MS);
    if (!fresh()) await this.#load();
    const key = fresh();
    if (!key) throw new RelayError('internal');
    return key;
  }

  /** Reads the keys, newest first, after making one where the newest is too old. */
  #load(): Promise<void> {
    this.#loading ??= this.#prisma
      .$transaction(async (tx) => {
        await tx.$executeRaw`SELECT pg_advisory_xact_lock(${ROTATION_LOCK})`;
        const now = this.#now();
        const newest = await tx.tokenKey.findFirst({ orderBy: { createdAt: 'desc' } });
        if (!newest || now - newest.createdAt.getTime() >= ROTATE_MS) {
          const { privateKey } = await jose.generateKeyPair(ALGORITHM, { extractable: true });
          const jwk = { ...(await jose.exportJWK(privateKey)) };
          await tx.tokenKey.create({ data: { kid: randomUUID(), jwk, createdAt: new Date(now) } });
          await tx.tokenKey.deleteMany({ where: { createdAt: { lt: new Date(now - KEEP_MS) } } });
        }
        return tx.tokenKey.findMany({ orderBy: { createdAt: 'desc' } });
      })
      .then(async (rows) => {
        this.#keys = await Promise.all(
          rows.map(async ({ kid, jwk, createdAt }) => {
            const { d, ...half } = jwk as jose.JWK & { kty: string };
            const privateKey = (await jose.importJWK({ ...half, d: d! }, ALGORITHM)) as jose.CryptoKey;
            const publicKey = (await jose.importJWK(half, ALGORITHM)) as jose.CryptoKey;
            return { kid, createdAt: createdAt.getTime(), privateKey, publicKey };
          }),
        );
        this.#loadedAt = this.#now();
      })
      .finally(() => (this.#loading = undefined));
    return this.#loading;
  }
}
