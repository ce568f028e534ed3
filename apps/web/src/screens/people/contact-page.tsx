import { formatLink } from '@sotto/contract/link';
import type { ConversationSummary, Person } from '@sotto/engine/views';
import { useState } from 'react';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { lastSeenWords } from '../../app/last-seen.ts';
import { useToday } from '../../app/use-today.ts';
import { t } from '../../i18n/i18n.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { VerifiedIcon } from '../../ui/icons.tsx';
import { Page, Section } from '../../ui/page.tsx';
import { QrCode } from '../../ui/qr-code.tsx';
import { ConfirmBlock } from '../requests/confirm-block.tsx';
import { ChatSettings } from './chat-settings.tsx';
import { VerifyDialog } from './verify-dialog.tsx';
import './about.css';
import './words.ts';

const Head = ({ summary: { peer, online, lastSeen } }: { summary: ConversationSummary }) => {
  const today = useToday();
  return (
    <div className="about-head">
      <Avatar name={peer.name} account={peer.account} size="l" />
      <h2>
        <bdi>{peer.name}</bdi>
      </h2>
      <p className="about-line">
        <bdi dir="ltr">@{peer.handle}</bdi>
        {peer.verified && (
          <span className="about-mark" data-sure="true">
            <VerifiedIcon />
            {t('conversation.verified')}
          </span>
        )}
      </p>
      {online && <p className="about-online">{t('conversation.online')}</p>}
      {!online && lastSeen !== undefined && <p className="page-quiet">{lastSeenWords(lastSeen, today)}</p>}
    </div>
  );
};

/** They are another since: what happened, what to do, and nothing is sent before that. */
const Changed = ({ peer, onAccept }: { peer: Person; onAccept(): void }) => (
  <section className="about-grave" aria-labelledby="about-changed">
    <h2 id="about-changed">{t('conversation.changedTitle', { name: peer.name })}</h2>
    <p>{t(peer.changed === 'forked' ? 'conversation.changedForked' : 'conversation.changedRecovered')}</p>
    <p>{t('conversation.changedDo', { name: peer.name })}</p>
    <Button onClick={onAccept}>{t('conversation.changedGoOn')}</Button>
  </section>
);

interface TrustProps {
  peer: Person;
  onCompare(): void;
  onTakeBack(): void;
}

const Trust = ({ peer, onCompare, onTakeBack }: TrustProps) => (
  <Section title={t('trust.title')}>
    <p>
      {peer.verified
        ? t('trust.verifiedSays', { name: peer.name })
        : t('trust.notVerifiedSays', { name: peer.name, handle: peer.handle })}
    </p>
    <div className="about-actions">
      <Button look={peer.verified ? 'plain' : 'main'} onClick={onCompare}>
        {t('trust.compare')}
      </Button>
      {peer.verified && (
        <Button look="quiet" onClick={onTakeBack}>
          {t('trust.takeBack')}
        </Button>
      )}
    </div>
  </Section>
);

const Shared = ({ peer, onCode }: { peer: Person; onCode(): void }) => {
  const link = linkOf(peer);
  return (
    <Section title={t('trust.share', { name: peer.name })}>
      <p className="page-quiet">{t('trust.shareSays', { name: peer.name })}</p>
      <div className="about-actions">
        <CopyButton label={t('app.copyLink')} text={link} />
        <Button onClick={onCode}>{t('trust.showCode')}</Button>
      </div>
    </Section>
  );
};

/** Without their delivery token: who gets it makes a request first. */
const linkOf = ({ handle, account }: Person): string =>
  formatLink(location.origin, { contact: { handle, account } });

type Over = 'compare' | 'code' | 'block';

/** One person: who they are, how sure that is, and what is set for the chat with them. */
export const ContactPage = ({ summary }: { summary: ConversationSummary }) => {
  const { id, peer, blocked, request } = summary;
  const engine = useEngine();
  const me = useEnginePart('me');
  const phase = useEnginePart('phase');
  const [over, setOver] = useState<Over>();
  const [problem, setProblem] = useState<string>();
  const alone = peer.account === me?.account;
  const run = (work: Promise<void>): void => {
    setProblem(undefined);
    work.catch((error: unknown) => setProblem(explain(error)));
  };
  const close = (): void => setOver(undefined);
  return (
    <Page
      title={alone ? t('chats.noteToSelf') : t('trust.contact')}
      back={t('trust.toChat')}
      backTo={`/c/${id}`}
    >
      <Head summary={summary} />
      {peer.changed && !alone && <Changed peer={peer} onAccept={() => run(engine.acceptIdentity(id))} />}
      {!alone && (
        <Trust
          peer={peer}
          onCompare={() => setOver('compare')}
          onTakeBack={() => run(engine.setVerified(id, false))}
        />
      )}
      <ChatSettings summary={summary} writable={phase === 'ready' && !blocked && !request} />
      {!alone && <Shared peer={peer} onCode={() => setOver('code')} />}
      <p className="about-problem" role="alert">
        {problem}
      </p>
      {!alone && (
        <div className="about-actions">
          {blocked ? (
            <Button onClick={() => run(engine.unblock(id))}>{t('people.unblock')}</Button>
          ) : (
            <Button className="about-danger" onClick={() => setOver('block')}>
              {t('trust.block', { name: peer.name })}
            </Button>
          )}
        </div>
      )}
      {over === 'compare' && <VerifyDialog id={id} peer={peer} onClose={close} />}
      {over === 'code' && (
        <Dialog title={t('trust.share', { name: peer.name })} onClose={close}>
          <QrCode text={linkOf(peer)} label={t('trust.codeOf', { name: peer.name })} />
        </Dialog>
      )}
      {over === 'block' && (
        <ConfirmBlock name={peer.name} onConfirm={() => run(engine.block(id))} onClose={close} />
      )}
    </Page>
  );
};
