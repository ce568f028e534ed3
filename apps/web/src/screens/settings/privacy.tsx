import { useState } from 'react';
import { useEngine, useEngineSnapshot } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { Section } from '../../ui/page.tsx';
import { Switch } from '../../ui/switch.tsx';

const SWITCHES = [
  { name: 'receipts', label: 'settings.receipts', hint: 'settings.receiptsHint' },
  { name: 'typing', label: 'settings.typing', hint: 'settings.typingHint' },
  { name: 'presence', label: 'settings.presence', hint: 'settings.presenceHint' },
] as const satisfies readonly { name: string; label: Key; hint: Key }[];

/** What others get to know of this account. */
export const Privacy = () => {
  const engine = useEngine();
  const { settings } = useEngineSnapshot();
  const [problem, setProblem] = useState<string>();
  if (!settings) return null;
  return (
    <Section title={t('settings.privacy')}>
      {SWITCHES.map(({ name, label, hint }) => (
        <Switch
          key={name}
          label={t(label)}
          hint={t(hint)}
          checked={settings[name]}
          onChange={(on) => {
            setProblem(undefined);
            engine.setSettings({ [name]: on }).catch((error: unknown) => setProblem(explain(error)));
          }}
        />
      ))}
      <p className="settings-problem" role="alert">
        {problem}
      </p>
    </Section>
  );
};
