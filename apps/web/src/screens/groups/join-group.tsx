import type { ConversationId } from '@sotto/contract/ids';
import { parseLink } from '@sotto/contract/link';
import type { GroupLink } from '@sotto/contract/link';
import type { LinkSnapshot } from '@sotto/engine/views';
import { useEffect, useState } from 'react';
import { Link, useLocation, useNavigate } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { answerWords } from './answer-words.ts';
import './join-group.css';
import './words.ts';

const Back = () => (
  <Link className="button button-plain" to="/" replace>
    {t('app.toChats')}
  </Link>
);

const problemOf = (error: unknown): string => {
  switch (codeOf(error)) {
    case 'unreachable':
      return t('groups.joinOffline');
    case 'too-many-members':
      return t('groups.joinFull');
    default:
      return explain(error);
  }
};

/** What the link shows; what went wrong with it; undefined while it is looked at. */
const useLook = (link: GroupLink, attempt: number) => {
  const engine = useEngine();
  const [seen, setSeen] = useState<{ shown: LinkSnapshot } | { failure: unknown }>();
  useEffect(() => {
    let current = true;
    setSeen(undefined);
    engine.lookAtGroupLink(link).then(
      (shown) => current && setSeen({ shown }),
      (failure: unknown) => current && setSeen({ failure }),
    );
    return () => {
      current = false;
    };
  }, [engine, link, attempt]);
  return seen;
};

const Shown = ({ link, shown }: { link: GroupLink; shown: LinkSnapshot }) => {
  const engine = useEngine();
  const joins = useEnginePart('joins');
  const conversations = useEnginePart('conversations');
  const navigate = useNavigate();
  const [working, setWorking] = useState(false);
  const [problem, setProblem] = useState<string>();
  const id = link.channel as unknown as ConversationId;
  const title = shown.title === '' ? t('groups.noTitle') : shown.title;
  const join = joins.find(({ group }) => group === id);
  const inside = conversations.some((entry) => entry.id === id && entry.group?.role !== undefined);
  const waits = join !== undefined && join.answer === undefined;

  useEffect(() => {
    if (inside) void navigate(`/c/${id}`, { replace: true });
  }, [inside, id, navigate]);

  const ask = async (): Promise<void> => {
    setWorking(true);
    setProblem(undefined);
    try {
      await engine.joinGroup(link);
    } catch (error) {
      setProblem(problemOf(error));
    }
    setWorking(false);
  };

  return (
    <Card title={t('groups.joinTitle', { group: title })}>
      <div className="join-group">
        <Avatar name={title} account={id} size="l" />
        <p className="page-quiet">{t('conversation.members', { count: shown.members })}</p>
      </div>
      <div role="status" className="join-group-state">
        {waits && <p>{t(shown.approval ? 'groups.joinWaits' : 'groups.joinComing')}</p>}
        {join?.answer && <p>{answerWords(join.answer, title)}</p>}
      </div>
      {!waits && !shown.full && <p>{t(shown.approval ? 'groups.joinAsks' : 'groups.joinOpen')}</p>}
      {!waits && shown.full && <p>{t('groups.joinFull')}</p>}
      <div role="alert">{problem !== undefined && <p className="card-problem">{problem}</p>}</div>
      {working && <Spinner label={t('groups.joinAsking')} />}
      {!shown.full && !shown.member && (!waits || problem !== undefined) && (
        <Button look="main" aria-disabled={working} onClick={() => !working && void ask()}>
          {t(shown.approval ? 'groups.joinAsk' : 'groups.join')}
        </Button>
      )}
      {waits && (
        <Button onClick={() => void engine.forgetJoin(id).catch(() => undefined)}>
          {t('groups.joinForget')}
        </Button>
      )}
      <Back />
    </Card>
  );
};

const Looking = ({ link }: { link: GroupLink }) => {
  const [attempt, setAttempt] = useState(0);
  const seen = useLook(link, attempt);
  if (seen === undefined)
    return (
      <main className="app-center">
        <Spinner label={t('groups.joinLooking')} />
      </main>
    );
  if ('shown' in seen) return <Shown link={link} shown={seen.shown} />;
  return (
    <Card title={t('groups.joinFailed')}>
      <p role="alert">{problemOf(seen.failure)}</p>
      {codeOf(seen.failure) === 'unreachable' && (
        <Button look="main" onClick={() => setAttempt((before) => before + 1)}>
          {t('app.again')}
        </Button>
      )}
      <Back />
    </Card>
  );
};

/** A link into a group, opened by somebody who has an account. */
export const JoinGroup = () => {
  const { pathname } = useLocation();
  const [link, setLink] = useState<{ of: string; group: GroupLink | undefined }>();
  // The same object while the address is, so that it is looked at once.
  if (link?.of !== pathname) setLink({ of: pathname, group: parseLink(pathname)?.group });
  if (link === undefined) return null;
  if (!link.group)
    return (
      <Card title={t('people.linkIncomplete')}>
        <p>{t('people.linkIncompleteDo')}</p>
        <Back />
      </Card>
    );
  return <Looking key={link.of} link={link.group} />;
};
