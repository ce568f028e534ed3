import type { ConversationSummary } from '@sotto/engine/views';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { useNavigate } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { RequestActions } from '../requests/request-actions.tsx';

interface NoticeProps {
  title: string;
  children: ReactNode;
  action: string;
  work(): Promise<void>;
}

/** Stands where the field would be: nothing is sent until somebody has decided. */
const Notice = ({ title, children, action, work }: NoticeProps) => {
  const [problem, setProblem] = useState<string>();
  return (
    <section className="conversation-notice" aria-label={title}>
      <h2>{title}</h2>
      {children}
      {problem !== undefined && <p role="alert">{problem}</p>}
      <Button onClick={() => void work().catch((error: unknown) => setProblem(explain(error)))}>
        {action}
      </Button>
    </section>
  );
};

/** Why nothing can be written here as things are, and what to do about it; undefined where it can. */
export const noticeFor = (summary: ConversationSummary): ReactNode => {
  if (summary.request) return <Request summary={summary} />;
  if (summary.blocked) return <Blocked summary={summary} />;
  if (summary.stopped) return <Changed summary={summary} />;
  return undefined;
};

const Request = ({ summary: { id, peer } }: { summary: ConversationSummary }) => {
  const navigate = useNavigate();
  const title = t('conversation.requestTitle', { name: peer.name });
  return (
    <section className="conversation-notice" aria-label={title}>
      <h2>{title}</h2>
      <p>{t('conversation.requestSays', { handle: peer.handle })}</p>
      <RequestActions id={id} peer={peer} onGone={() => void navigate('/', { replace: true })} />
    </section>
  );
};

const Blocked = ({ summary: { id, peer } }: { summary: ConversationSummary }) => {
  const engine = useEngine();
  return (
    <Notice
      title={t('conversation.blockedTitle', { name: peer.name })}
      action={t('people.unblock')}
      work={() => engine.unblock(id)}
    >
      <p>{t('conversation.blockedSays')}</p>
    </Notice>
  );
};

const Changed = ({ summary: { id, peer } }: { summary: ConversationSummary }) => {
  const engine = useEngine();
  return (
    <Notice
      title={t('conversation.changedTitle', { name: peer.name })}
      action={t('conversation.changedGoOn')}
      work={() => engine.acceptIdentity(id)}
    >
      <p>{t('conversation.changedSays')}</p>
      <p>{t('conversation.changedDo', { name: peer.name })}</p>
    </Notice>
  );
};
