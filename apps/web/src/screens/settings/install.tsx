import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { install, installOffer, isInstalled } from '../../platform/install.ts';
import { Button } from '../../ui/button.tsx';
import { Section } from '../../ui/page.tsx';

/** The app as one of the system's own. */
export const Install = () => {
  const offer = useView(installOffer);
  if (offer === undefined && !isInstalled()) return null;
  return (
    <Section title={t('settings.install')}>
      <p>{t(isInstalled() ? 'settings.installed' : 'chats.installSays')}</p>
      {offer === 'steps' && (
        <>
          <p>{t('settings.installEmpty')}</p>
          <ol className="settings-steps">
            <li>{t('welcome.installShare')}</li>
            <li>{t('welcome.installAdd')}</li>
            <li>{t('settings.installAnew')}</li>
          </ol>
        </>
      )}
      {offer === 'prompt' && (
        <div>
          <Button onClick={() => void install()}>{t('chats.install')}</Button>
        </div>
      )}
    </Section>
  );
};
