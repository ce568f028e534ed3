import { Handle } from '@sotto/contract/ids';
import { t } from '../../i18n/i18n.ts';

const MIN = 3;
const MAX = 24;

/** As typed, without what can be put right silently: an @ in front and capital letters. */
export const tidyHandle = (typed: string): string => typed.replace(/^@+/, '').toLowerCase();

/** What is wrong with a handle so far; undefined for a good one, and for an empty or merely short one. */
export const handleProblem = (handle: string): string | undefined => {
  if (handle === '') return undefined;
  if (/\s/.test(handle)) return t('welcome.handleSpaces');
  if (!/^[a-z]/.test(handle)) return t('welcome.handleBegins');
  const odd = /[^a-z0-9_]/u.exec(handle);
  if (odd) return t('welcome.handleOdd', { character: odd[0] });
  if (handle.length > MAX) return t('welcome.handleLong', { most: MAX, count: handle.length });
  return undefined;
};

/** What is wrong with a handle that somebody wants to use as it is. */
export const finalHandleProblem = (handle: string): string | undefined => {
  if (handle === '') return t('welcome.handleChoose');
  return (
    handleProblem(handle) ?? (handle.length < MIN ? t('welcome.handleShort', { least: MIN }) : undefined)
  );
};

/** A handle made from a name, or nothing where the name has too few letters that handles know. */
export const suggestHandle = (name: string): string => {
  const plain = name
    .replace(/ß/g, 'ss')
    .replace(/[øØ]/g, 'o')
    .replace(/[æÆ]/g, 'ae')
    .replace(/[łŁ]/g, 'l')
    .normalize('NFKD')
    .replace(/\p{Mark}/gu, '')
    .toLowerCase()
    .replace(/['’.]/g, '')
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^[^a-z]+/, '')
    .slice(0, MAX)
    .replace(/_+$/, '');
  return Handle.safeParse(plain).success ? plain : '';
};
