import { parseLink } from '@sotto/contract/link';
import { startTransition, useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Card } from '../../ui/card.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { InviteField } from './invite-field.tsx';
import { Join } from './join.tsx';

/** The keys were made before the page was closed; the relay had not answered yet. */
const Finishing = () => {
  const { connection } = useEngineSnapshot();
  return (
    <Card title={t('welcome.finishing')}>
      <p>{t('welcome.finishingSays')}</p>
      <Spinner label={connection === 'offline' ? t('welcome.finishingOffline') : t('welcome.finishing')} />
    </Card>
  );
};

/** From nothing to an account. `onDone` once there is one. */
export const Welcome = ({ onDone }: { onDone(): void }) => {
  const { phase } = useEngineSnapshot();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const [submitted, setSubmitted] = useState(false);
  const link = pathname === '/' ? undefined : parseLink(pathname);

  useEffect(() => {
    if (phase !== 'ready') return;
    // With a contact in the link the way goes on through it, to the conversation with whoever invited.
    if (!link?.contact) void navigate('/', { replace: true });
    startTransition(onDone);
  }, [phase, link?.contact, navigate, onDone]);

  if (phase === 'ready') return null;
  if (phase === 'joining' && !submitted) return <Finishing />;
  if (link?.invite !== undefined) {
    return <Join key={pathname} link={link} invite={link.invite} onSubmit={() => setSubmitted(true)} />;
  }
  return (
    <Card title={t('welcome.title')}>
      {link && <p>{t('welcome.contactOnly')}</p>}
      {!link && pathname !== '/' && <p className="card-problem">{t('welcome.badLink')}</p>}
      <p>{t('welcome.says')}</p>
      <InviteField />
    </Card>
  );
};
