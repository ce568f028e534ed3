import './avatar.css';

const HUES = 6;

const initials = (name: string): string => {
  const words = name.split(/[\s_]+/u).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words.at(-1)] : [words[0]];
  return letters
    .map((word) => [...(word ?? '')][0] ?? '')
    .join('')
    .toLocaleUpperCase();
};

/** The color of an account: it stays when the name changes. */
export const hueOf = (account: string): number => {
  let sum = 0;
  for (const character of account) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return sum % HUES;
};

interface AvatarProps {
  name: string;
  /** Decides the color. */
  account: string;
  size?: 'l' | 'm' | 's' | 'xs';
}

/** Says nothing to a screen reader: the name always stands beside it. */
export const Avatar = ({ name, account, size = 'm' }: AvatarProps) => (
  <span className={`avatar avatar-${size}`} data-hue={hueOf(account)} aria-hidden="true">
    {initials(name)}
  </span>
);
