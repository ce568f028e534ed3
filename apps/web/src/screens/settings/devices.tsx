import { useEngineSnapshot } from '../../app/engine-context.ts';
import { dateTime } from '../../app/times.ts';
import { t } from '../../i18n/i18n.ts';
import { Section } from '../../ui/page.tsx';

/** Of one's own account. */
export const Devices = () => {
  const { devices } = useEngineSnapshot();
  return (
    <Section title={t('settings.devices')}>
      <ul className="settings-list">
        {devices.map(({ device, current, since, trouble }) => (
          <li key={device} className="settings-row">
            <span className="settings-names">
              <span>{t(current ? 'settings.thisDevice' : 'settings.otherDevice')}</span>
              <span className="page-quiet">
                {since === 0 ? t('settings.firstDevice') : t('settings.since', { date: dateTime(since) })}
              </span>
              {trouble !== undefined && (
                <span className="settings-problem">{t('settings.deviceTrouble')}</span>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
};
