import type { ChatMessage } from '@sotto/engine/views';
import { useState } from 'react';
import { t } from '../../i18n/i18n.ts';
import { copyText } from '../../platform/clipboard.ts';
import { recentEmoji } from '../../platform/recent-emoji.ts';
import { Menu } from '../../ui/menu.tsx';
import type { MenuEntry, MenuPlace } from '../../ui/menu.tsx';

/** What a message can be asked for beyond what its row does. */
export type MessageAsk = 'delete' | 'details' | 'history';

export interface MessageDeeds {
  react(message: ChatMessage, emoji: string | null): void;
  reply(message: ChatMessage): void;
  edit(message: ChatMessage): void;
  star(message: ChatMessage): void;
  retry(message: ChatMessage): void;
  cancel(message: ChatMessage): void;
  ask(message: ChatMessage, what: MessageAsk): void;
}

interface MessageActionsProps {
  message: ChatMessage;
  place: MenuPlace;
  /** Something can be sent in this conversation. */
  writable: boolean;
  deeds: MessageDeeds;
  onClose(): void;
}

/** For what moves focus: the menu, while it closes, gives it back to where it was. */
const later = (work: () => void) => (): void => void setTimeout(work);

/** What can be done with it as it is. */
const entriesFor = (message: ChatMessage, writable: boolean, deeds: MessageDeeds): MenuEntry[] => {
  const { mine, text, status, deleted, newer, note, starred, edits } = message;
  const away = status !== 'waiting' && status !== 'failed';
  const says = !deleted && !newer && note === undefined;
  const own = message.reactions?.find((reaction) => reaction.mine)?.emoji;
  const when = (holds: boolean, label: string, onChoose: () => void): MenuEntry[] =>
    holds ? [{ label, onChoose }] : [];
  return [
    ...(writable && away && !deleted
      ? [...new Set([...(own === undefined ? [] : [own]), ...recentEmoji()])].slice(0, 6).map((emoji) => ({
          symbol: emoji,
          chosen: emoji === own,
          label: t(emoji === own ? 'conversation.unreact' : 'conversation.react', { emoji }),
          onChoose: () => deeds.react(message, emoji === own ? null : emoji),
        }))
      : []),
    ...when(status === 'failed' && message.retry === true, t('app.again'), () => deeds.retry(message)),
    ...when(status === 'waiting', t('conversation.cancel'), () => deeds.cancel(message)),
    ...when(
      writable && says,
      t('conversation.reply'),
      later(() => deeds.reply(message)),
    ),
    ...when(
      writable && says && mine,
      t('conversation.edit'),
      later(() => deeds.edit(message)),
    ),
    ...when(says, t('conversation.copy'), () => void copyText(text)),
    ...when(says, t(starred ? 'conversation.unstar' : 'conversation.star'), () => deeds.star(message)),
    ...when(says && edits !== undefined, t('conversation.history'), () => deeds.ask(message, 'history')),
    ...when(true, t('conversation.details'), () => deeds.ask(message, 'details')),
    { label: t('conversation.delete'), grave: true, onChoose: () => deeds.ask(message, 'delete') },
  ];
};

export const MessageActions = ({ message, place, writable, deeds, onClose }: MessageActionsProps) => {
  // As it was when the menu opened: nothing moves under the pointer.
  const [entries] = useState(() => entriesFor(message, writable, deeds));
  return <Menu label={t('conversation.actions')} place={place} entries={entries} onClose={onClose} />;
};
