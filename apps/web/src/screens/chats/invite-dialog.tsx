import { formatLink } from '@sotto/contract/link';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { momentTime } from '../../app/times.ts';
import { t } from '../../i18n/i18n.ts';
import { canShare, share } from '../../platform/clipboard.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { QrCode } from '../../ui/qr-code.tsx';
import { Spinner } from '../../ui/spinner.tsx';

type State = { url: string; expiresAt: number } | { failed: string } | undefined;

export const InviteDialog = ({ onClose }: { onClose(): void }) => {
  const engine = useEngine();
  const [state, setState] = useState<State>();
  const [attempt, setAttempt] = useState(0);

  useEffect(() => {
    let current = true;
    setState(undefined);
    engine.createInvite().then(
      ({ link, expiresAt }) => current && setState({ url: formatLink(location.origin, link), expiresAt }),
      (error: unknown) =>
        current &&
        setState({ failed: codeOf(error) === 'unreachable' ? t('people.inviteOffline') : explain(error) }),
    );
    return () => {
      current = false;
    };
  }, [engine, attempt]);

  return (
    <Dialog title={t('people.invite')} onClose={onClose}>
      {state !== undefined && 'failed' in state ? (
        <>
          <p role="alert">{state.failed}</p>
          <div className="dialog-actions">
            <Button look="main" onClick={() => setAttempt((before) => before + 1)}>
              {t('app.again')}
            </Button>
          </div>
        </>
      ) : (
        <>
          <p>{t('people.inviteSays')}</p>
          {/* Code and field have their place from the start, so that nothing moves when the link arrives. */}
          {state ? (
            <QrCode text={state.url} label={t('people.inviteCode')} />
          ) : (
            <div className="qr-code-place" />
          )}
          <Field
            label={t('people.inviteLink')}
            value={state?.url ?? ''}
            readOnly
            onFocus={(event) => event.target.select()}
            hint={
              state ? (
                t('people.inviteUntil', { time: momentTime(state.expiresAt) })
              ) : (
                <Spinner label={t('people.makingLink')} />
              )
            }
          />
          <div className="dialog-actions">
            {canShare() && (
              <Button
                disabled={!state}
                onClick={() => state && void share({ title: 'Sotto', url: state.url })}
              >
                {t('people.share')}
              </Button>
            )}
            <CopyButton look="main" label={t('app.copyLink')} text={state?.url ?? ''} disabled={!state} />
          </div>
        </>
      )}
    </Dialog>
  );
};
