import { Handle } from '@sotto/contract/ids';
import { formatLink, parseLink } from '@sotto/contract/link';
import type { Link } from '@sotto/contract/link';
import { useEffect, useRef, useState } from 'react';
import { useNavigate } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';
import { Scanner } from './scanner.tsx';

type Target = { handle: Handle } | NonNullable<Link['contact']>;

/** Who is meant, or why that cannot be told. */
const targetOf = (text: string): Target | { problem: string } => {
  const typed = text.trim();
  if (typed === '') return { problem: t('people.handleOrLinkEmpty') };
  const link = parseLink(typed);
  if (link) return link.contact ?? { problem: t('people.linkWithoutContact') };
  const handle = Handle.safeParse(typed.replace(/^@/, '').toLowerCase());
  return handle.success ? { handle: handle.data } : { problem: t('people.handleWrong') };
};

const problemOf = (error: unknown, target: Target): string => {
  switch (codeOf(error)) {
    case 'not-found':
    case 'account-unknown':
      return 'account' in target ? t('people.missingLink') : t('people.missing', { handle: target.handle });
    case 'yourself':
      return t('app.yourself');
    case 'unreachable':
      return t('people.findOffline');
    default:
      return explain(error);
  }
};

interface NewChatDialogProps {
  onClose(): void;
  onInvite(): void;
}

export const NewChatDialog = ({ onClose, onInvite }: NewChatDialogProps) => {
  const engine = useEngine();
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const [looking, setLooking] = useState(false);
  const [scanning, setScanning] = useState(false);
  /** False once somebody has gone on without what is being looked for. */
  const here = useRef(true);
  useEffect(() => {
    here.current = true;
    return () => {
      here.current = false;
    };
  }, []);

  const add = async (typed: string): Promise<void> => {
    const group = parseLink(typed)?.group;
    if (group) {
      onClose();
      void navigate(formatLink('', { group }).slice('/#'.length));
      return;
    }
    const target = targetOf(typed);
    if ('problem' in target) return setProblem(target.problem);
    setLooking(true);
    try {
      const id = await engine.addContact(target);
      if (!here.current) return;
      onClose();
      void navigate(`/c/${id}`);
    } catch (error) {
      setLooking(false);
      setProblem(problemOf(error, target));
    }
  };

  if (scanning) {
    return (
      <Dialog title={t('trust.scanLink')} onClose={onClose}>
        <Scanner
          says={t('trust.scanLinkSays')}
          problem={problem}
          onCode={(code) => void (looking || add(code))}
        />
        <div className="dialog-actions">
          <Button
            look="quiet"
            onClick={() => {
              setProblem(undefined);
              setScanning(false);
            }}
          >
            {t('trust.typeInstead')}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog title={t('people.newChat')} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!looking) void add(text);
        }}
      >
        <Field
          label={t('people.handleOrLink')}
          hint={t('people.handleOrLinkHint')}
          problem={problem}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setProblem(undefined);
          }}
          autoFocus
          autoComplete="off"
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
        />
        <div className="dialog-actions">
          <Button look="quiet" onClick={onInvite}>
            {t('people.invite')}
          </Button>
          <Button
            onClick={() => {
              setProblem(undefined);
              setScanning(true);
            }}
          >
            {t('trust.scanLink')}
          </Button>
          <Button look="main" type="submit" aria-disabled={looking}>
            {looking ? t('people.looking') : t('people.startChat')}
          </Button>
        </div>
      </form>
    </Dialog>
  );
};
