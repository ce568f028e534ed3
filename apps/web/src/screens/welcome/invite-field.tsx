import { formatLink, parseLink } from '@sotto/contract/link';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';
import { Field } from '../../ui/field.tsx';

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
    if (text.trim() === '') setProblem(t('welcome.linkEmpty'));
    else if (!link) setProblem(t('welcome.linkWrong'));
    else if (link.invite === undefined && !link.group) setProblem(t('welcome.linkContact'));
    else if (host !== undefined) setProblem(t('welcome.linkElsewhere', { host }));
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
        label={t('welcome.linkLabel')}
        hint={t('welcome.linkHint')}
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
        {t('welcome.continue')}
      </Button>
    </form>
  );
};
