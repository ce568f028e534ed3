import { useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Bar } from '../../ui/bar.tsx';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';

const WORDS = {
  'profile-copied': {
    notice: 'app.copiedNotice',
    title: 'app.copiedTitle',
    says: 'app.copiedSays',
    action: 'app.copiedAction',
  },
  'identity-changed': {
    notice: 'app.ownChangedNotice',
    title: 'app.ownChangedTitle',
    says: 'app.ownChangedSays',
    action: 'app.ownChangedAction',
  },
} as const;

/** Why nothing is sent until the person decides, and the decision. */
export const Alarm = () => {
  const engine = useEngine();
  const alarm = useEnginePart('alarm');
  const me = useEnginePart('me');
  const [asking, setAsking] = useState(false);
  const [problem, setProblem] = useState<string>();
  if (!alarm || !me) return null;
  const words = WORDS[alarm];

  const decide = async (): Promise<void> => {
    setProblem(undefined);
    try {
      await (alarm === 'profile-copied' ? engine.startAnew() : engine.acceptIdentity(me.account));
    } catch (error) {
      setProblem(explain(error));
    }
  };

  return (
    <>
      <Bar
        look="grave"
        actions={
          <Button look="quiet" onClick={() => setAsking(true)}>
            {t('app.decide')}
          </Button>
        }
      >
        {problem ?? t(words.notice)}
      </Bar>
      {asking && (
        <Confirm
          title={t(words.title)}
          action={t(words.action)}
          onConfirm={() => void decide()}
          onClose={() => setAsking(false)}
        >
          <p>{t(words.says)}</p>
        </Confirm>
      )}
    </>
  );
};
