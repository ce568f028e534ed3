import type { ReactNode } from 'react';
import { t } from '../../i18n/i18n.ts';
import { Confirm } from '../../ui/confirm.tsx';

interface ConfirmBlockProps {
  name: string;
  /** What else comes of it. */
  children?: ReactNode;
  onConfirm(): void;
  onClose(): void;
}

export const ConfirmBlock = ({ name, children, onConfirm, onClose }: ConfirmBlockProps) => (
  <Confirm
    title={t('people.blockTitle', { name })}
    action={t('people.block')}
    onConfirm={onConfirm}
    onClose={onClose}
  >
    <p>{t('people.blockSays')}</p>
    {children}
  </Confirm>
);
