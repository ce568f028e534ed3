import type { ConversationId, MessageId } from '@sotto/contract/ids';
import { randomId } from '@sotto/engine/random-id';
import type { Person } from '@sotto/engine/views';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import { useEngine, useEngineSnapshot } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { readDraft, writeDraft } from '../../platform/drafts.ts';
import { isTouch } from '../../platform/attention.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { IconButton } from '../../ui/button.tsx';
import { BackIcon, InfoIcon, VerifiedIcon } from '../../ui/icons.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { Composer } from './composer.tsx';
import { MessageList } from './message-list.tsx';
import { Missing } from './missing.tsx';
import { PeerDialog } from './peer-dialog.tsx';
import { useConversation } from './use-conversation.ts';
import './conversation.css';

const TEXT = {
  back: 'Back to chats',
  about: (name: string) => `About ${name}`,
  verified: 'Verified',
  opening: 'Opening the conversation',
  removed: 'This device was removed: it can read, but not write.',
  notStored: (why: string) => `Not sent; your text is kept here. ${why}`,
};

const Head = ({ peer }: { peer: Person }) => {
  const [about, setAbout] = useState(false);
  const heading = useRef<HTMLHeadingElement>(null);
  // Where nothing else takes focus, a screen reader goes on at the name.
  useEffect(() => {
    if (isTouch()) heading.current?.focus({ preventScroll: true });
  }, []);
  return (
    <header className="conversation-head">
      <Link className="icon-button conversation-back" to="/" aria-label={TEXT.back} title={TEXT.back}>
        <BackIcon />
      </Link>
      <Avatar name={peer.name} account={peer.account} size="s" />
      <div className="conversation-peer">
        <h1 ref={heading} tabIndex={-1}>
          <bdi>{peer.name}</bdi>
        </h1>
        <p className="conversation-handle">
          <bdi dir="ltr">@{peer.handle}</bdi>
          {peer.verified && (
            <span className="conversation-verified">
              <VerifiedIcon />
              {TEXT.verified}
            </span>
          )}
        </p>
      </div>
      <IconButton label={TEXT.about(peer.name)} aria-haspopup="dialog" onClick={() => setAbout(true)}>
        <InfoIcon />
      </IconButton>
      {about && <PeerDialog peer={peer} onClose={() => setAbout(false)} />}
    </header>
  );
};

/** The field's text, kept beyond this screen, and what became of sending it. */
const useDraft = (id: ConversationId) => {
  const engine = useEngine();
  const [text, setText] = useState(() => readDraft(id));
  const [problem, setProblem] = useState<string>();

  const change = useCallback(
    (next: string): void => {
      setText(next);
      setProblem(undefined);
      writeDraft(id, next);
    },
    [id],
  );

  /** The field is free at once; what cannot be stored comes back, before anything typed since. */
  const send = (whole: string): void => {
    change('');
    engine.send(id, whole, { id: randomId() as MessageId }).catch((error: unknown) => {
      const since = readDraft(id);
      change(since === '' ? whole : `${whole}\n${since}`);
      setProblem(TEXT.notStored(explain(error)));
    });
  };

  /** A message that failed comes back into the field, after what is being written. */
  const takeBack = useCallback(
    (old: string): void => {
      const now = readDraft(id);
      change(now === '' ? old : `${now}\n${old}`);
    },
    [id, change],
  );
  return { text, problem, change, send, takeBack };
};

export const Conversation = ({ id }: { id: ConversationId }) => {
  const opened = useConversation(id);
  const { conversations, phase } = useEngineSnapshot();
  const summary = conversations.find((conversation) => conversation.id === id);
  const { text, problem, change, send, takeBack } = useDraft(id);

  if (opened === 'missing' || !summary) return <Missing />;
  return (
    <div className="conversation">
      <Head peer={summary.peer} />
      {typeof opened === 'object' && 'view' in opened ? (
        <MessageList id={id} view={opened.view} unread={summary.unread} onTakeBack={takeBack} />
      ) : (
        <div className="conversation-wait">
          {opened === 'opening' ? <Spinner label={TEXT.opening} /> : <p role="alert">{opened.failed}</p>}
        </div>
      )}
      {phase === 'removed' ? (
        <p className="conversation-silent">{TEXT.removed}</p>
      ) : (
        <Composer text={text} problem={problem} onChange={change} onSend={send} />
      )}
    </div>
  );
};
