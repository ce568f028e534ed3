import { LIMITS } from '@sotto/contract/limits';
import { useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Section } from '../../ui/page.tsx';

export const Profile = () => {
  const engine = useEngine();
  const me = useEnginePart('me');
  const phase = useEnginePart('phase');
  const [typed, setTyped] = useState<string>();
  const [problem, setProblem] = useState<string>();
  const [saved, setSaved] = useState(false);
  if (!me) return null;

  const name = typed ?? me.name;
  const changed = name.trim() !== me.name;
  const save = async (): Promise<void> => {
    if (name.trim() === '') return setProblem(t('welcome.nameMissing'));
    if (name.trim().length > LIMITS.nameCharacters)
      return setProblem(t('welcome.nameLong', { most: LIMITS.nameCharacters }));
    try {
      await engine.setProfile({ name });
      setTyped(undefined);
      setSaved(true);
    } catch (error) {
      setProblem(explain(error));
    }
  };

  return (
    <Section title={t('settings.profile')}>
      <div className="settings-me">
        <Avatar name={me.name} account={me.account} />
        <div className="settings-names">
          <bdi className="settings-name">{me.name}</bdi>
          <bdi className="page-quiet" dir="ltr">
            @{me.handle}
          </bdi>
        </div>
      </div>
      <form
        className="settings-form"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (changed) void save();
        }}
      >
        <Field
          label={t('welcome.name')}
          hint={saved && !changed ? t('settings.saved') : t('welcome.nameHint')}
          problem={problem}
          value={name}
          onChange={(event) => {
            setTyped(event.target.value);
            setProblem(undefined);
          }}
          readOnly={phase !== 'ready'}
          autoComplete="name"
        />
        <Button type="submit" disabled={!changed || phase !== 'ready'}>
          {t('settings.save')}
        </Button>
      </form>
    </Section>
  );
};
