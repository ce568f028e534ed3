import type { Handle, InviteSecret } from '@sotto/contract/ids';
import type { Link } from '@sotto/contract/link';
import { useCallback, useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';

export type InviteState = 'checking' | 'open' | 'used' | 'expired' | 'unknown' | { failed: string };

export type JoinState = 'typing' | 'working' | { taken: string } | { failed: string };

const REFUSALS: Record<string, InviteState> = {
  'invite-used': 'used',
  'invite-expired': 'expired',
  'invite-unknown': 'unknown',
};

export interface JoinModel {
  invite: InviteState;
  join: JoinState;
  check(): void;
  submit(handle: Handle, name: string): void;
}

/** Is the invite good, and then: is there an account. */
export const useJoin = (link: Link, secret: InviteSecret): JoinModel => {
  const engine = useEngine();
  const [invite, setInvite] = useState<InviteState>('checking');
  const [join, setJoin] = useState<JoinState>('typing');
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    setInvite('checking');
    engine.checkInvite(secret).then(
      (state) => current && setInvite(state),
      (error: unknown) => current && setInvite({ failed: explain(error) }),
    );
    return () => {
      current = false;
    };
  }, [engine, secret, attempt]);

  return {
    invite,
    join,
    check: useCallback(() => setAttempt((before) => before + 1), []),
    submit: (handle, name) => {
      setJoin('working');
      // Success shows by itself: the engine's phase becomes `ready`.
      engine.register({ link, handle, name }).catch((error: unknown) => {
        const code = codeOf(error) ?? '';
        const refusal = REFUSALS[code];
        if (refusal) setInvite(refusal);
        setJoin(code === 'handle-taken' ? { taken: handle } : { failed: explain(error) });
      });
    },
  };
};
