import { useEffect, useId, useRef } from 'react';
import type { ReactNode } from 'react';
import { t } from '../i18n/i18n.ts';
import { IconButton } from './button.tsx';
import { CloseIcon } from './icons.tsx';
import './dialog.css';

interface DialogProps {
  title: string;
  /** Something is under way: only whoever renders it closes it. */
  busy?: boolean;
  onClose(): void;
  children: ReactNode;
}

/** A modal dialog. Shown as long as it is rendered; Escape and, where browsers know `closedby`, a click beside it close it. */
export const Dialog = ({ title, busy = false, onClose, children }: DialogProps) => {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();

  useEffect(() => {
    const element = dialog.current;
    if (!element || element.open) return undefined;
    const before = document.activeElement;
    element.showModal();
    return () => {
      element.close();
      // Removed from the page at once, the dialog cannot give focus back by itself.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);

  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby={heading}
      closedby={busy ? 'none' : 'any'}
      onCancel={(event) => {
        event.preventDefault();
        if (!busy) onClose();
      }}
    >
      <div className="dialog-inside">
        <div className="dialog-head">
          <h2 id={heading}>{title}</h2>
          <IconButton label={t('app.close')} disabled={busy} onClick={onClose}>
            <CloseIcon />
          </IconButton>
        </div>
        {children}
      </div>
    </dialog>
  );
};
