import type { ReactNode } from 'react';

interface IconProps {
  /** Pixels as long as text has its usual size; grows with it. */
  size?: number;
}

const scaled = (size: number): string => `${size / 16}rem`;

/** Decoration: whoever shows one names it. */
const Icon = ({ size = 24, children }: IconProps & { children: ReactNode }) => (
  <svg
    width={scaled(size)}
    height={scaled(size)}
    viewBox="0 0 24 24"
    fill="none"
    stroke="currentColor"
    strokeWidth="1.8"
    strokeLinecap="round"
    strokeLinejoin="round"
    aria-hidden="true"
    focusable="false"
  >
    {children}
  </svg>
);

export const CloseIcon = () => (
  <Icon size={22}>
    <path d="M6 6l12 12M18 6L6 18" />
  </Icon>
);

export const BackIcon = () => (
  <Icon>
    <path className="icon-directed" d="M15 5l-7 7 7 7" />
  </Icon>
);

export const SendIcon = () => (
  <Icon size={22}>
    <path d="M12 19V5M6 11l6-6 6 6" />
  </Icon>
);

export const PencilIcon = () => (
  <Icon size={22}>
    <path d="M4 20l1-4.5L16 4.5a2 2 0 0 1 2.8 0l.7.7a2 2 0 0 1 0 2.8L8.5 19z" />
    <path d="M14 6.5l3.5 3.5" />
  </Icon>
);

export const MenuIcon = () => (
  <Icon>
    <path d="M5 7h14M5 12h14M5 17h14" />
  </Icon>
);

export const InviteIcon = () => (
  <Icon size={20}>
    <circle cx="10" cy="8" r="3.5" />
    <path d="M3.5 19.5c.6-3.4 3.2-5.2 6.5-5.2 1.3 0 2.5.3 3.5.8M18 13v7M14.5 16.5h7" />
  </Icon>
);

export const VerifiedIcon = ({ size = 16 }: IconProps) => (
  <Icon size={size}>
    <path d="M12 3l7 2.5v5.8c0 4.4-2.9 7.7-7 9.7-4.1-2-7-5.3-7-9.7V5.5z" />
    <path d="M8.8 12l2.3 2.3 4.2-4.4" />
  </Icon>
);

export const DownIcon = () => (
  <Icon size={18}>
    <path d="M12 5v14M6 13l6 6 6-6" />
  </Icon>
);

/** The mark of the app: a bubble in which something is said in a low voice. */
export const SottoMark = ({ size = 56 }: IconProps) => (
  <svg width={scaled(size)} height={scaled(size)} viewBox="0 0 512 512" aria-hidden="true" focusable="false">
    <rect width="512" height="512" rx="116" fill="#0b6b69" />
    <path
      d="M256 118c-88 0-150 54-150 126 0 41 20 76 53 99v60c0 6 7 9 11 5l49-42c12 2 24 4 37 4 88 0 150-54 150-126s-62-126-150-126z"
      fill="#ffffff"
    />
    <path d="M192 268h128" stroke="#0b6b69" strokeWidth="26" strokeLinecap="round" />
  </svg>
);

export const InfoIcon = () => (
  <Icon size={22}>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M12 11v5M12 8v.1" />
  </Icon>
);

export const SearchIcon = () => (
  <Icon size={20}>
    <circle cx="11" cy="11" r="6.5" />
    <path d="M16 16l4.5 4.5" />
  </Icon>
);

export const MoreIcon = () => (
  <Icon size={20}>
    <path d="M12 6v.1M12 12v.1M12 18v.1" strokeWidth="2.6" />
  </Icon>
);

export const MutedIcon = () => (
  <Icon size={16}>
    <path d="M6 10a6 6 0 0 1 9.6-4.8M18 10c0 4 1.2 5.6 2 6.5H8M6.6 12.5C6.3 14.5 5.5 15.7 4.5 16.5h1M10 20h4M4 4l16 16" />
  </Icon>
);

export const PinIcon = () => (
  <Icon size={16}>
    <path d="M9 4h6l-.8 6 3.3 3.5H6.5L9.8 10zM12 13.5V20" />
  </Icon>
);

export const RequestIcon = () => (
  <Icon size={20}>
    <circle cx="9.50" cy="8" r="3.50" />
    <path d="M3 19.5c.6-3.4 3.2-5.2 6.5-5.2 1.900 0 3.5.6 4.7 1.7M18 9v4.5M18 17v.1" />
  </Icon>
);

export const FoldIcon = ({ open }: { open: boolean }) => (
  <Icon size={20}>
    {open ? <path d="M6 9l6 6 6-6" /> : <path className="icon-directed" d="M9 6l6 6-6 6" />}
  </Icon>
);

export const StarIcon = ({ size = 12 }: IconProps) => (
  <Icon size={size}>
    <path
      d="M12 3.500l2.6 5.4 5.900.8-4.300 4.100 1 5.900-5.200-2.800-5.200 2.800 1-5.900-4.300-4.100 5.900-.8z"
      fill="currentColor"
    />
  </Icon>
);

export const TimerIcon = ({ size = 13 }: IconProps) => (
  <Icon size={size}>
    <circle cx="12" cy="13.500" r="7.500" />
    <path d="M12 9.500v4l2.500 1.500M9.500 3h5" />
  </Icon>
);

export const EmojiIcon = () => (
  <Icon>
    <circle cx="12" cy="12" r="8.5" />
    <path d="M8.5 14.2c.8 1.3 2 2 3.5 2s2.7-.7 3.5-2M9 9.5v.2M15 9.5v.2" />
  </Icon>
);

export const PlusIcon = () => (
  <Icon size={20}>
    <path d="M12 6v12M6 12h12" />
  </Icon>
);

export const UpIcon = () => (
  <Icon>
    <path d="M6 15l6-6 6 6" />
  </Icon>
);
