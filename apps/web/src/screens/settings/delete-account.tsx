import { useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { useSession } from '../../app/session-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Spinner } from '../../ui/spinner.tsx';

const tidy = (typed: string): string => typed.trim().replace(/^@/, '').toLowerCase();

/** Only who types the handle can mean it. */
export const DeleteAccount = ({ onClose }: { onClose(): void }) => {
  const engine = useEngine();
  const { leave } = useSession();
  const me = useEnginePart('me');
  const [typed, setTyped] = useState('');
  const [problem, setProblem] = useState<string>();
  const [working, setWorking] = useState(false);
  const handle = me?.handle ?? '';

  const submit = async (): Promise<void> => {
    if (working) return;
    if (tidy(typed) !== handle) return setProblem(t('settings.deleteOther', { handle }));
    setWorking(true);
    try {
      await engine.deleteAccount();
      await leave();
    } catch (error) {
      setWorking(false);
      setProblem(explain(error));
    }
  };

  return (
    <Dialog title={t('settings.deleteTitle', { handle })} busy={working} onClose={onClose}>
      <p>{t('settings.deleteSays')}</p>
      <p>{t('settings.deleteStays')}</p>
      <form
        className="settings-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <Field
          label={t('settings.deleteType', { handle })}
          prefix="@"
          problem={problem}
          value={typed}
          onChange={(event) => {
            setTyped(event.target.value);
            setProblem(undefined);
          }}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          readOnly={working}
        />
        <div className="dialog-actions">
          <Button look="quiet" disabled={working} onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button look="main" className="settings-danger" type="submit" aria-disabled={working}>
            {t('settings.deleteDo')}
          </Button>
        </div>
        {working && <Spinner label={t('settings.deleting')} />}
      </form>
    </Dialog>
  );
};
