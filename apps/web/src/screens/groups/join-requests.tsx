import type { ConversationId } from '@sotto/contract/ids';
import type { HistoryChoice } from '@sotto/engine/rows';
import type { GroupSnapshot } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { momentTime } from '../../app/times.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';
import { personName } from '../conversation/names.ts';
import { Ask } from './group-dialogs.tsx';
import { History } from './history-choice.tsx';
import './join-requests.css';

type Request = GroupSnapshot['requests'][number];

interface JoinRequestsProps {
  id: ConversationId;
  requests: readonly Request[];
  busy: boolean;
  run(work: () => Promise<unknown>): Promise<void>;
}

const LetIn = ({ id, request, onClose }: { id: ConversationId; request: Request; onClose(): void }) => {
  const engine = useEngine();
  const [history, setHistory] = useState<HistoryChoice>('none');
  const name = personName(request.person);
  return (
    <Ask
      title={t('groups.letInTitle', { name })}
      action={t('groups.letIn')}
      work={() => engine.answerRequest(id, request.id, { accept: true, history })}
      onClose={onClose}
    >
      <p>{t('groups.letInSays')}</p>
      <History value={history} onChange={setHistory} />
    </Ask>
  );
};

/** Who asks by the link to be let in: for admins. */
export const JoinRequests = ({ id, requests, busy, run }: JoinRequestsProps) => {
  const engine = useEngine();
  const [asked, setAsked] = useState<string>();
  const shown = requests.find((request) => request.id === asked);
  // Another admin has answered it, or it was taken back.
  if (asked !== undefined && !shown) setAsked(undefined);
  if (requests.length === 0) return null;
  return (
    <Section title={t('groups.requests', { count: requests.length })}>
      <ul className="join-requests">
        {requests.map((request) => {
          const { person, time, before } = request;
          const name = personName(person);
          return (
            <li key={request.id} className="join-request">
              <Avatar name={name} account={person.account} size="s" />
              <span className="join-request-words">
                <bdi className="join-request-name">{name}</bdi>
                <span className="page-quiet">
                  <bdi dir="ltr">@{person.handle}</bdi> · {momentTime(time)}
                </span>
                {before && <span className="page-quiet">{t('groups.wasHere')}</span>}
              </span>
              <span className="join-request-actions">
                <Button
                  disabled={busy}
                  aria-label={t('groups.refuseName', { name })}
                  onClick={() => void run(() => engine.answerRequest(id, request.id, { accept: false }))}
                >
                  {t('groups.refuse')}
                </Button>
                <Button
                  look="main"
                  disabled={busy}
                  aria-label={t('groups.letInName', { name })}
                  onClick={() => setAsked(request.id)}
                >
                  {t('groups.letIn')}
                </Button>
              </span>
            </li>
          );
        })}
      </ul>
      {shown && (
        <LetIn
          key={shown.id}
          id={id}
          request={shown}
          onClose={() => setAsked((now) => (now === shown.id ? undefined : now))}
        />
      )}
    </Section>
  );
};
