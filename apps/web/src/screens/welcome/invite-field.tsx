import { formatLink, parseLink } from '@sotto/contract/link';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';

const TEXT = {
  label: 'Invite link',
  hint: 'It looks like https://…/#/join/…',
  go: 'Continue',
  empty: 'Paste the link first.',
  wrong: 'This is not an invite link. Copy the whole of it.',
  contactOnly: 'This link adds a contact. For an account you need an invite link, with /join/ in it.',
  elsewhere: (host: string) => `This invite is for another relay. Open it there: ${host}`,
};

/** The host that a pasted link leads to, when it is not this one. */
const foreignHost = (text: string): string | undefined => {
  const host = URL.canParse(text) ? new URL(text).host : '';
  return host === '' || host === location.host ? undefined : host;
};

export const InviteField = () => {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();

  const submit = (): void => {
    const link = parseLink(text);
    const host = foreignHost(text.trim());
    if (text.trim() === '') setProblem(TEXT.empty);
    else if (!link) setProblem(TEXT.wrong);
    else if (link.invite === undefined) setProblem(TEXT.contactOnly);
    else if (host !== undefined) setProblem(TEXT.elsewhere(host));
    else void navigate(formatLink('', link).slice('/#'.length));
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
        label={TEXT.label}
        hint={TEXT.hint}
        problem={problem}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setProblem(undefined);
        }}
        inputMode="url"
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      <Button look="main" type="submit">
        {TEXT.go}
      </Button>
    </form>
  );
};
