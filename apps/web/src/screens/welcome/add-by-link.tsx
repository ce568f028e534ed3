import { formatLink, parseLink } from '@sotto/contract/link';
import { useEffect, useState } from 'react';
import { Link as RouterLink, useLocation, useNavigate } from 'react-router';
import { useEngine, useEngineSnapshot } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Spinner } from '../../ui/spinner.tsx';

const TEXT = {
  adding: (handle: string) => `Adding @${handle}`,
  bad: 'This link is not complete',
  badSays: 'Ask for it again, or copy the whole of it.',
  unneeded: 'You have an account here already',
  unneededSays: 'This invite is for somebody who has none. It has not been used: pass it on to them.',
  own: 'This is your own link',
  ownSays: 'Send it to somebody: it lets them write to you.',
  copy: 'Copy link',
  failed: (handle: string) => `@${handle} could not be added`,
  missing: 'There is no such account on this relay. Ask for a new link.',
  again: 'Try again',
  back: 'To your chats',
};

const Back = () => (
  <RouterLink className="button button-plain" to="/" replace>
    {TEXT.back}
  </RouterLink>
);

/** A link opened by somebody who has an account: takes its contact and goes on to the conversation. */
export const AddByLink = () => {
  const engine = useEngine();
  const { me } = useEngineSnapshot();
  const { pathname } = useLocation();
  const navigate = useNavigate();
  const [failure, setFailure] = useState<unknown>();
  const [attempt, setAttempt] = useState(0);
  const contact = parseLink(pathname)?.contact;
  const own = contact !== undefined && contact.account === me?.account;

  useEffect(() => {
    let current = true;
    setFailure(undefined);
    const wanted = parseLink(pathname)?.contact;
    if (!wanted || own) return undefined;
    engine.addContact(wanted).then(
      (id) => current && navigate(`/c/${id}`, { replace: true }),
      (error: unknown) => current && setFailure(error ?? 'unknown'),
    );
    return () => {
      current = false;
    };
  }, [engine, pathname, own, navigate, attempt]);

  if (own) {
    return (
      <Card title={TEXT.own}>
        <p>{TEXT.ownSays}</p>
        <CopyButton look="main" label={TEXT.copy} text={formatLink(location.origin, { contact })} />
        <Back />
      </Card>
    );
  }
  if (!contact) {
    const whole = parseLink(pathname) !== undefined;
    return (
      <Card title={whole ? TEXT.unneeded : TEXT.bad}>
        <p>{whole ? TEXT.unneededSays : TEXT.badSays}</p>
        <Back />
      </Card>
    );
  }
  if (failure === undefined) {
    return (
      <main className="app-center">
        <Spinner label={TEXT.adding(contact.handle)} />
      </main>
    );
  }
  const missing = ['not-found', 'account-unknown'].includes(codeOf(failure) ?? '');
  return (
    <Card title={TEXT.failed(contact.handle)}>
      <p role="alert">{missing ? TEXT.missing : explain(failure)}</p>
      {!missing && (
        <Button look="main" onClick={() => setAttempt((before) => before + 1)}>
          {TEXT.again}
        </Button>
      )}
      <Back />
    </Card>
  );
};
