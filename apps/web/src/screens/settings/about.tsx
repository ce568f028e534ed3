import { t } from '../../i18n/i18n.ts';
import { buildId } from '../../platform/build.ts';
import { Section } from '../../ui/page.tsx';

export const About = () => (
  <Section title={t('settings.about')}>
    <p>{t('settings.aboutSays')}</p>
    <dl className="settings-facts">
      <dt>{t('settings.relay')}</dt>
      <dd dir="ltr">{location.host}</dd>
      <dt>{t('settings.build')}</dt>
      <dd dir="ltr">{buildId()}</dd>
    </dl>
  </Section>
);
