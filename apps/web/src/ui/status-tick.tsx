import type { MessageStatus } from '@sotto/engine/rows';
import { t } from '../i18n/i18n.ts';
import type { Key } from '../i18n/keys.ts';
import './status-tick.css';

const WORDS: Record<MessageStatus, Key> = {
  waiting: 'app.statusWaiting',
  sent: 'app.statusSent',
  delivered: 'app.statusDelivered',
  read: 'app.statusRead',
  failed: 'app.statusFailed',
};

const Shape = ({ status }: { status: MessageStatus }) => {
  switch (status) {
    case 'waiting':
      return (
        <>
          <circle cx="9" cy="6" r="4.75" />
          <path d="M9 3.5V6l1.7 1.2" />
        </>
      );
    case 'sent':
      return <path d="M5 6.6l2.7 2.7L13.5 3.2" />;
    case 'failed':
      return (
        <>
          <circle cx="9" cy="6" r="4.75" />
          <path d="M9 3.4v3M9 8.6v.1" />
        </>
      );
    default:
      return <path d="M1.5 6.6l2.7 2.7 6.1-6.1M9.3 9.3l6.1-6.1" />;
  }
};

/** How far one's own message came. The word is there for everyone: as a title and for screen readers. */
export const StatusTick = ({ status }: { status: MessageStatus }) => (
  <span className="tick" data-status={status} title={t(WORDS[status])}>
    <span className="sr-only">{t(WORDS[status])}</span>
    <svg
      width="1.125rem"
      height="0.75rem"
      viewBox="0 0 18 12"
      fill="none"
      stroke="currentColor"
      strokeWidth={status === 'read' ? 1.9 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <Shape status={status} />
    </svg>
  </span>
);
