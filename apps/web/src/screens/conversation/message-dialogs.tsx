import type { ChatMessage, GroupSummary, Person } from '@sotto/engine/views';
import { useEngine } from '../../app/engine-context.ts';
import { perLocale } from '../../i18n/format.ts';
import { t } from '../../i18n/i18n.ts';
import type { Key } from '../../i18n/keys.ts';
import { Avatar } from '../../ui/avatar.tsx';
import { Button } from '../../ui/button.tsx';
import { Dialog } from '../../ui/dialog.tsx';
import { durationWords } from './durations.ts';
import type { MessageAsk } from './message-deeds.ts';
import { MessageText } from './message-text.tsx';
import { authorName, personName } from './names.ts';
import type { People } from './names.ts';
import './message-dialogs.css';

const REACHED: Record<ChatMessage['status'], Key> = {
  waiting: 'conversation.reachedWaiting',
  sent: 'conversation.reachedSent',
  delivered: 'conversation.reachedDelivered',
  read: 'conversation.reachedRead',
  failed: 'conversation.reachedFailed',
};

const REACHES = [
  { reach: 'read', label: 'conversation.reachedReadBy' },
  { reach: 'delivered', label: 'conversation.reachedDeliveredTo' },
  { reach: undefined, label: 'conversation.reachedNotYet' },
] as const;

const away = (status: ChatMessage['status']): boolean => status !== 'waiting' && status !== 'failed';

const moment = perLocale(
  (locale) => new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' }),
);
const when = (time: number): string => moment().format(time);

interface DialogProps {
  message: ChatMessage;
  peer: Person;
  people: People;
  onClose(): void;
}

/** In a group: with whom it is how far. */
const Reached = ({ message: { reached }, people }: Pick<DialogProps, 'message' | 'people'>) => (
  <>
    {REACHES.map(({ reach, label }) => {
      const there = reached?.filter((one) => one.reach === reach);
      if (!there?.length) return null;
      return (
        <section key={label} className="message-reached" aria-label={t(label)}>
          <h3>{t(label)}</h3>
          <ul>
            {there.map(({ account, read, delivered }) => {
              const at = reach && { read, delivered }[reach];
              return (
                <li key={account}>
                  <Avatar name={personName(people?.[account])} account={account} size="xs" />
                  <bdi className="message-reached-name">{personName(people?.[account])}</bdi>
                  {at !== undefined && <time className="page-quiet">{when(at)}</time>}
                </li>
              );
            })}
          </ul>
        </section>
      );
    })}
  </>
);

/** In a group: who reacted, and with what. */
const Reacted = ({ message, people }: Pick<DialogProps, 'message' | 'people'>) => {
  const { me } = useEngine().getSnapshot();
  const all = (message.reactions ?? []).flatMap(({ emoji, accounts }) =>
    accounts.map((account) => ({ emoji, account })),
  );
  if (all.length === 0) return null;
  return (
    <section className="message-reached" aria-label={t('conversation.reactions')}>
      <h3>{t('conversation.reactions')}</h3>
      <ul>
        {all.map(({ emoji, account }) => {
          const known = personName(people?.[account]);
          return (
            <li key={account}>
              <Avatar name={known} account={account} size="xs" />
              <bdi className="message-reached-name">
                {account === me?.account ? t('conversation.yourself') : known}
              </bdi>
              <span className="message-reaction-emoji">{emoji}</span>
            </li>
          );
        })}
      </ul>
    </section>
  );
};

/** With one person: when it came to them, and when they read it. */
const timesOf = ({ reached: [one] = [] }: ChatMessage): [label: string, says: string][] => [
  ...(one?.delivered === undefined
    ? []
    : [[t('app.statusDelivered'), when(one.delivered)] as [string, string]]),
  ...(one?.read === undefined ? [] : [[t('app.statusRead'), when(one.read)] as [string, string]]),
];

const Details = ({ message, peer, people, onClose }: DialogProps) => {
  const { mine, time, status, timer, expiresAt, edits } = message;
  const rows: [label: string, says: string][] = [
    [t('conversation.detailsFrom'), authorName(message, peer, people)],
    [
      t(
        status === 'waiting' || status === 'failed'
          ? 'conversation.detailsWritten'
          : 'conversation.detailsSent',
      ),
      when(time),
    ],
    ...(mine && !(people && away(status))
      ? [[t('conversation.detailsStatus'), t(REACHED[status], { name: peer.name })] as [string, string]]
      : []),
    ...(people ? [] : timesOf(message)),
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
      </dl>
      {people && <Reacted message={message} people={people} />}
      {mine && people && <Reached message={message} people={people} />}
      {mine && people && !message.reached && away(status) && (
        <p className="page-quiet">{t('conversation.noReceipts')}</p>
      )}
    </Dialog>
  );
};

const History = ({ message, onClose }: DialogProps) => (
  <Dialog title={t('conversation.historyTitle')} onClose={onClose}>
    <ol className="message-history">
      {message.edits?.map(({ text, time }) => (
        <li key={time}>
          <p className="message-history-time">{when(time)}</p>
          <div className="message-history-text" dir="auto">
            <MessageText text={text} />
          </div>
        </li>
      ))}
      <li>
        <p className="message-history-time">{t('conversation.historyNow')}</p>
        <div className="message-history-text" dir="auto">
          <MessageText text={message.text} mentions={message.mentions} />
        </div>
      </li>
    </ol>
  </Dialog>
);

interface DeleteProps extends DialogProps {
  group: GroupSummary | undefined;
  /** It is the note to self. */
  alone: boolean;
  onDelete(everywhere: boolean): void;
}

const Delete = ({ message, peer, people, group, alone, onDelete, onClose }: DeleteProps) => {
  const { mine, status, deleted } = message;
  const unsent = status === 'waiting' || status === 'failed';
  const manages = group?.policy.adminsDelete === true && (group.role === 'admin' || group.role === 'owner');
  const everywhere = (mine || manages) && !deleted && !unsent && !alone;
  const name = authorName(message, peer, people);
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
            : group
              ? t('conversation.deleteMineGroupSays')
              : t('conversation.deleteMineSays', { name: peer.name })}
      </p>
      {everywhere && (
        <p>
          {!group
            ? t('conversation.deleteAllSays', { name: peer.name })
            : mine
              ? t('conversation.deleteAllGroupSays')
              : t('conversation.deleteOfOthersSays', { name })}
        </p>
      )}
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
