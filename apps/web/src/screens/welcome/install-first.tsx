import { t } from '../../i18n/i18n.ts';
import { CopyButton } from '../../ui/copy-button.tsx';
import './welcome.css';

/** On iOS an installed app has a store of its own: an account that is made in the browser is not in there. */
export const InstallFirst = ({ link }: { link?: string }) => (
  <details className="welcome-note">
    <summary>{t('welcome.installFirst')}</summary>
    <p>{t('welcome.installWhy')}</p>
    <ol>
      {link !== undefined && (
        <li>
          {t('welcome.installCopy')} <CopyButton text={link} label={t('app.copyLink')} />
        </li>
      )}
      <li>{t('welcome.installShare')}</li>
      <li>{t('welcome.installAdd')}</li>
      <li>{t('welcome.installOpen')}</li>
    </ol>
  </details>
);
