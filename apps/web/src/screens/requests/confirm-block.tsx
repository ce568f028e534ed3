import { t } from '../../i18n/i18n.ts';
import { Confirm } from '../../ui/confirm.tsx';

interface ConfirmBlockProps {
  name: string;
  onConfirm(): void;
  onClose(): void;
}

export const ConfirmBlock = ({ name, onConfirm, onClose }: ConfirmBlockProps) => (
  <Confirm
    title={t('people.blockTitle', { name })}
    action={t('people.block')}
    onConfirm={onConfirm}
    onClose={onClose}
  >
    <p>{t('people.blockSays')}</p>
  </Confirm>
);
