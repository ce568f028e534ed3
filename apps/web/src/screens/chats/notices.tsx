import type { ErrorCode } from '@sotto/contract/errors';
import { useEffect, useState, useSyncExternalStore } from 'react';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { hasNetwork, onNetwork } from '../../platform/attention.ts';
import { Bar } from '../../ui/bar.tsx';

const PATIENCE_MS = 1000;

const TEXT = {
  network: 'Waiting for network',
  removed: 'This device was removed: it gets and sends no messages.',
  full: 'This device is full: new messages cannot be stored. Make some room; they wait at the relay.',
  failed:
    'The browser cannot store messages at the moment. Reload the page; what is not stored waits at the relay.',
};

/** Why the relay lets nobody in from here, and who can change it. */
const refusalWords = (refusal: ErrorCode): string => {
  switch (refusal) {
    case 'origin-refused':
      return 'The relay is set to another address than this one. Its host has to change PUBLIC_URL.';
    case 'device-unknown':
      return 'The relay does not know this device. Ask its host; what you wrote is kept here.';
    default:
      return 'The relay is of another version. Reload the page; if that does not help, ask its host.';
  }
};

/** True once it has been so for a while: a connection that comes back at once is not worth a word. */
const useLasting = (now: boolean): boolean => {
  const [lasting, setLasting] = useState(false);
  useEffect(() => {
    if (!now) return undefined;
    const timer = setTimeout(() => setLasting(true), PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      setLasting(false);
    };
  }, [now]);
  return now && lasting;
};

export const Notices = () => {
  const { phase, connection, refusal, storeProblem } = useEngineSnapshot();
  const removed = phase === 'removed';
  // The browser may know before the connection has noticed.
  const network = useSyncExternalStore(onNetwork, hasNetwork);
  const waiting = useLasting((connection !== 'online' || !network) && !removed);
  return (
    <>
      <div role="status" aria-label="Network">
        {waiting && <Bar>{refusal === undefined ? TEXT.network : refusalWords(refusal)}</Bar>}
        {removed && <Bar>{TEXT.removed}</Bar>}
      </div>
      <div role="alert">
        {storeProblem !== undefined && (
          <Bar look="grave">{storeProblem === 'full' ? TEXT.full : TEXT.failed}</Bar>
        )}
      </div>
    </>
  );
};
