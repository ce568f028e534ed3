import { Handle } from '@sotto/contract/ids';
import type { InviteSecret } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { Link } from '@sotto/contract/link';
import { useRef, useState } from 'react';
import { Link as RouterLink } from 'react-router';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Field } from '../../ui/field.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { finalHandleProblem, handleProblem, suggestHandle, tidyHandle } from './handle.ts';
import { useJoin } from './use-join.ts';
import type { JoinState } from './use-join.ts';

const DAYS = LIMITS.inviteMs / (24 * 60 * 60 * 1000);

const REFUSED = {
  used: {
    title: 'welcome.usedTitle',
    says: 'welcome.usedSays',
  },
  expired: {
    title: 'welcome.expiredTitle',
    says: 'welcome.expiredSays',
  },
  unknown: {
    title: 'welcome.unknownTitle',
    says: 'welcome.unknownSays',
  },
} as const;

interface FormProps {
  state: JoinState;
  onSubmit(handle: Handle, name: string): void;
}

const JoinForm = ({ state, onSubmit }: FormProps) => {
  const { phase } = useEngineSnapshot();
  const [name, setName] = useState('');
  /** Undefined as long as the handle follows the name. */
  const [typed, setTyped] = useState<string>();
  const [asked, setAsked] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  const handleField = useRef<HTMLInputElement>(null);

  const handle = typed ?? suggestHandle(name);
  const working = state === 'working';
  const taken = typeof state === 'object' && 'taken' in state && state.taken === handle;
  const nameProblem =
    name.trim().length > LIMITS.nameCharacters
      ? t('welcome.nameLong', { most: LIMITS.nameCharacters })
      : asked && name.trim() === ''
        ? t('welcome.nameMissing')
        : undefined;
  const wrongHandle = asked ? finalHandleProblem(handle) : handleProblem(handle);

  const submit = (): void => {
    setAsked(true);
    const good = Handle.safeParse(handle);
    const called = name.trim();
    if (called === '' || called.length > LIMITS.nameCharacters) nameField.current?.focus();
    else if (!good.success) handleField.current?.focus();
    else if (!working) onSubmit(good.data, called);
  };
  return (
    <form
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Field
        ref={nameField}
        label={t('welcome.name')}
        hint={t('welcome.nameHint')}
        problem={nameProblem}
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="name"
        autoCapitalize="words"
        readOnly={working}
      />
      <Field
        ref={handleField}
        label={t('welcome.handle')}
        prefix="@"
        hint={t('welcome.handleRule')}
        problem={taken ? t('welcome.handleTaken', { handle }) : wrongHandle}
        value={handle}
        onChange={(event) => setTyped(tidyHandle(event.target.value))}
        autoComplete="username"
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        readOnly={working}
      />
      {typeof state === 'object' && 'failed' in state && (
        <p className="card-problem" role="alert">
          {state.failed}
        </p>
      )}
      <Button look="main" type="submit" aria-disabled={working}>
        {typeof state === 'object' && 'failed' in state ? t('app.again') : t('welcome.join')}
      </Button>
      <div className="join-progress">
        {working && (
          <Spinner label={phase === 'joining' ? t('welcome.tellingRelay') : t('welcome.makingKeys')} />
        )}
      </div>
      <p className="card-aside">{t('welcome.keysAside')}</p>
    </form>
  );
};

interface JoinProps {
  link: Link;
  invite: InviteSecret;
  onSubmit(): void;
}

export const Join = ({ link, invite: secret, onSubmit }: JoinProps) => {
  const { invite, join, check, submit } = useJoin(link, secret);
  if (invite === 'checking' || typeof invite === 'object') {
    return (
      <Card title={t('welcome.joinTitle')}>
        {link.contact && <p>{t('welcome.invitedBy', { handle: link.contact.handle })}</p>}
        {invite === 'checking' ? (
          <Spinner label={t('welcome.checking')} />
        ) : (
          <>
            <p className="card-problem" role="alert">
              {invite.failed}
            </p>
            <Button look="main" onClick={check}>
              {t('app.again')}
            </Button>
          </>
        )}
      </Card>
    );
  }
  if (invite !== 'open') {
    return (
      <Card title={t(REFUSED[invite].title)}>
        <p>{t(REFUSED[invite].says, { days: DAYS })}</p>
        <RouterLink className="button button-plain" to="/" replace>
          {t('welcome.otherInvite')}
        </RouterLink>
      </Card>
    );
  }
  return (
    <Card title={t('welcome.joinTitle')}>
      {link.contact && <p>{t('welcome.invitedBy', { handle: link.contact.handle })}</p>}
      <JoinForm
        state={join}
        onSubmit={(handle, name) => {
          onSubmit();
          submit(handle, name);
        }}
      />
    </Card>
  );
};
