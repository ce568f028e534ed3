import { Handle } from '@sotto/contract/ids';
import { parseLink } from '@sotto/contract/link';
import type { Link } from '@sotto/contract/link';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { useEngine } from '../../app/engine-context.ts';
import { codeOf, explain } from '../../app/failure.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { Field } from '../../ui/field.tsx';

const TEXT = {
  title: 'New chat',
  label: 'Handle or link',
  hint: 'Their handle, such as @ada, or a contact link that they sent you.',
  empty: 'Type a handle, or paste a link.',
  wrong: 'A handle has 3 to 24 characters: a to z, 0 to 9 and _.',
  linkWithoutContact: 'This link makes an account; it does not say whose contact it is.',
  missing: (handle: string) => `Nobody here is called @${handle}. Check the spelling, or invite them.`,
  missingLink: 'The account of this link is not on this relay.',
  yourself: 'That is you.',
  offline:
    'To find somebody the relay is needed, and it does not answer. Try again when you are back online.',
  go: 'Start chat',
  going: 'Looking',
  invite: 'Invite someone',
};

type Target = { handle: Handle } | NonNullable<Link['contact']>;

/** Who is meant, or why that cannot be told. */
const targetOf = (text: string): Target | { problem: string } => {
  const typed = text.trim();
  if (typed === '') return { problem: TEXT.empty };
  const link = parseLink(typed);
  if (link) return link.contact ?? { problem: TEXT.linkWithoutContact };
  const handle = Handle.safeParse(typed.replace(/^@/, '').toLowerCase());
  return handle.success ? { handle: handle.data } : { problem: TEXT.wrong };
};

const problemOf = (error: unknown, target: Target): string => {
  switch (codeOf(error)) {
    case 'not-found':
    case 'account-unknown':
      return 'account' in target ? TEXT.missingLink : TEXT.missing(target.handle);
    case 'yourself':
      return TEXT.yourself;
    case 'unreachable':
      return TEXT.offline;
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

  const submit = async (): Promise<void> => {
    const target = targetOf(text);
    if ('problem' in target) return setProblem(target.problem);
    setLooking(true);
    try {
      const id = await engine.addContact(target);
      onClose();
      void navigate(`/c/${id}`);
    } catch (error) {
      setLooking(false);
      setProblem(problemOf(error, target));
    }
  };

  return (
    <Dialog title={TEXT.title} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          if (!looking) void submit();
        }}
      >
        <Field
          label={TEXT.label}
          hint={TEXT.hint}
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
            {TEXT.invite}
          </Button>
          <Button look="main" type="submit" aria-disabled={looking}>
            {looking ? TEXT.going : TEXT.go}
          </Button>
        </div>
      </form>
    </Dialog>
  );
};
