import type { ConversationId } from '@sotto/contract/ids';
import type { GroupSummary, Person } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { personName } from '../conversation/names.ts';
import { ConfirmBlock } from './confirm-block.tsx';
import './requests.css';

interface RequestActionsProps {
  id: ConversationId;
  peer: Person;
  /** It is a group, and who put this account into it: whom there is to block. */
  group?: GroupSummary | undefined;
  addedBy?: Person | undefined;
  /** It is gone from the list: deleted or blocked. */
  onGone?(): void;
}

const declining = ({ stopped }: GroupSummary): string =>
  t(stopped ? 'people.declineStoppedSays' : 'people.declineGroupSays');

/** What a stranger's request can be answered with. They hear of an acceptance alone. */
export const RequestActions = ({ id, peer, group, addedBy, onGone }: RequestActionsProps) => {
  const engine = useEngine();
  const [asking, setAsking] = useState<'delete' | 'block'>();
  const [problem, setProblem] = useState<string>();
  const [working, setWorking] = useState(false);
  const stranger = group ? addedBy : peer;

  const run = async (work: () => Promise<void>, then?: () => void): Promise<void> => {
    setWorking(true);
    setProblem(undefined);
    try {
      await work();
      then?.();
    } catch (error) {
      setProblem(explain(error));
    }
    setWorking(false);
  };

  const block = async ({ account }: Person): Promise<void> => {
    await engine.block(account);
    if (group) await engine.decline(id);
  };

  return (
    <div className="request-actions" aria-busy={working}>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <Button look="main" disabled={working} onClick={() => void run(() => engine.accept(id))}>
        {t(group ? 'people.joinGroup' : 'people.accept')}
      </Button>
      <Button disabled={working} onClick={() => setAsking('delete')}>
        {t(group ? 'people.declineGroup' : 'people.deleteRequest')}
      </Button>
      {stranger && (
        <Button disabled={working} onClick={() => setAsking('block')}>
          {t('people.block')}
        </Button>
      )}
      {asking === 'delete' && (
        <Confirm
          title={
            group
              ? t('people.declineGroupTitle', { group: peer.name })
              : t('people.deleteRequestTitle', { name: peer.name })
          }
          action={t(group ? 'people.declineGroup' : 'people.deleteRequest')}
          onConfirm={() => void run(() => engine.decline(id), onGone)}
          onClose={() => setAsking(undefined)}
        >
          <p>{group ? declining(group) : t('people.deleteRequestSays')}</p>
        </Confirm>
      )}
      {asking === 'block' && stranger && (
        <ConfirmBlock
          name={personName(stranger)}
          onConfirm={() => void run(() => block(stranger), onGone)}
          onClose={() => setAsking(undefined)}
        >
          {group && <p>{declining(group)}</p>}
        </ConfirmBlock>
      )}
    </div>
  );
};
