import type { ChatMessage } from '@sotto/engine/views';
import { letterOf } from '../../app/keys.ts';
import { copyText } from '../../platform/clipboard.ts';
import type { MenuPlace } from '../../ui/menu.tsx';
import { mayDo } from './message-deeds.ts';
import type { MessageDeeds, Rights } from './message-deeds.ts';

interface Pressed {
  key: string;
  code: string;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

/** What a key does with the message that has the focus; undefined when it does nothing. */
export const deedOf = (
  { key, code, ctrlKey, metaKey, altKey }: Pressed,
  message: ChatMessage,
  place: MenuPlace,
  rights: Rights,
  deeds: MessageDeeds,
): (() => void) | undefined => {
  if (altKey) return undefined;
  const may = mayDo(message, rights);
  const when = (holds: boolean, deed: () => void): (() => void) | undefined => (holds ? deed : undefined);
  if (ctrlKey || metaKey) {
    const copies = letterOf({ key, code }) === 'c' && may.copy && getSelection()?.isCollapsed !== false;
    return when(copies, () => void copyText(message.text));
  }
  if (key === 'Delete' || key === 'Backspace') return () => deeds.ask(message, 'delete');
  switch (letterOf({ key, code })) {
    case 'r':
      return when(may.reply, () => deeds.reply(message));
    case 'e':
      return when(may.edit, () => deeds.edit(message));
    case 'a':
      return when(may.react, () => deeds.reactAt(message, place));
    case 'f':
      return when(may.forward, () => deeds.ask(message, 'forward'));
    case 'o':
      return when(may.original, () => deeds.original(message));
    case 's':
      return when(may.star, () => deeds.star(message));
    case 'i':
      return () => deeds.ask(message, 'details');
    default:
      return undefined;
  }
};
