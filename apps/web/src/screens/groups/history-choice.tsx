import type { HistoryChoice } from '@sotto/engine/rows';
import { t } from '../../i18n/i18n.ts';
import { Select } from '../../ui/select.tsx';

interface HistoryProps {
  value: HistoryChoice;
  disabled?: boolean;
  onChange(choice: HistoryChoice): void;
}

/** What who comes into a group is sent of what was written before. */
export const History = ({ value, disabled, onChange }: HistoryProps) => (
  <>
    <Select
      label={t('groups.history')}
      value={value}
      disabled={disabled}
      options={[
        { value: 'none', label: t('groups.historyNone') },
        { value: 'day', label: t('groups.historyDay') },
        { value: 'last', label: t('groups.historyLast', { count: 100 }) },
      ]}
      onChange={(choice) => onChange(choice as HistoryChoice)}
    />
    {value !== 'none' && <p className="page-quiet">{t('groups.historySays')}</p>}
  </>
);
