import { formatLink } from '@sotto/contract/link';
import { useEffect, useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { canShare, share } from '../../platform/clipboard.ts';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Spinner } from '../../ui/spinner.tsx';

const TEXT = {
  title: 'Invite someone',
  says: 'Send this link to one person. With it they make an account here, and a chat with you.',
  making: 'Making a link',
  label: 'Invite link',
  until: (time: string) => `Works once, until ${time}.`,
  copy: 'Copy link',
  share: 'Share',
  shareTitle: 'Sotto',
  offline:
    'An invite link has to be made at the relay, and it does not answer. Try again when you are back online.',
  again: 'Try again',
};

const moment = new Intl.DateTimeFormat(undefined, {
  weekday: 'long',
  day: 'numeric',
  month: 'long',
  hour: '2-digit',
  minute: '2-digit',
});

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
        current && setState({ failed: codeOf(error) === 'unreachable' ? TEXT.offline : explain(error) }),
    );
    return () => {
      current = false;
    };
  }, [engine, attempt]);

  return (
    <Dialog title={TEXT.title} onClose={onClose}>
      {state !== undefined && 'failed' in state ? (
        <>
          <p role="alert">{state.failed}</p>
          <div className="dialog-actions">
            <Button look="main" onClick={() => setAttempt((before) => before + 1)}>
              {TEXT.again}
            </Button>
          </div>
        </>
      ) : (
        <>
          <p>{TEXT.says}</p>
          {/* The field is there from the start, so that nothing moves when the link arrives. */}
          <Field
            label={TEXT.label}
            value={state?.url ?? ''}
            readOnly
            onFocus={(event) => event.target.select()}
            hint={state ? TEXT.until(moment.format(state.expiresAt)) : <Spinner label={TEXT.making} />}
          />
          <div className="dialog-actions">
            {canShare() && (
              <Button
                disabled={!state}
                onClick={() => state && void share({ title: TEXT.shareTitle, url: state.url })}
              >
                {TEXT.share}
              </Button>
            )}
            <CopyButton look="main" label={TEXT.copy} text={state?.url ?? ''} disabled={!state} />
          </div>
        </>
      )}
    </Dialog>
  );
};
