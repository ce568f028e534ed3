import type { ChatMessage } from '@sotto/engine/views';
import { useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import { copyText } from '../../platform/clipboard.ts';
import { recentEmoji } from '../../platform/recent-emoji.ts';
import { PlusIcon } from '../../ui/icons.tsx';
import { Menu } from '../../ui/menu.tsx';
import type { MenuEntry, MenuPlace } from '../../ui/menu.tsx';
import { mayDo } from './message-deeds.ts';
import type { MessageDeeds, Rights } from './message-deeds.ts';

interface MessageActionsProps {
  message: ChatMessage;
  place: MenuPlace;
  rights: Rights;
  deeds: MessageDeeds;
  onClose(): void;
}

/** For what moves focus: the menu, while it closes, gives it back to where it was. */
const later = (work: () => void) => (): void => void setTimeout(work);

interface EntriesProps {
  message: ChatMessage;
  place: MenuPlace;
  rights: Rights;
  deeds: MessageDeeds;
}

const entriesFor = ({ message, place, rights, deeds }: EntriesProps): MenuEntry[] => {
  const { text, status, starred } = message;
  const may = mayDo(message, rights);
  const own = message.reactions?.find((reaction) => reaction.mine)?.emoji;
  const others = (message.reactions ?? []).map(({ emoji }) => emoji);
  /** What is there already can be joined, however much that is. */
  const symbols = new Set([...(own === undefined ? [] : [own]), ...others, ...recentEmoji()]);
  const when = (holds: boolean, label: string, onChoose: () => void): MenuEntry[] =>
    holds ? [{ label, onChoose }] : [];
  return [
    ...(may.react
      ? [...symbols].slice(0, Math.max(6, others.length)).map((emoji) => ({
          symbol: emoji,
          chosen: emoji === own,
          label: t(emoji === own ? 'conversation.unreact' : 'conversation.react', { emoji }),
          onChoose: () => deeds.react(message, emoji === own ? null : emoji),
        }))
      : []),
    ...(may.react
      ? [
          {
            symbol: <PlusIcon />,
            label: t('writing.reactOther'),
            onChoose: later(() => deeds.reactAt(message, place)),
          },
        ]
      : []),
    ...when(status === 'failed' && message.retry === true, t('app.again'), () => deeds.retry(message)),
    ...when(status === 'waiting', t('conversation.cancel'), () => deeds.cancel(message)),
    ...when(
      may.reply,
      t('conversation.reply'),
      later(() => deeds.reply(message)),
    ),
    ...when(
      may.edit,
      t('conversation.edit'),
      later(() => deeds.edit(message)),
    ),
    ...when(may.forward, t('writing.forward'), () => deeds.ask(message, 'forward')),
    ...when(
      may.original,
      t('writing.toOriginal'),
      later(() => deeds.original(message)),
    ),
    ...when(may.copy, t('conversation.copy'), () => void copyText(text)),
    ...when(may.star, t(starred ? 'conversation.unstar' : 'conversation.star'), () => deeds.star(message)),
    ...when(may.history, t('conversation.history'), () => deeds.ask(message, 'history')),
    ...when(true, t('conversation.details'), () => deeds.ask(message, 'details')),
    { label: t('conversation.delete'), grave: true, onChoose: () => deeds.ask(message, 'delete') },
  ];
};

export const MessageActions = ({ message, place, rights, deeds, onClose }: MessageActionsProps) => {
  // As it was when the menu opened: nothing moves under the pointer.
  const [entries] = useState(() => entriesFor({ message, place, rights, deeds }));
  return <Menu label={t('conversation.actions')} place={place} entries={entries} onClose={onClose} />;
};
