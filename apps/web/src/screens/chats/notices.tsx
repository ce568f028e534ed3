import type { ErrorCode } from '@sotto/contract/errors';
import { Suspense, useEffect, useState, useSyncExternalStore } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { hasNetwork, onNetwork } from '../../platform/attention.ts';
import { Bar } from '../../ui/bar.tsx';
import { Alarm } from './alarm.tsx';
import { Button } from '../../ui/button.tsx';
import { Coming } from '../../ui/coming.tsx';
import { later } from '../../ui/later.ts';

const UnknownDevice = later(() => import('../trouble/unknown-device.tsx'), 'UnknownDevice');
const Joins = later(() => import('../groups/joins.tsx'), 'Joins');

const PATIENCE_MS = 1000;

/** Why the relay lets nobody in from here, and who can change it. */
const refusalWords = (refusal: ErrorCode): string =>
  t(refusal === 'origin-refused' ? 'app.originRefused' : 'app.otherVersion');

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

/** There is a network, as far as the browser knows: then it is the relay that is away, or the way to it. */
const RelayAway = () => {
  const engine = useEngine();
  return (
    <Bar
      actions={
        <Button look="quiet" onClick={() => engine.nudge()}>
          {t('app.tryNow')}
        </Button>
      }
    >
      {t('app.relayAway')}
    </Bar>
  );
};

/** Why the relay lets nobody in, and where a person can do something about it, what. */
const Refusal = ({ refusal }: { refusal: ErrorCode }) => {
  const [asked, setAsked] = useState(false);
  if (refusal !== 'device-unknown') return <Bar>{refusalWords(refusal)}</Bar>;
  return (
    <>
      <Bar
        actions={
          <Button look="quiet" aria-haspopup="dialog" onClick={() => setAsked(true)}>
            {t('app.whatToDo')}
          </Button>
        }
      >
        {t('app.deviceUnknown')}
      </Bar>
      <Suspense fallback={<Coming />}>{asked && <UnknownDevice onClose={() => setAsked(false)} />}</Suspense>
    </>
  );
};

export const Notices = () => {
  const phase = useEnginePart('phase');
  const connection = useEnginePart('connection');
  const refusal = useEnginePart('refusal');
  const storeProblem = useEnginePart('storeProblem');
  const joins = useEnginePart('joins');
  const removed = phase === 'removed';
  // The browser may know before the connection has noticed.
  const network = useSyncExternalStore(onNetwork, hasNetwork);
  const waiting = useLasting((connection !== 'online' || !network) && !removed);
  return (
    <>
      <div role="status" aria-label={t('app.network')}>
        {waiting && refusal !== undefined && <Refusal refusal={refusal} />}
        {waiting && refusal === undefined && !network && <Bar>{t('app.waitingForNetwork')}</Bar>}
        {waiting &&
          refusal === undefined &&
          network &&
          (connection === 'offline' ? <RelayAway /> : <Bar>{t('app.connecting')}</Bar>)}
        {removed && <Bar>{t('app.deviceRemovedNotice')}</Bar>}
      </div>
      <div role="status" aria-label={t('chats.joins')}>
        {joins.length > 0 && (
          <Suspense>
            <Joins />
          </Suspense>
        )}
      </div>
      <div role="alert">
        <Alarm />
        {storeProblem !== undefined && (
          <Bar look="grave">
            {storeProblem === 'full' ? t('app.storeFullNotice') : t('app.storeFailedNotice')}
          </Bar>
        )}
      </div>
    </>
  );
};
