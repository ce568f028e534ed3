import type { Settings } from '@sotto/engine/rows';
import { useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { Choice } from '../../ui/choice.tsx';
import { Section } from '../../ui/page.tsx';

const AUDIENCES = {
  everyone: 'settings.everyone',
  contacts: 'settings.contacts',
  nobody: 'settings.nobody',
} as const satisfies Record<Settings['receipts'], Key>;

const ALL = ['everyone', 'contacts', 'nobody'] as const;
const NEAR = ['contacts', 'nobody'] as const;

interface WhoProps<Value extends keyof typeof AUDIENCES> {
  label: string;
  hint: string;
  of: readonly Value[];
  value: Value;
  onChange(value: Value): void;
}

const Who = <Value extends keyof typeof AUDIENCES>({ of, ...props }: WhoProps<Value>) => (
  <Choice {...props} options={of.map((value) => ({ value, label: t(AUDIENCES[value]) }))} />
);

/** Who gets to know what of this account. */
export const Privacy = () => {
  const engine = useEngine();
  const settings = useEnginePart('settings');
  const [problem, setProblem] = useState<string>();
  if (!settings) return null;
  const { receipts, typing, presence, lastSeen } = settings;
  const choose = (chosen: Partial<Settings>): void => {
    setProblem(undefined);
    engine.setSettings(chosen).catch((error: unknown) => setProblem(explain(error)));
  };
  return (
    <Section title={t('settings.privacy')}>
      <p className="page-quiet">{t('settings.privacySays')}</p>
      <Who
        label={t('settings.lastSeen')}
        hint={t('settings.lastSeenHint')}
        of={NEAR}
        value={lastSeen}
        onChange={(value) => choose({ lastSeen: value })}
      />
      <Who
        label={t('settings.presence')}
        hint={t('settings.presenceHint')}
        of={NEAR}
        value={presence}
        onChange={(value) => choose({ presence: value })}
      />
      <Who
        label={t('settings.receipts')}
        hint={t('settings.receiptsHint')}
        of={ALL}
        value={receipts}
        onChange={(value) => choose({ receipts: value })}
      />
      <Who
        label={t('settings.typing')}
        hint={t('settings.typingHint')}
        of={ALL}
        value={typing}
        onChange={(value) => choose({ typing: value })}
      />
      <p className="settings-problem" role="alert">
        {problem}
      </p>
    </Section>
  );
};
