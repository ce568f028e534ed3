import { formatLink, parseLink } from '@sotto/contract/link';
import { useEffect, useState } from 'react';
import { Link as RouterLink, useLocation, useNavigate } from 'react-router';
import { useEngine, useEnginePart } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { CopyButton } from '../../ui/copy-button.tsx';
import { Spinner } from '../../ui/spinner.tsx';

const Back = () => (
  <RouterLink className="button button-plain" to="/" replace>
    {t('app.toChats')}
  </RouterLink>
);

/** A link opened by somebody who has an account: takes its contact and goes on to the conversation. */
export const AddByLink = () => {
  const engine = useEngine();
  const me = useEnginePart('me');
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
      <Card title={t('people.ownLink')}>
        <p>{t('people.ownLinkSays')}</p>
        <CopyButton look="main" label={t('app.copyLink')} text={formatLink(location.origin, { contact })} />
        <Back />
      </Card>
    );
  }
  if (!contact) {
    const whole = parseLink(pathname) !== undefined;
    return (
      <Card title={whole ? t('people.inviteUnneeded') : t('people.linkIncomplete')}>
        <p>{whole ? t('people.inviteUnneededSays') : t('people.linkIncompleteDo')}</p>
        <Back />
      </Card>
    );
  }
  if (failure === undefined) {
    return (
      <main className="app-center">
        <Spinner label={t('people.adding', { handle: contact.handle })} />
      </main>
    );
  }
  const missing = ['not-found', 'account-unknown'].includes(codeOf(failure) ?? '');
  return (
    <Card title={t('people.addFailed', { handle: contact.handle })}>
      <p role="alert">{missing ? t('people.addMissing') : explain(failure)}</p>
      {!missing && (
        <Button look="main" onClick={() => setAttempt((before) => before + 1)}>
          {t('app.again')}
        </Button>
      )}
      <Back />
    </Card>
  );
};
