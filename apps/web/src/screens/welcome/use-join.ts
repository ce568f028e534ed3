import type { Handle } from '@sotto/contract/ids';
import { RelayError } from '@sotto/contract/errors';
import type { Link } from '@sotto/contract/link';
import type { Verification } from '@sotto/contract/rest/accounts';
import { useCallback, useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { forgetPhoneProof, phoneProof } from '../../platform/phone-proof.ts';

export type InviteState = 'checking' | 'open' | 'used' | 'expired' | 'unknown' | { failed: string };

export type JoinState =
  | 'typing'
  | 'working'
  | { taken: string }
  | { failed: string }
  /** The relay did not take this proof. */
  | { refused: 'email' | 'phone' };

export interface Details {
  handle: Handle;
  name: string;
}

const REFUSALS: Record<string, InviteState> = {
  'invite-used': 'used',
  'invite-expired': 'expired',
  'invite-unknown': 'unknown',
};

/** Whether the invite of a link is good; `open` without one. */
export const useInvite = ({ invite: secret }: Link) => {
  const engine = useEngine();
  const [invite, setInvite] = useState<InviteState>(secret === undefined ? 'open' : 'checking');
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    if (secret === undefined) return undefined;
    setInvite('checking');
    engine.checkInvite(secret).then(
      (state) => current && setInvite(state),
      (error: unknown) => current && setInvite({ failed: explain(error) }),
    );
    return () => {
      current = false;
    };
  }, [engine, secret, attempt]);
  return { invite, setInvite, check: useCallback(() => setAttempt((before) => before + 1), []) };
};

const stateAfter = (error: unknown, handle: string): JoinState => {
  if (codeOf(error) === 'handle-taken') return { taken: handle };
  if (error instanceof RelayError && error.code === 'verification-failed') {
    return { refused: error.detail === 'phone' ? 'phone' : 'email' };
  }
  return { failed: explain(error) };
};

/** Makes the account once everything that the relay demands is there. */
export const useJoin = (link: Link, onInvite: (state: InviteState) => void) => {
  const engine = useEngine();
  const [join, setJoin] = useState<JoinState>('typing');
  const [phone, setPhone] = useState(phoneProof);
  return {
    join,
    phone,
    typing: () => setJoin('typing'),
    submit({ handle, name }: Details, email: Verification['email']) {
      setJoin('working');
      const verification: Verification = { ...(email && { email }), ...(phone && { phone }) };
      // Success shows by itself: the engine's phase becomes `ready`.
      engine
        .register({ link, handle, name, ...((email ?? phone) && { verification }) })
        .then(forgetPhoneProof, (error: unknown) => {
          const next = stateAfter(error, handle);
          if (typeof next === 'object' && 'refused' in next && next.refused === 'phone') {
            forgetPhoneProof();
            setPhone(undefined);
          }
          const refusal = REFUSALS[codeOf(error) ?? ''];
          if (refusal) onInvite(refusal);
          setJoin(next);
        });
    },
  };
};
