import { useView } from '../../app/use-view.ts';
import { LANGUAGES, t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { preferences, setPreferences, TEXT_SIZES, THEMES } from '../../platform/preferences.ts';
import type { Preferences } from '../../platform/preferences.ts';
import { Choice } from '../../ui/choice.tsx';
import { Section } from '../../ui/page.tsx';
import { Select } from '../../ui/select.tsx';

const THEME_WORDS: Record<Preferences['theme'], Key> = {
  system: 'settings.themeSystem',
  light: 'settings.themeLight',
  dark: 'settings.themeDark',
};

const SIZE_WORDS: Record<Preferences['textSize'], Key> = {
  normal: 'settings.sizeNormal',
  large: 'settings.sizeLarge',
  larger: 'settings.sizeLarger',
};

export const Appearance = () => {
  const chosen = useView(preferences);
  const { language: _, ...rest } = chosen;
  return (
    <Section title={t('settings.appearance')}>
      <Choice
        label={t('settings.theme')}
        options={THEMES.map((value) => ({ value, label: t(THEME_WORDS[value]) }))}
        value={chosen.theme}
        onChange={(theme) => setPreferences({ ...chosen, theme })}
      />
      <Choice
        label={t('settings.textSize')}
        options={TEXT_SIZES.map((value) => ({ value, label: t(SIZE_WORDS[value]) }))}
        value={chosen.textSize}
        onChange={(textSize) => setPreferences({ ...chosen, textSize })}
      />
      <Select
        label={t('settings.language')}
        value={chosen.language ?? ''}
        onChange={(language) => setPreferences(language === '' ? rest : { ...rest, language })}
        options={[
          { value: '', label: t('settings.languageBrowser') },
          ...Object.entries(LANGUAGES).map(([value, label]) => ({ value, label, lang: value })),
        ]}
      />
    </Section>
  );
};
