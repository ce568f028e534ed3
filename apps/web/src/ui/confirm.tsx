import type { ReactNode } from 'react';
import { t } from '../i18n/i18n.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';

interface ConfirmProps {
  title: string;
  /** What happens, and whether it can be undone. */
  children: ReactNode;
  /** Names the deed, not "OK". */
  action: string;
  onConfirm(): void;
  onClose(): void;
}

/** Asks before something grave. */
export const Confirm = ({ title, children, action, onConfirm, onClose }: ConfirmProps) => (
  <Dialog title={title} onClose={onClose}>
    {children}
    <div className="dialog-actions">
      <Button look="quiet" onClick={onClose}>
        {t('app.cancel')}
      </Button>
      <Button
        look="main"
        onClick={() => {
          onClose();
          onConfirm();
        }}
      >
        {action}
      </Button>
    </div>
  </Dialog>
);
