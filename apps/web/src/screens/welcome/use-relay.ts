import type { RelayResponse } from '@sotto/contract/rest/relay';
import { useCallback, useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';

export type Demands = RelayResponse['registration'];

export type RelayState = 'asking' | { failed: string } | { demands: Demands };

/** What this relay demands of who joins. */
export const useRelay = (): { relay: RelayState; ask(): void } => {
  const engine = useEngine();
  const [relay, setRelay] = useState<RelayState>('asking');
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let current = true;
    setRelay('asking');
    engine.relay().then(
      ({ registration }) => current && setRelay({ demands: registration }),
      (error: unknown) => current && setRelay({ failed: explain(error) }),
    );
    return () => {
      current = false;
    };
  }, [engine, attempt]);
  return { relay, ask: useCallback(() => setAttempt((before) => before + 1), []) };
};
