import { parseLink } from '@sotto/contract/link';
import { startTransition, useEffect, useState } from 'react';
import { useLocation, useNavigate } from 'react-router';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { Card } from '../../ui/card.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { InviteField } from './invite-field.tsx';
import { Join } from './join.tsx';

const TEXT = {
  title: 'Sotto is by invitation',
  says: 'Ask someone who uses this relay for an invite link. Open it in this browser, or paste it here.',
  contactOnly:
    'The link you opened adds a contact. To write to them you need an account here, and for that an invite.',
  badLink: 'The link you opened is not complete. Ask for it again, or copy the whole of it.',
  finishing: 'Finishing your account',
  finishingSays: 'Your keys are made. The relay has yet to confirm your account; that goes on by itself.',
  finishingOffline: 'Waiting for network.',
};

/** The keys were made before the page was closed; the relay had not answered yet. */
const Finishing = () => {
  const { connection } = useEngineSnapshot();
  return (
    <Card title={TEXT.finishing}>
      <p>{TEXT.finishingSays}</p>
      <Spinner label={connection === 'offline' ? TEXT.finishingOffline : TEXT.finishing} />
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
    <Card title={TEXT.title}>
      {link && <p>{TEXT.contactOnly}</p>}
      {!link && pathname !== '/' && <p className="card-problem">{TEXT.badLink}</p>}
      <p>{TEXT.says}</p>
      <InviteField />
    </Card>
  );
};
