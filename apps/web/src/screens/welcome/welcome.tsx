import { parseLink } from '@sotto/contract/link';
import { startTransition, useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { useEnginePart } from '../../app/engine-context.ts';
import { useView } from '../../app/use-view.ts';
import english from 'virtual:catalogue/en/welcome';
import { addEnglish, t } from '../../i18n/i18n.ts';
import { installOffer } from '../../platform/install.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { InstallFirst } from './install-first.tsx';
import { InviteField } from './invite-field.tsx';
import { Join } from './join.tsx';
import { useRelay } from './use-relay.ts';

addEnglish(english);

/** The keys were made before the page was closed; the relay had not answered yet. */
const Finishing = () => {
  const connection = useEnginePart('connection');
  return (
    <Card title={t('welcome.finishing')}>
      <p>{t('welcome.finishingSays')}</p>
      <Spinner label={connection === 'offline' ? t('welcome.finishingOffline') : t('welcome.finishing')} />
    </Card>
  );
};

/** From nothing to an account. `onDone` once there is one. */
export const Welcome = ({ onDone }: { onDone(): void }) => {
  const phase = useEnginePart('phase');
  const { pathname, search } = useLocation();
  const navigate = useNavigate();
  const { relay, ask } = useRelay();
  const isIos = useView(installOffer) === 'steps';
  const [submitted, setSubmitted] = useState(false);
  const wanted = /^\/(?:join|add|group)(?:\/|$)/.test(pathname);
  const link = wanted ? parseLink(pathname) : undefined;

  // What somebody came for, kept while an invite to the relay is looked for.
  const [next, setNext] = useState<string>();
  const here = pathname === '/share' ? pathname + search : link?.group ? pathname : undefined;
  if (here !== undefined && next !== here) setNext(here);

  useEffect(() => {
    if (phase !== 'ready') return;
    // With a contact in the link the way goes on through it, to the conversation with whoever invited.
    if (next !== undefined) void navigate(next, { replace: true });
    else if (!link?.contact) void navigate('/', { replace: true });
    startTransition(onDone);
  }, [phase, link?.contact, next, navigate, onDone]);

  if (phase === 'ready') return null;
  if (phase === 'joining' && !submitted) return <Finishing />;
  if (relay === 'asking') {
    return (
      <Card title={t('welcome.joinTitle')}>
        <Spinner label={t('welcome.asking')} />
      </Card>
    );
  }
  if ('failed' in relay) {
    return (
      <Card title={t('welcome.joinTitle')}>
        <p className="card-problem" role="alert">
          {relay.failed}
        </p>
        <Button look="main" onClick={ask}>
          {t('app.again')}
        </Button>
      </Card>
    );
  }
  const { demands } = relay;
  const mayJoin = !demands.invite || link?.invite !== undefined;
  // The way to a phone number leads out of the page.
  const note = next && (
    <p>
      {next.startsWith('/share')
        ? t(demands.phone ? 'welcome.shareAgain' : 'welcome.shareWaits')
        : t(demands.phone ? 'welcome.groupAgain' : 'welcome.groupOnly')}
    </p>
  );
  if (mayJoin && (link || !wanted)) {
    return (
      <Join
        key={pathname}
        link={link ?? {}}
        demands={demands}
        note={note}
        onSubmit={() => setSubmitted(true)}
      />
    );
  }
  return (
    <Card title={t(demands.invite ? 'welcome.title' : 'welcome.joinTitle')}>
      {note}
      {link && !link.group && <p>{t('welcome.contactOnly')}</p>}
      {!link && wanted && <p className="card-problem">{t('welcome.badLink')}</p>}
      {demands.invite && (
        <>
          {isIos && <InstallFirst />}
          <p>{t('welcome.says')}</p>
          <InviteField />
        </>
      )}
      {!demands.invite && (
        <Button look="main" onClick={() => void navigate('/', { replace: true })}>
          {t('welcome.joinWithout')}
        </Button>
      )}
    </Card>
  );
};
