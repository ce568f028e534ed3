import { chooseLanguage, language, speak } from '../i18n/i18n.ts';
import { browserLanguages, preferences } from '../platform/preferences.ts';

const chosen = () => {
  const own = preferences.getSnapshot().language;
  return chooseLanguage(own === undefined ? browserLanguages() : [own]);
};

/**
 * Speaks the language that is set, or the browser's, from now on. Resolves when its words are there, or when they
 * cannot be had: then it stays with the one before.
 */
export const followLanguage = async (): Promise<void> => {
  const apply = (): void => {
    const { language: lang, direction } = language.getSnapshot();
    document.documentElement.lang = lang;
    document.documentElement.dir = direction;
  };
  const follow = async (): Promise<void> => {
    await speak(chosen(), browserLanguages()).catch(() => undefined);
    apply();
  };
  preferences.subscribe(() => {
    if (chosen() !== language.getSnapshot().language) void follow();
  });
  await follow();
};
