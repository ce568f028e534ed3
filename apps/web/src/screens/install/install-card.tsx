import { useState } from 'react';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { dismissInstall, install, installOffer, isInstallDismissed } from '../../platform/install.ts';
import { Button } from '../../ui/button.tsx';
import './install.css';

/** Offers once to install the app, to somebody who uses it. */
export const InstallCard = () => {
  const offer = useView(installOffer);
  const [dismissed, setDismissed] = useState(isInstallDismissed);
  if (offer !== 'prompt' || dismissed) return null;
  return (
    <section className="install-card" aria-label={t('chats.install')}>
      <p className="install-title">{t('chats.installTitle')}</p>
      <p className="install-says">{t('chats.installSays')}</p>
      <div className="install-actions">
        <Button onClick={() => void install()}>{t('chats.install')}</Button>
        <Button
          look="quiet"
          onClick={() => {
            dismissInstall();
            setDismissed(true);
          }}
        >
          {t('chats.installLater')}
        </Button>
      </div>
    </section>
  );
};
