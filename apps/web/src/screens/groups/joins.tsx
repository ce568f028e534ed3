import type { JoinSnapshot } from '@sotto/engine/views';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Bar } from '../../ui/bar.tsx';
import { Button } from '../../ui/button.tsx';
import { answerWords } from './answer-words.ts';
import './words.ts';

const wordsOf = ({ answer, title }: JoinSnapshot): string => {
  const group = title === '' ? t('groups.noTitle') : title;
  return answer ? answerWords(answer, group) : t('groups.joinPending', { group });
};

/** What was asked of groups, and what came of it, until it is put away. */
export const Joins = () => {
  const engine = useEngine();
  const joins = useEnginePart('joins');
  return joins.map((join) => (
    <Bar
      key={join.group}
      actions={
        <Button look="quiet" onClick={() => void engine.forgetJoin(join.group).catch(() => undefined)}>
          {t(join.answer ? 'groups.understood' : 'groups.joinForget')}
        </Button>
      }
    >
      {wordsOf(join)}
    </Bar>
  ));
};
