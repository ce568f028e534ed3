import { Handle } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { useRef, useState } from 'react';
import { useEnginePart } from '../../app/engine-context.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { finalHandleProblem, handleProblem, suggestHandle, tidyHandle } from './handle.ts';
import type { Details, JoinState } from './use-join.ts';

interface FormProps {
  state: JoinState;
  /** What was typed before. */
  initial: Details | undefined;
  /** The account is made next: nothing else is asked. */
  last: boolean;
  onSubmit(details: Details): void;
}

export const JoinForm = ({ state, initial, last, onSubmit }: FormProps) => {
  const phase = useEnginePart('phase');
  const [name, setName] = useState(initial?.name ?? '');
  /** Undefined as long as the handle follows the name. */
  const [typed, setTyped] = useState<string | undefined>(initial?.handle);
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
  const failed = typeof state === 'object' && 'failed' in state ? state.failed : undefined;

  const submit = (): void => {
    setAsked(true);
    const good = Handle.safeParse(handle);
    const called = name.trim();
    if (called === '' || called.length > LIMITS.nameCharacters) nameField.current?.focus();
    else if (!good.success) handleField.current?.focus();
    else if (!working) onSubmit({ handle: good.data, name: called });
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
      {failed !== undefined && (
        <p className="card-problem" role="alert">
          {failed}
        </p>
      )}
      <Button look="main" type="submit" aria-disabled={working}>
        {failed === undefined ? t(last ? 'welcome.join' : 'welcome.continue') : t('app.again')}
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
