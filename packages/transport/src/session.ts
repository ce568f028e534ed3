import { RelayError } from '@sotto/contract/errors';
import { ChallengeResponse, TokenResponse } from '@sotto/contract/rest/session';
import type { Signer } from '@sotto/engine/ports';
import type { Http } from './http.ts';

/** A token is renewed when this part of its life is over. */
const RENEW_AT = 0.8;

export interface Session {
  /** A token that still lives a while; concurrent callers share one sign-in. */
  token(): Promise<string>;
  /** Milliseconds until the token should be renewed. */
  renewIn(): number;
  /** The relay's clock, in ms since 1970, as it was told with the token; undefined before. */
  relayNow(): number | undefined;
  /** Forgets the token: the relay did not take it. */
  drop(): void;
  /** Runs `work` with a token, once more with a new one when the relay says that it ran out. */
  with<R>(work: (token: string) => Promise<R>): Promise<R>;
}

/** Signs a device in by its key, again and again: nothing that could be stolen renews a session. */
export const createSession = (http: Http, signer: Signer, origin: string): Session => {
  let current: { token: string; renewAt: number } | undefined;
  /** What to add to the time since start. */
  let offset: number | undefined;
  let pending: Promise<string> | undefined;

  const signIn = async (): Promise<string> => {
    const { device } = signer;
    const { challenge } = await http({
      method: 'POST',
      path: '/v1/session/challenges',
      body: { device },
      answer: ChallengeResponse,
    });
    const signature = await signer.sign({ challenge, origin });
    const { token, expiresIn, expiresAt } = await http({
      method: 'POST',
      path: '/v1/session/tokens',
      body: { device, challenge, origin, signature },
      answer: TokenResponse,
    });
    offset = expiresAt - expiresIn - performance.now();
    current = { token, renewAt: performance.now() + expiresIn * RENEW_AT };
    return token;
  };

  const token = async (): Promise<string> => {
    if (current && performance.now() < current.renewAt) return current.token;
    pending ??= signIn().finally(() => {
      pending = undefined;
    });
    return pending;
  };

  const drop = (): void => {
    current = undefined;
  };

  return {
    token,
    renewIn: () => Math.max(0, (current?.renewAt ?? 0) - performance.now()),
    relayNow: () => (offset === undefined ? undefined : offset + performance.now()),
    drop,
    async with(work) {
      try {
        return await work(await token());
      } catch (error) {
        const stale =
          error instanceof RelayError && ['token-expired', 'unauthenticated'].includes(error.code);
        if (!stale) throw error;
        drop();
        return work(await token());
      }
    },
  };
};
