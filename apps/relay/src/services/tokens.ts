import {
  createHmac,
  createPrivateKey,
  hkdfSync,
  randomBytes,
  randomUUID,
  sign,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';
import { RelayError } from '@sotto/contract/errors';
import { AccountId, DeviceId } from '@sotto/contract/ids';
import * as jose from 'jose';
import type pg from 'pg';
import { transaction } from '../store/channels.ts';

const DAY = 24 * 60 * 60 * 1000;
const ROTATE_MS = 30 * DAY;
/** Longer than any token outlives its key's turn. */
const KEEP_MS = 31 * DAY;
const RELOAD_MS = 1_000;
/** By which the clocks of several relays may differ. */
const SKEW_MS = 5 * 60 * 1000;
const ALGORITHM = 'ES256';
const ISSUER = 'sotto';
const ROTATION_LOCK = 7689;

const TYPE = 'at+jwt';
const AUDIENCE = 'sotto/access';
/** Tokens that are known to be good are not computed again: most come within moments of the time before. */
const REMEMBERED = 1_000;

interface TokenKey {
  kid: string;
  createdAt: number;
  privateKey: KeyObject;
  publicKey: jose.CryptoKey;
  /** Of challenges: nobody but relays has to check them. */
  challengeKey: Buffer;
}

interface TokenKeyRow {
  kid: string;
  jwk: jose.JWK & { kty: string };
  created_at: Date;
}

/** Who a token speaks for, and until when (milliseconds since 1970). */
export interface Identity {
  device: DeviceId;
  account: AccountId;
  expiresAt: number;
}

const macOf = (key: Buffer, claims: string, device: DeviceId): Buffer =>
  createHmac('sha256', key).update(`${claims}.${device}`).digest();

/** Of a JWT. */
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** Signs and checks access tokens and challenges with keys that the database keeps and that change every 30 days. */
export class Tokens {
  readonly #pool: pg.Pool;
  readonly #lifetimes: { accessToken: number; challenge: number };
  readonly #now: () => number;
  #keys: TokenKey[] = [];
  #loadedAt = -Infinity;
  #loading: Promise<void> | undefined;
  readonly #known = new Map<string, Identity>();

  constructor(
    pool: pg.Pool,
    options: { lifetimes: { accessToken: number; challenge: number }; now: () => number },
  ) {
    this.#pool = pool;
    this.#lifetimes = options.lifetimes;
    this.#now = options.now;
  }

  /** `expiresIn` is milliseconds. */
  async issueAccess(device: DeviceId, account: AccountId) {
    const { kid, privateKey } = await this.#current();
    const now = this.#now();
    const exp = Math.ceil((now + this.#lifetimes.accessToken) / 1000);
    const claims = { sub: device, account, iss: ISSUER, aud: AUDIENCE, exp };
    const text = `${part({ alg: ALGORITHM, typ: TYPE, kid })}.${part(claims)}`;
    // In this thread, and not by jose: to hand it to another thread takes longer than to sign.
    const signature = sign('sha256', Buffer.from(text), { key: privateKey, dsaEncoding: 'ieee-p1363' });
    const token = `${text}.${signature.toString('base64url')}`;
    this.#remember(token, { device, account, expiresAt: exp * 1000 });
    return { token, expiresAt: exp * 1000, expiresIn: exp * 1000 - now };
  }

  async issueChallenge(device: DeviceId) {
    const { kid, challengeKey } = await this.#current();
    const expiresAt = this.#now() + this.#lifetimes.challenge;
    const claims = `${kid}.${expiresAt}.${randomBytes(16).toString('base64url')}`;
    return { token: `${claims}.${macOf(challengeKey, claims, device).toString('base64url')}`, expiresAt };
  }

  /** @throws RelayError `token-expired`, `unauthenticated` */
  async verifyAccess(token: string): Promise<Identity> {
    const known = this.#known.get(token);
    if (known) {
      this.#assertLasts(known.expiresAt, 'accessToken', 'token-expired');
      return known;
    }
    const claims = await this.#verify(token);
    const device = DeviceId.safeParse(claims.sub);
    const account = AccountId.safeParse(claims['account']);
    if (!device.success || !account.success) throw new RelayError('unauthenticated');
    const identity = { device: device.data, account: account.data, expiresAt: claims.exp! * 1000 };
    this.#assertLasts(identity.expiresAt, 'accessToken', 'token-expired');
    this.#remember(token, identity);
    return identity;
  }

  /** @throws RelayError `challenge-expired`, `signature-invalid` also when it was made for another device */
  async verifyChallenge(challenge: string, device: DeviceId): Promise<void> {
    const [, kid, expiresAt] = /^([\w-]+)\.(\d{1,15})\.[\w-]{22}\.[\w-]{43}$/.exec(challenge) ?? [];
    const key = kid === undefined ? undefined : await this.#find(kid);
    if (!key) throw new RelayError('signature-invalid');
    const end = challenge.lastIndexOf('.');
    const mac = Buffer.from(challenge.slice(end + 1), 'base64url');
    if (!timingSafeEqual(mac, macOf(key.challengeKey, challenge.slice(0, end), device)))
      throw new RelayError('signature-invalid');
    this.#assertLasts(Number(expiresAt), 'challenge', 'challenge-expired');
  }

  /** Nor may it last longer than any that is made now: it was made before the clock was set back. */
  #assertLasts(
    expiresAt: number,
    kind: 'accessToken' | 'challenge',
    code: 'token-expired' | 'challenge-expired',
  ): void {
    const left = expiresAt - this.#now();
    if (left <= 0 || left > this.#lifetimes[kind] + SKEW_MS) throw new RelayError(code);
  }

  #remember(token: string, identity: Identity): void {
    if (this.#known.size >= REMEMBERED) this.#known.delete(this.#known.keys().next().value!);
    this.#known.set(token, identity);
  }

  async #verify(token: string): Promise<jose.JWTPayload> {
    try {
      const { payload } = await jose.jwtVerify(token, ({ kid }) => this.#publicKey(kid), {
        algorithms: [ALGORITHM],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        requiredClaims: ['sub', 'exp'],
        currentDate: new Date(this.#now()),
      });
      return payload;
    } catch (error) {
      if (error instanceof jose.errors.JWTExpired) throw new RelayError('token-expired');
      if (error instanceof jose.errors.JOSEError) throw new RelayError('unauthenticated');
      throw error;
    }
  }

  async #publicKey(kid: string | undefined): Promise<jose.CryptoKey> {
    const key = await this.#find(kid);
    if (!key) throw new jose.errors.JWKSNoMatchingKey();
    return key.publicKey;
  }

  async #find(kid: string | undefined): Promise<TokenKey | undefined> {
    const find = () => this.#keys.find((key) => key.kid === kid);
    // Another process may have made a key since. Not asked more often, whatever kids a stranger invents.
    if (!find() && this.#now() - this.#loadedAt > RELOAD_MS) await this.#load();
    return find();
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
    this.#loading ??= transaction(this.#pool, async (client) => {
      await client.query('SELECT pg_advisory_xact_lock($1)', [ROTATION_LOCK]);
      const now = this.#now();
      const select = async () =>
        (
          await client.query<TokenKeyRow>(
            'SELECT kid, jwk, created_at FROM token_key ORDER BY created_at DESC',
          )
        ).rows;
      const kept = await select();
      if (kept[0] && now - kept[0].created_at.getTime() < ROTATE_MS) return kept;
      const { privateKey } = await jose.generateKeyPair(ALGORITHM, { extractable: true });
      const jwk = { ...(await jose.exportJWK(privateKey)) };
      await client.query('INSERT INTO token_key (kid, jwk, created_at) VALUES ($1, $2, $3)', [
        randomUUID(),
        jwk,
        new Date(now),
      ]);
      await client.query('DELETE FROM token_key WHERE created_at < $1', [new Date(now - KEEP_MS)]);
      return select();
    })
      .then(async (rows) => {
        this.#keys = await Promise.all(
          rows.map(async ({ kid, jwk, created_at }) => {
            const { d, ...half } = jwk;
            const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
            const publicKey = (await jose.importJWK(half, ALGORITHM)) as jose.CryptoKey;
            const challengeKey = Buffer.from(hkdfSync('sha256', d!, '', 'sotto/challenge', 32));
            return { kid, createdAt: created_at.getTime(), privateKey, publicKey, challengeKey };
          }),
        );
        this.#loadedAt = this.#now();
      })
      .finally(() => (this.#loading = undefined));
    return this.#loading;
  }
}
