import type { AccountId, ConversationId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { randomId } from '@sotto/engine/random-id';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Page } from '../../ui/page.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { MemberPicker } from './member-picker.tsx';
import './new-group.css';
import './words.ts';

export const NewGroup = () => {
  const engine = useEngine();
  const phase = useEnginePart('phase');
  const navigate = useNavigate();
  // The same at every attempt: one that was half done is gone on with.
  const [id] = useState(() => randomId() as unknown as ConversationId);
  const [title, setTitle] = useState('');
  const [chosen, setChosen] = useState<ReadonlySet<AccountId>>(new Set());
  const [problem, setProblem] = useState<{ of: 'title' | 'all'; says: string }>();
  const [working, setWorking] = useState(false);

  const create = async (): Promise<void> => {
    if (title.trim() === '') return setProblem({ of: 'title', says: t('groups.nameMissing') });
    if (title.trim().length > LIMITS.nameCharacters)
      return setProblem({ of: 'title', says: t('app.badName') });
    setProblem(undefined);
    setWorking(true);
    try {
      await engine.createGroup({ id, title, members: [...chosen] });
      void navigate(`/c/${id}`, { replace: true });
    } catch (error) {
      setWorking(false);
      setProblem({
        of: 'all',
        says: codeOf(error) === 'unreachable' ? t('groups.offline') : explain(error),
      });
    }
  };

  return (
    <Page title={t('chats.newGroup')} back={t('conversation.back')}>
      <form
        className="new-group"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!working) void create();
        }}
      >
        <div className="new-group-name">
          <Avatar name={title.trim() === '' ? '?' : title} account={id} />
          <Field
            label={t('groups.name')}
            hint={t('groups.nameHint')}
            problem={problem?.of === 'title' ? problem.says : undefined}
            value={title}
            onChange={(event) => {
              setTitle(event.target.value);
              setProblem(undefined);
            }}
            autoFocus
            autoComplete="off"
          />
        </div>
        <MemberPicker chosen={chosen} onChange={setChosen} />
        <p className="about-problem" role="alert">
          {problem?.of === 'all' && problem.says}
        </p>
        {working && <Spinner label={t('groups.creating')} />}
        <Button look="main" type="submit" disabled={phase !== 'ready'} aria-disabled={working}>
          {t('groups.create')}
        </Button>
      </form>
    </Page>
  );
};
