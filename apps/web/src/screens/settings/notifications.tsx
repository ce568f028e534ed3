import { useState } from 'react';
import { useView } from '../../app/use-view.ts';
import { t } from '../../i18n/i18n.ts';
import { installOffer } from '../../platform/install.ts';
import { askToNotify, canNotify, mayNotify } from '../../platform/notifications.ts';
import { preferences, setPreferences } from '../../platform/preferences.ts';
import { Section } from '../../ui/page.tsx';
import { Switch } from '../../ui/switch.tsx';

/** What the system shows of messages that come while nobody looks. */
export const Notifications = () => {
  const chosen = useView(preferences);
  const [refused, setRefused] = useState(false);
  const on = mayNotify();
  const isIos = useView(installOffer) === 'steps';

  const change = async (wanted: boolean): Promise<void> => {
    const allowed = wanted && (await askToNotify());
    setRefused(wanted && !allowed);
    setPreferences({ ...preferences.getSnapshot(), notifications: allowed });
  };

  return (
    <Section title={t('settings.notifications')}>
      {canNotify() ? (
        <>
          <Switch
            label={t('settings.notify')}
            hint={t('settings.notifyHint')}
            checked={on}
            onChange={(wanted) => void change(wanted)}
          />
          {on && (
            <>
              <Switch
                label={t('settings.previews')}
                hint={t('settings.previewsHint')}
                checked={chosen.previews}
                onChange={(previews) => setPreferences({ ...chosen, previews })}
              />
              <Switch
                label={t('settings.mentions')}
                hint={t('settings.mentionsHint')}
                checked={chosen.mentions}
                onChange={(mentions) => setPreferences({ ...chosen, mentions })}
              />
            </>
          )}
          <p className="settings-problem" role="alert">
            {refused && t('settings.notifyRefused')}
          </p>
        </>
      ) : (
        <p className="page-quiet">{t(isIos ? 'settings.notifyInstalled' : 'settings.notifyImpossible')}</p>
      )}
    </Section>
  );
};
