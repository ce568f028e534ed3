import { Handle } from '@sotto/contract/ids';

export const HANDLE_RULE =
  '3 to 24 characters: a to z, 0 to 9 and _, a letter first. It cannot be changed later.';

const MIN = 3;
const MAX = 24;

/** As typed, without what can be put right silently: an @ in front and capital letters. */
export const tidyHandle = (typed: string): string => typed.replace(/^@+/, '').toLowerCase();

/** What is wrong with a handle so far; undefined for a good one, and for an empty or merely short one. */
export const handleProblem = (handle: string): string | undefined => {
  if (handle === '') return undefined;
  if (/\s/.test(handle)) return 'A handle has no spaces. Use _ instead.';
  if (!/^[a-z]/.test(handle)) return 'A handle begins with a letter from a to z.';
  const odd = /[^a-z0-9_]/u.exec(handle);
  if (odd) return `“${odd[0]}” cannot be in a handle. Use a to z, 0 to 9 and _.`;
  if (handle.length > MAX) return `A handle has at most ${MAX} characters; this one has ${handle.length}.`;
  return undefined;
};

/** What is wrong with a handle that somebody wants to use as it is. */
export const finalHandleProblem = (handle: string): string | undefined => {
  if (handle === '') return 'Choose a handle.';
  return (
    handleProblem(handle) ?? (handle.length < MIN ? `A handle has at least ${MIN} characters.` : undefined)
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
