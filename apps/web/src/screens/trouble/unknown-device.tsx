import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { useSession } from '../../app/session-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import './words.ts';

/** What somebody can do whom the relay does not know any more. */
export const UnknownDevice = ({ onClose }: { onClose(): void }) => {
  const engine = useEngine();
  const { leave } = useSession();
  const [sure, setSure] = useState(false);
  if (sure)
    return (
      <Confirm
        title={t('trust.unknownSure')}
        action={t('app.removedDelete')}
        onConfirm={() => void leave()}
        onClose={onClose}
      >
        <p>{t('trust.unknownSureSays')}</p>
      </Confirm>
    );
  return (
    <Dialog title={t('trust.unknownTitle')} onClose={onClose}>
      <p>{t('trust.unknownWhy')}</p>
      <p>{t('trust.unknownAsk')}</p>
      <p>{t('trust.unknownAnew')}</p>
      <div className="dialog-actions">
        <Button look="quiet" onClick={() => setSure(true)}>
          {t('trust.unknownDelete')}
        </Button>
        <Button
          look="main"
          onClick={() => {
            engine.nudge();
            onClose();
          }}
        >
          {t('app.tryNow')}
        </Button>
      </div>
    </Dialog>
  );
};
