import type { ConversationId } from '@sotto/contract/ids';
import type { GroupSummary, Person } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { ConfirmBlock } from './confirm-block.tsx';
import './requests.css';

interface RequestActionsProps {
  id: ConversationId;
  peer: Person;
  /** It is a group: there is nobody to block. */
  group?: GroupSummary | undefined;
  /** It is gone from the list: deleted or blocked. */
  onGone?(): void;
}

/** What a stranger's request can be answered with. They hear of an acceptance alone. */
export const RequestActions = ({ id, peer, group, onGone }: RequestActionsProps) => {
  const engine = useEngine();
  const [asking, setAsking] = useState<'delete' | 'block'>();
  const [problem, setProblem] = useState<string>();
  const [working, setWorking] = useState(false);

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

  return (
    <div className="request-actions" aria-busy={working}>
      {problem !== undefined && <p role="alert">{problem}</p>}
      <Button look="main" disabled={working} onClick={() => void run(() => engine.accept(id))}>
        {t(group ? 'people.joinGroup' : 'people.accept')}
      </Button>
      <Button disabled={working} onClick={() => setAsking('delete')}>
        {t(group ? 'people.declineGroup' : 'people.deleteRequest')}
      </Button>
      {!group && (
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
          <p>
            {group?.stopped && t('people.declineStoppedSays')}
            {group && !group.stopped && t('people.declineGroupSays')}
            {!group && t('people.deleteRequestSays')}
          </p>
        </Confirm>
      )}
      {asking === 'block' && (
        <ConfirmBlock
          name={peer.name}
          onConfirm={() => void run(() => engine.block(id), onGone)}
          onClose={() => setAsking(undefined)}
        />
      )}
    </div>
  );
};
