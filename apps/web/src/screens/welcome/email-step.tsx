import { RelayError } from '@sotto/contract/errors';
import type { Verification } from '@sotto/contract/rest/accounts';
import { useState } from 'react';
import { useEngine } from '../../app/engine-context.ts';
import { explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { CodeForm } from './code-form.tsx';
import type { JoinState } from './use-join.ts';

/** As many wrong codes as the relay takes for one mail. */
const TRIES = 5;

interface Sent {
  address: string;
  request: string;
  at: number;
  /** In ms since 1970. */
  until: number;
}

const explainSending = (error: unknown): string => {
  if (!(error instanceof RelayError)) return explain(error);
  if (error.code === 'bad-request') return t('welcome.emailWrong');
  if (error.code !== 'too-many-requests') return explain(error);
  return t('welcome.codesTooMany', { minutes: Math.max(Math.ceil((error.retryAfter ?? 60) / 60), 1) });
};

/** Sends the codes and remembers the last. */
const useMail = () => {
  const engine = useEngine();
  const [sent, setSent] = useState<Sent>();
  const [sending, setSending] = useState(false);
  const [problem, setProblem] = useState<string>();
  const send = async (address: string): Promise<void> => {
    if (sending) return;
    setSending(true);
    setProblem(undefined);
    try {
      const { request, expiresIn } = await engine.mailCode(address);
      const at = Date.now();
      setSent({ address, request, at, until: at + expiresIn });
    } catch (error) {
      setProblem(explainSending(error));
    }
    setSending(false);
  };
  return { sent, sending, problem, send, setProblem, forget: () => setSent(undefined) };
};

interface EmailStepProps {
  state: JoinState;
  onProof(proof: NonNullable<Verification['email']>): void;
  onBack(): void;
}

/** An address, and the code that was mailed there. */
export const EmailStep = ({ state, onProof, onBack }: EmailStepProps) => {
  const { sent, sending, problem, send, setProblem, forget } = useMail();
  const [address, setAddress] = useState('');
  const [tries, setTries] = useState<{ request: string; count: number; late: boolean }>();
  const working = state === 'working';
  const refused = typeof state === 'object' && 'refused' in state;

  if (!sent) {
    return (
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (address.trim() === '') setProblem(t('welcome.emailMissing'));
          else void send(address.trim());
        }}
      >
        <p>{t('welcome.emailSays')}</p>
        <Field
          label={t('welcome.email')}
          hint={t('welcome.emailHint')}
          problem={problem ?? (refused && tries === undefined ? t('welcome.codeLate') : undefined)}
          value={address}
          onChange={(event) => {
            setAddress(event.target.value);
            setProblem(undefined);
          }}
          type="email"
          inputMode="email"
          autoComplete="email"
          autoCapitalize="none"
          spellCheck={false}
          dir="ltr"
          readOnly={sending}
          autoFocus
        />
        <Button look="main" type="submit" aria-disabled={sending}>
          {t('welcome.sendCode')}
        </Button>
        <Button look="quiet" onClick={onBack}>
          {t('welcome.stepBack')}
        </Button>
        {sending && <Spinner label={t('welcome.sendingCode')} />}
      </form>
    );
  }

  const wrong = tries?.request === sent.request ? tries.count : 0;
  const late = tries?.late === true;
  const over = refused && (wrong >= TRIES || late);
  const words = (): string | undefined => {
    if (typeof state === 'object' && 'failed' in state) return state.failed;
    if (!refused || wrong === 0) return undefined;
    if (late) return t('welcome.codeLate');
    return over ? t('welcome.codeTries') : t('welcome.codeWrong', { left: TRIES - wrong });
  };
  return (
    <>
      <CodeForm
        key={sent.request}
        says={t('welcome.codeMailed', { to: sent.address })}
        sentAt={sent.at}
        problem={words()}
        notice={problem}
        over={over}
        working={working || sending}
        action={t('welcome.join')}
        onCode={(code) => {
          setTries({ request: sent.request, count: wrong + 1, late: Date.now() > sent.until });
          onProof({ address: sent.address, request: sent.request, code });
        }}
        onResend={() => void send(sent.address)}
        other={t('welcome.emailOther')}
        onOther={forget}
      />
      {working && <Spinner label={t('welcome.tellingRelay')} />}
    </>
  );
};
