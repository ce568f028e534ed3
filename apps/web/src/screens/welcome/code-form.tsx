import { useEffect, useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';
import './welcome.css';

/** In seconds: a code may take that long to arrive. */
const RESEND_S = 30;

/** As typed or pasted: the digits alone. */
const digits = (typed: string): string => typed.normalize('NFKC').replace(/\D/g, '').slice(0, 6);

/** Whole seconds until `time`. */
const useSecondsTo = (time: number): number => {
  const left = (): number => Math.max(Math.ceil((time - Date.now()) / 1000), 0);
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
    // oxlint-disable-next-line react-hooks/exhaustive-deps -- `left` follows from `time`
  }, [time]);
  return seconds;
};

interface CodeFormProps {
  /** Where the code went. */
  says: string;
  /** When it was sent, in ms since 1970. */
  sentAt: number;
  /** What is wrong with the code that was tried last. */
  problem: string | undefined;
  /** What is wrong beside that. */
  notice: string | undefined;
  /** It does not count any more: another has to be sent. */
  over: boolean;
  working: boolean;
  /** The last thing to do here. */
  action: string;
  onCode(code: string): void;
  onResend(): void;
  /** To another address or number. */
  other: string;
  onOther(): void;
}

/** Asks for the six digits that were sent. */
export const CodeForm = (props: CodeFormProps) => {
  const { says, sentAt, problem, notice, over, working, action, onCode, onResend, other, onOther } = props;
  const [code, setCode] = useState('');
  const [short, setShort] = useState(false);
  /** What was sent last: its problem is not that of the next. */
  const [tried, setTried] = useState<string>();
  const wait = useSecondsTo(sentAt + RESEND_S * 1000);
  const shown = short ? t('welcome.codeShort') : (notice ?? (over || tried === code ? problem : undefined));
  return (
    <form
      className="welcome-code"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        if (working || over) return;
        setShort(code.length < 6);
        if (code.length < 6) return;
        setTried(code);
        onCode(code);
      }}
    >
      <p>{says}</p>
      <Field
        label={t('welcome.code')}
        hint={t('welcome.codeHint')}
        problem={shown}
        value={code}
        onChange={(event) => {
          setCode(digits(event.target.value));
          setShort(false);
        }}
        inputMode="numeric"
        autoComplete="one-time-code"
        dir="ltr"
        readOnly={working}
        autoFocus
      />
      <Button look="main" type="submit" aria-disabled={working || over}>
        {action}
      </Button>
      <div className="welcome-more">
        <Button disabled={wait > 0 || working} onClick={onResend}>
          {wait > 0 ? t('welcome.resendIn', { seconds: wait }) : t('welcome.resend')}
        </Button>
        <Button look="quiet" disabled={working} onClick={onOther}>
          {other}
        </Button>
      </div>
    </form>
  );
};
