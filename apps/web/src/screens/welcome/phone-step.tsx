import { formatLink, type Link } from '@sotto/contract/link';
import { t } from '../../i18n/i18n.ts';
import { Button } from '../../ui/button.tsx';

/** Leads to the page of the phone number, which comes back here. That page alone loads what Google needs. */
export const PhoneStep = ({ link, again }: { link: Link; again: boolean }) => (
  <>
    {again && (
      <p className="card-problem" role="alert">
        {t('welcome.phoneStale')}
      </p>
    )}
    <p>{t('welcome.phoneSays')}</p>
    <Button
      look="main"
      onClick={() => {
        const back =
          link.invite === undefined && !link.contact ? '' : formatLink('', link).slice('/#'.length);
        location.assign(`/phone.html#${back}`);
      }}
    >
      {t('welcome.phoneGo')}
    </Button>
    <p className="card-aside">{t('welcome.phoneAside')}</p>
  </>
);
