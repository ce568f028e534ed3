import { LIMITS } from '@sotto/contract/limits';
import { formatLink, type Link } from '@sotto/contract/link';
import type { Verification } from '@sotto/contract/rest/accounts';
import type { ReactNode } from 'react';
import { useState } from 'react';
import { Link as RouterLink } from 'react-router';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { installOffer } from '../../platform/install.ts';
import { Button } from '../../ui/button.tsx';
import { Card } from '../../ui/card.tsx';
import { Spinner } from '../../ui/spinner.tsx';
import { EmailStep } from './email-step.tsx';
import { InstallFirst } from './install-first.tsx';
import { JoinForm } from './join-form.tsx';
import { PhoneStep } from './phone-step.tsx';
import { type Details, type InviteState, useInvite, useJoin } from './use-join.ts';
import type { Demands } from './use-relay.ts';

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

interface StepsProps {
  link: Link;
  demands: Demands;
  onInvite(state: InviteState): void;
  onSubmit(): void;
}

/** One question after the other; the account is made after the last, so that a wrong code is told where it was typed. */
const Steps = ({ link, demands, onInvite, onSubmit }: StepsProps) => {
  const { join, phone, typing, submit } = useJoin(link, onInvite);
  const [details, setDetails] = useState<Details>();
  const [email, setEmail] = useState<Verification['email']>();
  const [at, setAt] = useState<'details' | 'email'>('details');
  const refused = typeof join === 'object' && 'refused' in join ? join.refused : undefined;
  const isTaken = typeof join === 'object' && 'taken' in join;
  const step = isTaken ? 'details' : refused === 'email' ? 'email' : at;

  const go = (next: Details, proof: Verification['email']): void => {
    onSubmit();
    submit(next, proof);
  };

  if (demands.phone && !phone) return <PhoneStep link={link} again={refused === 'phone'} />;
  if (!details || step === 'details') {
    return (
      <JoinForm
        state={join}
        initial={details}
        last={!demands.email || email !== undefined}
        onSubmit={(next) => {
          const asks = demands.email && !email;
          setDetails(next);
          setAt(asks ? 'email' : 'details');
          if (asks) typing();
          else go(next, email);
        }}
      />
    );
  }
  return (
    <EmailStep
      state={join}
      onProof={(proof) => {
        setEmail(proof);
        setAt('email');
        go(details, proof);
      }}
      onBack={() => {
        setAt('details');
        setEmail(undefined);
        typing();
      }}
    />
  );
};

const Failed = ({ words, onAgain }: { words: string; onAgain(): void }) => (
  <>
    <p className="card-problem" role="alert">
      {words}
    </p>
    <Button look="main" onClick={onAgain}>
      {t('app.again')}
    </Button>
  </>
);

interface JoinProps {
  link: Link;
  demands: Demands;
  /** Stands above the questions. */
  note: ReactNode;
  onSubmit(): void;
}

export const Join = ({ link: given, demands, note, onSubmit }: JoinProps) => {
  // Where nobody needs an invite, an old one is no obstacle.
  const [{ invite: secret, ...rest }] = useState(given);
  const link: Link = demands.invite && secret !== undefined ? { ...rest, invite: secret } : rest;
  const { invite, setInvite, check } = useInvite(link);
  const isIos = useView(installOffer) === 'steps';
  const frame = (children: ReactNode) => (
    <Card title={t('welcome.joinTitle')}>
      {note}
      {link.contact && <p>{t('welcome.invitedBy', { handle: link.contact.handle })}</p>}
      {children}
    </Card>
  );
  if (invite === 'checking') return frame(<Spinner label={t('welcome.checking')} />);
  if (typeof invite === 'object') return frame(<Failed words={invite.failed} onAgain={check} />);
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
  return frame(
    <>
      {isIos && <InstallFirst link={formatLink(location.origin, given)} />}
      <Steps link={link} demands={demands} onInvite={setInvite} onSubmit={onSubmit} />
    </>,
  );
};
