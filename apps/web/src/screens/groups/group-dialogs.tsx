import type { AccountId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { HistoryChoice } from '@sotto/engine/rows';
import type { GroupSummary } from '@sotto/engine/views';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { codeOf, explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { History } from './history-choice.tsx';
import { MemberPicker } from './member-picker.tsx';

/** Why a change of the group was not made. */
export const groupProblem = (error: unknown): string =>
  codeOf(error) === 'unreachable' ? t('groups.offline') : explain(error);

interface AskProps {
  title: string;
  children: ReactNode;
  action: string;
  ready?: boolean;
  work(): Promise<void>;
  onClose(): void;
}

/** Asks, then stays until it is done: a change of a group needs the relay, and may take a while. */
export const Ask = ({ title, children, action, ready = true, work, onClose }: AskProps) => {
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const run = async (): Promise<void> => {
    setWorking(true);
    setProblem(undefined);
    try {
      await work();
      onClose();
    } catch (error) {
      setWorking(false);
      setProblem(groupProblem(error));
    }
  };
  return (
    <Dialog title={title} busy={working} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!working && ready) void run();
        }}
      >
        {children}
        <p className="about-problem" role="alert">
          {problem}
        </p>
        {working && <Spinner label={t('groups.working')} />}
        <div className="dialog-actions">
          <Button look="quiet" disabled={working} onClick={onClose}>
            {t('app.cancel')}
          </Button>
          <Button look="main" type="submit" disabled={!ready} aria-disabled={working}>
            {action}
          </Button>
        </div>
      </form>
    </Dialog>
  );
};

interface AddDialogProps {
  members: ReadonlySet<string>;
  onAdd(accounts: readonly AccountId[], history: HistoryChoice): Promise<void>;
  onClose(): void;
}

export const AddDialog = ({ members, onAdd, onClose }: AddDialogProps) => {
  const [chosen, setChosen] = useState<ReadonlySet<AccountId>>(new Set());
  const [history, setHistory] = useState<HistoryChoice>('none');
  return (
    <Ask
      title={t('groups.add')}
      action={t('groups.addAction')}
      ready={chosen.size > 0}
      work={() => onAdd([...chosen], history)}
      onClose={onClose}
    >
      <p>{t('groups.addSays')}</p>
      <MemberPicker without={members} chosen={chosen} onChange={setChosen} />
      <History value={history} onChange={setHistory} />
    </Ask>
  );
};

interface EditDialogProps {
  group: GroupSummary;
  onSave(title: string, description: string): Promise<void>;
  onClose(): void;
}

export const EditDialog = ({ group, onSave, onClose }: EditDialogProps) => {
  const [title, setTitle] = useState(group.title);
  const [description, setDescription] = useState(group.description ?? '');
  const isLong = description.trim().length > LIMITS.descriptionCharacters;
  const named = title.trim();
  const isNamed = named !== '' && named.length <= LIMITS.nameCharacters;
  return (
    <Ask
      title={t('groups.edit')}
      action={t('groups.save')}
      ready={isNamed && !isLong}
      work={() => onSave(named, description.trim())}
      onClose={onClose}
    >
      <Field
        label={t('groups.name')}
        value={title}
        problem={isNamed ? undefined : named === '' ? t('groups.nameMissing') : t('app.badName')}
        onChange={(event) => setTitle(event.target.value)}
        autoFocus
        autoComplete="off"
      />
      <Field
        label={t('groups.description')}
        hint={t('groups.descriptionHint')}
        problem={isLong ? t('groups.descriptionLong', { most: LIMITS.descriptionCharacters }) : undefined}
        value={description}
        onChange={(event) => setDescription(event.target.value)}
        autoComplete="off"
      />
    </Ask>
  );
};
