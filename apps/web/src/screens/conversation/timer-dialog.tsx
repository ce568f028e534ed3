import type { ConversationId } from '@sotto/contract/ids';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Choice } from '../../ui/choice.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { durationWords, TIMERS } from './durations.ts';

interface TimerDialogProps {
  id: ConversationId;
  /** Absent in a group. */
  name: string | undefined;
  timer: number | undefined;
  onClose(): void;
}

export const TimerDialog = ({ id, name, timer, onClose }: TimerDialogProps) => {
  const engine = useEngine();
  const [chosen, setChosen] = useState(String(timer ?? 'never'));
  const [problem, setProblem] = useState<string>();
  // One that was set elsewhere may be any.
  const known = [...new Set([...TIMERS, ...(timer === undefined ? [] : [timer])])].sort((a, b) => a - b);
  const save = (): void => {
    const seconds = chosen === 'never' ? undefined : Number(chosen);
    engine.setTimer(id, seconds).then(onClose, (error: unknown) => setProblem(explain(error)));
  };
  return (
    <Dialog title={t('conversation.timerTitle')} onClose={onClose}>
      <p>{name === undefined ? t('conversation.timerGroupSays') : t('conversation.timerSays', { name })}</p>
      <Choice
        label={t('conversation.timerLabel')}
        options={[
          { value: 'never', label: t('conversation.timerNever') },
          ...known.map((seconds) => ({ value: String(seconds), label: durationWords(seconds) })),
        ]}
        value={chosen}
        onChange={setChosen}
      />
      {problem !== undefined && <p role="alert">{problem}</p>}
      <div className="dialog-actions">
        <Button look="quiet" onClick={onClose}>
          {t('app.cancel')}
        </Button>
        <Button look="main" onClick={save}>
          {t('conversation.timerSet')}
        </Button>
      </div>
    </Dialog>
  );
};
