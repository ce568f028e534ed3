import type { ConversationSummary, ConversationView, GroupSummary } from '@sotto/engine/views';
import { Suspense, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { lastSeenWords } from '../../app/last-seen.ts';
import { useToday } from '../../app/use-today.ts';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { isTouch } from '../../platform/attention.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { IconButton } from '../../ui/button.tsx';
import { Coming } from '../../ui/coming.tsx';
import { Confirm } from '../../ui/confirm.tsx';
import { BackIcon, InfoIcon, MoreIcon, SearchIcon, TimerIcon, VerifiedIcon } from '../../ui/icons.tsx';
import { later } from '../../ui/later.ts';
import { Menu } from '../../ui/menu.tsx';
import { durationWords } from './durations.ts';
import { personName } from './names.ts';

const TimerDialog = later(() => import('./timer-dialog.tsx'), 'TimerDialog');

interface HeadProps {
  summary: ConversationSummary;
  /** Absent until the conversation is open. */
  view: ConversationView | undefined;
  /** The timer can be set here. */
  writable: boolean;
  onFailure(words: string): void;
  onSearch(): void;
}

const TimerMark = ({ view }: { view: ConversationView }) => {
  const { timer } = useView(view);
  if (timer === undefined) return undefined;
  const says = t('conversation.timerOn', { time: durationWords(timer) });
  return (
    <span className="conversation-timer" title={says}>
      <TimerIcon size={18} />
      <span className="sr-only">{says}</span>
    </span>
  );
};

/** Who writes, or how many there are. */
const GroupState = ({ group, view }: { group: GroupSummary; view: ConversationView | undefined }) => (
  <span className="conversation-members">
    {view && <Typing view={view} />}
    <span className="conversation-count">{t('conversation.members', { count: group.members })}</span>
  </span>
);

const Typing = ({ view }: { view: ConversationView }) => {
  const { typing, people } = useView(view);
  if (typing.length === 0) return null;
  const names = typing.slice(0, 2).map((account) => personName(people?.[account]));
  const [name = '', other = ''] = names;
  return (
    <span className="conversation-typing">
      {typing.length === 1
        ? t('conversation.typingOne', { name })
        : typing.length === 2
          ? t('conversation.typingTwo', { name, other })
          : t('conversation.typingMany', { count: typing.length })}
    </span>
  );
};

interface StateProps {
  summary: ConversationSummary;
  /** It is the note to self. */
  alone: boolean;
}

const State = ({ summary: { peer, typing, online, lastSeen }, alone }: StateProps) => {
  const today = useToday();
  if (typing.length > 0) return <span className="conversation-typing">{t('conversation.typing')}</span>;
  return (
    <>
      <bdi dir="ltr">@{peer.handle}</bdi>
      {online && <span className="conversation-online">{t('conversation.online')}</span>}
      {!online && lastSeen !== undefined && (
        <span className="conversation-seen">{lastSeenWords(lastSeen, today)}</span>
      )}
      {peer.verified && !alone && (
        <span className="conversation-verified">
          <VerifiedIcon />
          <span className="conversation-verified-word">{t('conversation.verified')}</span>
        </span>
      )}
    </>
  );
};

export const Head = ({ summary, view, writable, onFailure, onSearch }: HeadProps) => {
  const { id, peer, group } = summary;
  const engine = useEngine();
  const [shown, setShown] = useState<'timer' | 'block'>();
  const [menuAt, setMenuAt] = useState<Element>();
  const heading = useRef<HTMLHeadingElement>(null);
  // Where nothing else takes focus, a screen reader goes on at the name.
  useEffect(() => {
    if (isTouch()) heading.current?.focus({ preventScroll: true });
  }, []);
  const alone = peer.account === engine.getSnapshot().me?.account;
  const about = t('conversation.about', { name: peer.name });
  return (
    <header className="conversation-head">
      <Link
        className="icon-button conversation-back"
        to="/"
        aria-label={t('conversation.back')}
        title={t('conversation.back')}
      >
        <BackIcon />
      </Link>
      <Avatar name={peer.name} account={peer.account} size="s" />
      <div className="conversation-peer">
        <h1 ref={heading} tabIndex={-1} dir="auto">
          <bdi>{peer.name}</bdi>
        </h1>
        <p className="conversation-handle">
          {group ? <GroupState group={group} view={view} /> : <State summary={summary} alone={alone} />}
        </p>
      </div>
      {view && <TimerMark view={view} />}
      {view && (
        <IconButton
          className="conversation-search"
          label={t('writing.searchIn', { name: peer.name })}
          onClick={onSearch}
        >
          <SearchIcon />
        </IconButton>
      )}
      <Link className="icon-button" to={`/about/${id}`} aria-label={about} title={about}>
        <InfoIcon />
      </Link>
      {view && writable && (
        <IconButton
          className="conversation-more"
          label={t('conversation.menu')}
          aria-haspopup="menu"
          aria-expanded={menuAt !== undefined}
          onClick={(event) => setMenuAt(event.currentTarget)}
        >
          <MoreIcon />
        </IconButton>
      )}
      {menuAt && (
        <Menu
          label={t('conversation.menu')}
          place={menuAt}
          entries={[
            { label: t('writing.keySearchHere'), onChoose: () => setTimeout(onSearch) },
            { label: t('conversation.timerTitle'), onChoose: () => setShown('timer') },
            ...(alone || group
              ? []
              : [{ label: t('people.block'), grave: true, onChoose: () => setShown('block') }]),
          ]}
          onClose={() => setMenuAt(undefined)}
        />
      )}
      <Suspense fallback={<Coming />}>
        {view && shown === 'timer' && (
          <TimerDialog
            id={id}
            name={group ? undefined : peer.name}
            timer={view.getSnapshot().timer}
            onClose={() => setShown(undefined)}
          />
        )}
      </Suspense>
      {shown === 'block' && (
        <Confirm
          title={t('people.blockTitle', { name: peer.name })}
          action={t('people.block')}
          onConfirm={() => void engine.block(id).catch((error: unknown) => onFailure(explain(error)))}
          onClose={() => setShown(undefined)}
        >
          <p>{t('people.blockSays')}</p>
        </Confirm>
      )}
    </header>
  );
};
