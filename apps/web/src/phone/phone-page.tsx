import { RelayResponse } from '@sotto/contract/rest/relay';
import { createHttp } from '@sotto/transport/http';
import { useEffect, useRef, useState } from 'react';
import { explain } from '../app/failure.ts';
import { t } from '../i18n/i18n.ts';
import type { Key } from '../i18n/keys.ts';
import { leavePhoneProof } from '../platform/phone-proof.ts';
import { CodeForm } from '../screens/welcome/code-form.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Field } from '../ui/field.tsx';
import { Spinner } from '../ui/spinner.tsx';
import { createSender, type PhoneSettings, type SentCode } from './sign-in.ts';

const WORDS: Record<string, Key> = {
  'auth/invalid-phone-number': 'welcome.phoneWrong',
  'auth/missing-phone-number': 'welcome.phoneWrong',
  'auth/invalid-verification-code': 'welcome.phoneCodeWrong',
  'auth/missing-verification-code': 'welcome.phoneCodeWrong',
  'auth/code-expired': 'welcome.codeLate',
  'auth/too-many-requests': 'welcome.phoneTooMany',
  'auth/quota-exceeded': 'welcome.phoneTooMany',
  'auth/network-request-failed': 'welcome.phoneNetwork',
  'auth/captcha-check-failed': 'welcome.phoneCaptcha',
};
/** After these no code of the same message is taken any more. */
const OVER = ['auth/code-expired', 'auth/too-many-requests'];

const codeOf = (error: unknown): string => (error as { code?: string } | null)?.code ?? '';

const explainPhone = (error: unknown): string => t(WORDS[codeOf(error)] ?? 'welcome.phoneFailed');

/** As it is dialled from anywhere: a plus and digits. */
const tidyNumber = (typed: string): string =>
  typed
    .normalize('NFKC')
    .replace(/[^\d+]/g, '')
    .replace(/^00/, '+');

/** Back to where the account is made. */
const goBack = (): void => location.replace(`/#${location.hash.slice(1) || '/'}`);

const useSettings = () => {
  const [settings, setSettings] = useState<PhoneSettings | { failed: string }>();
  useEffect(() => {
    createHttp(location.origin)({ method: 'GET', path: '/v1/relay', answer: RelayResponse }).then(
      ({ registration: { phone } }) => (phone ? setSettings(phone) : goBack()),
      (error: unknown) => setSettings({ failed: explain(error) }),
    );
  }, []);
  return settings;
};

interface Sent extends SentCode {
  number: string;
  at: number;
}

export const PhonePage = () => {
  const settings = useSettings();
  const place = useRef<HTMLDivElement>(null);
  const sender = useRef<ReturnType<typeof createSender>>(undefined);
  const [number, setNumber] = useState('');
  const [sent, setSent] = useState<Sent>();
  const [working, setWorking] = useState(false);
  /** Of sending, and of the code that was tried. */
  const [problem, setProblem] = useState<string>();
  const [wrong, setWrong] = useState<string>();
  const [over, setOver] = useState(false);

  const send = async (to: string): Promise<void> => {
    if (working || !settings || 'failed' in settings) return;
    if (!/^\+\d{6,15}$/.test(to)) return setProblem(t('welcome.phoneWrong'));
    setWorking(true);
    setProblem(undefined);
    try {
      sender.current ??= createSender(settings, place.current!);
      setSent({ ...(await sender.current.send(to)), number: to, at: Date.now() });
      setOver(false);
    } catch (error) {
      setProblem(explainPhone(error));
    }
    setWorking(false);
  };

  const confirm = async ({ confirm: by }: Sent, code: string): Promise<void> => {
    setWorking(true);
    setProblem(undefined);
    setWrong(undefined);
    try {
      leavePhoneProof({ token: await by(code) });
      goBack();
    } catch (error) {
      setWrong(explainPhone(error));
      setOver(OVER.includes(codeOf(error)));
      setWorking(false);
    }
  };

  const body = () => {
    if (!settings) return <Spinner label={t('welcome.asking')} />;
    if ('failed' in settings) {
      return (
        <>
          <p className="card-problem" role="alert">
            {settings.failed}
          </p>
          <Button look="main" onClick={() => location.reload()}>
            {t('app.again')}
          </Button>
        </>
      );
    }
    if (sent) {
      return (
        <CodeForm
          key={sent.at}
          says={t('welcome.codeTexted', { to: sent.number })}
          sentAt={sent.at}
          problem={wrong}
          notice={problem}
          over={over}
          working={working}
          action={t('welcome.continue')}
          onCode={(code) => void confirm(sent, code)}
          onResend={() => void send(sent.number)}
          other={t('welcome.phoneOther')}
          onOther={() => {
            setSent(undefined);
            setProblem(undefined);
          }}
        />
      );
    }
    return (
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void send(tidyNumber(number));
        }}
      >
        <Field
          label={t('welcome.phone')}
          hint={t('welcome.phoneHint')}
          problem={problem}
          value={number}
          onChange={(event) => {
            setNumber(event.target.value);
            setProblem(undefined);
          }}
          type="tel"
          inputMode="tel"
          autoComplete="tel"
          dir="ltr"
          readOnly={working}
          autoFocus
        />
        <Button look="main" type="submit" aria-disabled={working}>
          {t('welcome.sendCode')}
        </Button>
        <Button look="quiet" onClick={goBack}>
          {t('welcome.stepBack')}
        </Button>
      </form>
    );
  };

  return (
    <Card title={t('welcome.phoneTitle')}>
      {body()}
      {working && <Spinner label={t(sent ? 'welcome.checkingCode' : 'welcome.sendingCode')} />}
      <p className="card-aside">{t('welcome.phoneAside')}</p>
      <div ref={place} />
    </Card>
  );
};
