import type { ConversationId } from '@sotto/contract/ids';
import type { Person } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { VerifiedIcon } from '../../ui/icons.tsx';
import { QrCode } from '../../ui/qr-code.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { Scanner } from './scanner.tsx';
import './verify-dialog.css';
import './words.ts';

type Safety = { number: string; code: string } | { failed: string } | undefined;

const OUTCOMES = {
  other: 'trust.scanOther',
  newer: 'trust.scanNewer',
  'no-code': 'trust.scanNoCode',
} as const;

const Digits = ({ number }: { number: string }) => (
  <p className="verify-digits" dir="ltr">
    {number.match(/\d{5}/g)?.map((group, at) => (
      // oxlint-disable-next-line react/no-array-index-key -- groups may be equal, and stay where they are
      <span key={at}>{group} </span>
    ))}
  </p>
);

interface VerifyDialogProps {
  id: ConversationId;
  peer: Person;
  onClose(): void;
}

/** Two people compare, by voice or by camera, that each has the other's account. */
export const VerifyDialog = ({ id, peer, onClose }: VerifyDialogProps) => {
  const engine = useEngine();
  const { name } = peer;
  const [safety, setSafety] = useState<Safety>();
  const [step, setStep] = useState<'compare' | 'scan' | 'done'>('compare');
  const [problem, setProblem] = useState<string>();

  useEffect(() => {
    let current = true;
    engine.safety(id).then(
      (found) => current && setSafety(found),
      (error: unknown) => current && setSafety({ failed: explain(error) }),
    );
    return () => {
      current = false;
    };
  }, [engine, id]);

  const fail = (error: unknown): void => setProblem(explain(error));
  const onCode = (text: string): void => {
    setProblem(undefined);
    engine.compareCode(id, text).then((outcome) => {
      if (outcome === 'same') setStep('done');
      else setProblem(t(OUTCOMES[outcome], { name }));
    }, fail);
  };
  const confirm = (): void => void engine.setVerified(id, true).then(() => setStep('done'), fail);

  if (step === 'done') {
    return (
      <Dialog title={t('trust.doneTitle', { name })} onClose={onClose}>
        <p className="verify-done" role="status">
          <VerifiedIcon size={28} />
          {t('trust.doneSays', { name })}
        </p>
        <div className="dialog-actions">
          <Button look="main" onClick={onClose}>
            {t('trust.done')}
          </Button>
        </div>
      </Dialog>
    );
  }
  if (step === 'scan') {
    return (
      <Dialog title={t('trust.scanTitle', { name })} onClose={onClose}>
        <Scanner says={t('trust.scanSays', { name })} problem={problem} onCode={onCode} />
        <div className="dialog-actions">
          <Button
            look="quiet"
            onClick={() => {
              setProblem(undefined);
              setStep('compare');
            }}
          >
            {t('trust.toNumber')}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('trust.numberTitle', { name })} onClose={onClose}>
      <p>{t('trust.numberSays', { name })}</p>
      {safety === undefined && <Spinner label={t('trust.making')} />}
      {safety && 'failed' in safety && <p role="alert">{safety.failed}</p>}
      {safety && 'code' in safety && (
        <>
          <Digits number={safety.number} />
          <QrCode text={safety.code} label={t('trust.ownCode', { name })} />
          <p className="page-quiet">{t('trust.codeSays', { name })}</p>
          {problem !== undefined && <p role="alert">{problem}</p>}
          <div className="dialog-actions">
            <Button onClick={() => setStep('scan')}>{t('trust.scan')}</Button>
            <Button look="main" onClick={confirm}>
              {t('trust.same')}
            </Button>
          </div>
        </>
      )}
    </Dialog>
  );
};
