import type { ConversationSummary } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { MUTE_MS, MUTED_FOREVER } from '../../app/mute.ts';
import { momentTime } from '../../app/times.ts';
import { useNow } from '../../app/use-now.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';
import { Select } from '../../ui/select.tsx';
import { durationWords } from '../conversation/durations.ts';
import { TimerDialog } from '../conversation/timer-dialog.tsx';
import './words.ts';

const untilOf = (choice: string): number => {
  switch (choice) {
    case 'hours':
      return Date.now() + MUTE_MS.hours;
    case 'week':
      return Date.now() + MUTE_MS.week;
    case 'always':
      return MUTED_FOREVER;
    default:
      return 0;
  }
};

const Mute = ({ summary, onFailure }: { summary: ConversationSummary; onFailure(error: unknown): void }) => {
  const engine = useEngine();
  const now = useNow();
  const { id, muted = 0 } = summary;
  const state = muted <= now ? 'off' : muted >= MUTED_FOREVER ? 'always' : 'until';
  return (
    <Select
      label={t('trust.mute')}
      value={state}
      options={[
        { value: 'off', label: t('trust.muteOff') },
        ...(state === 'until'
          ? [{ value: 'until', label: t('trust.muteUntil', { time: momentTime(muted) }) }]
          : []),
        { value: 'hours', label: t('trust.muteHours') },
        { value: 'week', label: t('trust.muteWeek') },
        { value: 'always', label: t('trust.muteAlways') },
      ]}
      onChange={(choice) =>
        choice !== 'until' && void engine.setFlags(id, { muted: untilOf(choice) }).catch(onFailure)
      }
    />
  );
};

interface ChatSettingsProps {
  summary: ConversationSummary;
  /** The timer may be set: something can be written there. */
  writable: boolean;
}

/** What is set for one chat on this device, and how long its messages stay. */
export const ChatSettings = ({ summary, writable }: ChatSettingsProps) => {
  const { id, peer, group, timer } = summary;
  const [choosing, setChoosing] = useState(false);
  const [problem, setProblem] = useState<string>();
  return (
    <Section title={t('trust.thisChat')}>
      <div className="about-row">
        <span>{t('conversation.timerTitle')}</span>
        <Button disabled={!writable} onClick={() => setChoosing(true)}>
          {timer === undefined ? t('conversation.timerNever') : durationWords(timer)}
          <span className="sr-only"> {t('conversation.timerTitle')}</span>
        </Button>
      </div>
      <Mute summary={summary} onFailure={(error) => setProblem(explain(error))} />
      <p className="about-problem" role="alert">
        {problem}
      </p>
      {choosing && (
        <TimerDialog
          id={id}
          name={group ? undefined : peer.name}
          timer={timer}
          onClose={() => setChoosing(false)}
        />
      )}
    </Section>
  );
};
