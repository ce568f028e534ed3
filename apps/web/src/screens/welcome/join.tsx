import { Handle } from '@sotto/contract/ids';
import type { InviteSecret } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { Link } from '@sotto/contract/link';
import { useRef, useState } from 'react';
import { Link as RouterLink } from 'react-router';
import { useEngineSnapshot } from '../../app/engine-context.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Field } from '../../ui/field.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { HANDLE_RULE, finalHandleProblem, handleProblem, suggestHandle, tidyHandle } from './handle.ts';
import { useJoin } from './use-join.ts';
import type { JoinState } from './use-join.ts';

const DAYS = LIMITS.inviteMs / (24 * 60 * 60 * 1000);

const TEXT = {
  title: 'Join Sotto',
  invitedBy: (handle: string) => `@${handle} invited you.`,
  checking: 'Checking your invite',
  name: 'Your name',
  nameHint: 'What others see. Only the people you write with get it.',
  nameMissing: 'Say what you want to be called.',
  nameLong: `A name has at most ${LIMITS.nameCharacters} characters.`,
  handle: 'Handle',
  taken: (handle: string) => `@${handle} is taken. Choose another.`,
  go: 'Join',
  again: 'Try again',
  keys: 'Making your keys',
  relay: 'Telling the relay',
  aside: 'Your keys are made on this device and stay here. Whoever clears this browser’s data loses them.',
  other: 'Use another invite link',
};

const REFUSED = {
  used: {
    title: 'This invite has been used',
    says: 'An invite works once. Ask whoever sent it for a new one. If it was you who used it, open Sotto in the browser where you did.',
  },
  expired: {
    title: 'This invite has expired',
    says: `An invite works for ${DAYS} days. Ask whoever sent it for a new one.`,
  },
  unknown: {
    title: 'This invite is not known here',
    says: 'The relay at this address has never seen it. Check that the whole link was copied, or ask for a new one.',
  },
};

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
      ? TEXT.nameLong
      : asked && name.trim() === ''
        ? TEXT.nameMissing
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
        label={TEXT.name}
        hint={TEXT.nameHint}
        problem={nameProblem}
        value={name}
        onChange={(event) => setName(event.target.value)}
        autoComplete="name"
        autoCapitalize="words"
        readOnly={working}
      />
      <Field
        ref={handleField}
        label={TEXT.handle}
        prefix="@"
        hint={HANDLE_RULE}
        problem={taken ? TEXT.taken(handle) : wrongHandle}
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
        {typeof state === 'object' && 'failed' in state ? TEXT.again : TEXT.go}
      </Button>
      <div className="join-progress">
        {working && <Spinner label={phase === 'joining' ? TEXT.relay : TEXT.keys} />}
      </div>
      <p className="card-aside">{TEXT.aside}</p>
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
      <Card title={TEXT.title}>
        {link.contact && <p>{TEXT.invitedBy(link.contact.handle)}</p>}
        {invite === 'checking' ? (
          <Spinner label={TEXT.checking} />
        ) : (
          <>
            <p className="card-problem" role="alert">
              {invite.failed}
            </p>
            <Button look="main" onClick={check}>
              {TEXT.again}
            </Button>
          </>
        )}
      </Card>
    );
  }
  if (invite !== 'open') {
    return (
      <Card title={REFUSED[invite].title}>
        <p>{REFUSED[invite].says}</p>
        <RouterLink className="button button-plain" to="/" replace>
          {TEXT.other}
        </RouterLink>
      </Card>
    );
  }
  return (
    <Card title={TEXT.title}>
      {link.contact && <p>{TEXT.invitedBy(link.contact.handle)}</p>}
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
