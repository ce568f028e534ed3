import type { GroupStop } from '@sotto/engine/rows';
import type { ConversationSummary, GroupSummary } from '@sotto/engine/views';
import { useState } from 'react';
import type { ReactNode } from 'react';
import { Link, useNavigate } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { Button } from '../../ui/button.tsx';
import { RequestActions } from '../requests/request-actions.tsx';
import { personName } from './names.ts';

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
  const { group } = summary;
  if (group && summary.request) return <GroupRequest summary={summary} group={group} />;
  if (group) return groupNotice(summary, group);
  if (summary.request) return <Request summary={summary} />;
  if (summary.blocked) return <Blocked summary={summary} />;
  if (summary.stopped) return <Changed summary={summary} />;
  return undefined;
};

const STOPS = {
  'group-fork': { title: 'conversation.forkTitle', says: 'conversation.forkSays' },
  'roster-mismatch': { title: 'conversation.rosterTitle', says: 'conversation.rosterSays' },
  'membership-invalid': { title: 'conversation.invalidTitle', says: 'conversation.invalidSays' },
} as const satisfies Record<GroupStop, { title: Key; says: Key }>;

const groupNotice = ({ id }: ConversationSummary, group: GroupSummary): ReactNode => {
  if (group.stopped) {
    const { title, says } = STOPS[group.stopped];
    return (
      <section className="conversation-notice" aria-label={t(title)} data-grave="true">
        <h2>{t(title)}</h2>
        <p>{t(says)}</p>
        <p>{t('conversation.stoppedDo')}</p>
        <Link className="button button-plain" to={`/about/${id}`}>
          {t('conversation.stoppedMembers')}
        </Link>
      </section>
    );
  }
  if (group.role === undefined) return <p className="conversation-silent">{t('conversation.notMember')}</p>;
  if (group.policy.adminsPost && group.role === 'member')
    return <p className="conversation-silent">{t('conversation.adminsOnly')}</p>;
  return undefined;
};

const GroupRequest = ({
  summary: { id, peer, addedBy: by },
  group,
}: {
  summary: ConversationSummary;
  group: GroupSummary;
}) => {
  const navigate = useNavigate();
  const title = t('conversation.groupRequestTitle', { group: peer.name });
  return (
    <section className="conversation-notice" aria-label={title}>
      <h2>{title}</h2>
      <p>
        {by && `${t('conversation.groupRequestBy', { name: personName(by), handle: by.handle })} `}
        {t('conversation.groupRequestSays', { count: group.members })}
      </p>
      <RequestActions
        id={id}
        peer={peer}
        group={group}
        addedBy={by}
        onGone={() => void navigate('/', { replace: true })}
      />
    </section>
  );
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
      <p>{t(peer.changed === 'forked' ? 'conversation.changedForked' : 'conversation.changedRecovered')}</p>
      <p>{t('conversation.changedDo', { name: peer.name })}</p>
    </Notice>
  );
};
