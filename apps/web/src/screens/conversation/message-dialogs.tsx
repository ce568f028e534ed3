import type { ChatMessage, Person } from '@sotto/engine/views';
import { perLocale } from '../../i18n/format.ts';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { durationWords } from './durations.ts';
import type { MessageAsk } from './message-deeds.ts';
import './message-dialogs.css';

const REACHED: Record<ChatMessage['status'], Key> = {
  waiting: 'conversation.reachedWaiting',
  sent: 'conversation.reachedSent',
  delivered: 'conversation.reachedDelivered',
  read: 'conversation.reachedRead',
  failed: 'conversation.reachedFailed',
};

const moment = perLocale(
  (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeStyle: 'short' }),
);
const when = (time: number): string => moment().format(time);

const byName = perLocale((locale) => new Intl.Collator(locale).compare);

interface DialogProps {
  message: ChatMessage;
  peer: Person;
  /** The others in a group. */
  members: readonly Person[];
  onClose(): void;
}

/** How far it came with each of those in a group, the furthest first. */
const Reached = ({ message, members }: Pick<DialogProps, 'message' | 'members'>) => {
  const { reached } = message;
  const groups = [
    { label: t('writing.readBy'), reach: 'read' },
    { label: t('writing.deliveredTo'), reach: 'delivered' },
    { label: t('writing.notYetAt'), reach: undefined },
  ];
  const nameOf = (account: string): string =>
    members.find((member) => member.account === account)?.name ?? t('writing.formerMember');
  return groups.map(({ label, reach }) => {
    const names = (reached ?? []).filter((one) => one.reach === reach).map(({ account }) => nameOf(account));
    if (names.length === 0) return null;
    return (
      <div key={label}>
        <dt>{label}</dt>
        <dd>
          <ul>
            {names.toSorted(byName()).map((name, index) => (
              // oxlint-disable-next-line react/no-array-index-key -- two may have one name
              <li key={index}>
                <bdi>{name}</bdi>
              </li>
            ))}
          </ul>
        </dd>
      </div>
    );
  });
};

const Details = ({ message, peer, members, onClose }: DialogProps) => {
  const { mine, time, status, timer, expiresAt, edits } = message;
  const rows: [label: string, says: string][] = [
    [t('conversation.detailsFrom'), mine ? t('conversation.yourself') : peer.name],
    [
      t(
        status === 'waiting' || status === 'failed'
          ? 'conversation.detailsWritten'
          : 'conversation.detailsSent',
      ),
      when(time),
    ],
    ...(mine && !message.reached
      ? [[t('conversation.detailsStatus'), t(REACHED[status], { name: peer.name })] as [string, string]]
      : []),
    ...(edits?.length
      ? [
          [t('conversation.detailsEdited'), t('conversation.times', { count: edits.length })] as [
            string,
            string,
          ],
        ]
      : []),
    ...(timer === undefined
      ? []
      : [
          [
            t('conversation.detailsTimer'),
            expiresAt === undefined
              ? t('conversation.goesAfter', { time: durationWords(timer) })
              : when(expiresAt),
          ] as [string, string],
        ]),
  ];
  return (
    <Dialog title={t('conversation.detailsTitle')} onClose={onClose}>
      <dl className="message-details">
        {rows.map(([label, says]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>
              <bdi>{says}</bdi>
            </dd>
          </div>
        ))}
        <Reached message={message} members={members} />
      </dl>
    </Dialog>
  );
};

const History = ({ message, onClose }: DialogProps) => (
  <Dialog title={t('conversation.historyTitle')} onClose={onClose}>
    <ol className="message-history">
      {message.edits?.map(({ text, time }) => (
        <li key={time}>
          <p className="message-history-time">{when(time)}</p>
          <p className="message-history-text" dir="auto">
            {text}
          </p>
        </li>
      ))}
      <li>
        <p className="message-history-time">{t('conversation.historyNow')}</p>
        <p className="message-history-text" dir="auto">
          {message.text}
        </p>
      </li>
    </ol>
  </Dialog>
);

interface DeleteProps extends DialogProps {
  /** It is the note to self. */
  alone: boolean;
  onDelete(everywhere: boolean): void;
}

const Delete = ({ message, peer, alone, onDelete, onClose }: DeleteProps) => {
  const { mine, status, deleted } = message;
  const unsent = status === 'waiting' || status === 'failed';
  const everywhere = mine && !deleted && !unsent && !alone;
  const choose = (all: boolean): void => {
    onClose();
    onDelete(all);
  };
  return (
    <Dialog title={t('conversation.deleteTitle')} onClose={onClose}>
      <p>
        {unsent
          ? t('conversation.deleteUnsentSays')
          : alone
            ? t('conversation.deleteAloneSays')
            : t('conversation.deleteMineSays', { name: peer.name })}
      </p>
      {everywhere && <p>{t('conversation.deleteAllSays', { name: peer.name })}</p>}
      <div className="dialog-actions">
        <Button look="quiet" onClick={onClose}>
          {t('app.cancel')}
        </Button>
        <Button look={everywhere ? 'plain' : 'main'} onClick={() => choose(false)}>
          {t('conversation.deleteMine')}
        </Button>
        {everywhere && (
          <Button look="main" onClick={() => choose(true)}>
            {t('conversation.deleteAll')}
          </Button>
        )}
      </div>
    </Dialog>
  );
};

export const MessageDialog = ({ ask, ...rest }: DeleteProps & { ask: Exclude<MessageAsk, 'forward'> }) => {
  switch (ask) {
    case 'details':
      return <Details {...rest} />;
    case 'history':
      return <History {...rest} />;
    case 'delete':
      return <Delete {...rest} />;
  }
};
