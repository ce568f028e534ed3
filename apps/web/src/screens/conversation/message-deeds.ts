import type { ChatMessage } from '@sotto/engine/views';
import type { MenuPlace } from '../../ui/menu.tsx';

/** What a message can be asked for beyond what its row does. */
export type MessageAsk = 'delete' | 'details' | 'history' | 'forward';

export interface MessageDeeds {
  react(message: ChatMessage, emoji: string | null): void;
  /** Any emoji, to be chosen there. */
  reactAt(message: ChatMessage, place: MenuPlace): void;
  reply(message: ChatMessage): void;
  edit(message: ChatMessage): void;
  star(message: ChatMessage): void;
  /** Goes to the message that it answers. */
  original(message: ChatMessage): void;
  retry(message: ChatMessage): void;
  cancel(message: ChatMessage): void;
  ask(message: ChatMessage, what: MessageAsk): void;
}

/** What can be sent in a conversation as things are. */
export interface Rights {
  write: boolean;
  react: boolean;
}

/** What can be done with it as it is. */
export const mayDo = (message: ChatMessage, rights: Rights) => {
  const { mine, status, deleted, newer, note, edits, reply } = message;
  const says = !deleted && !newer && note === undefined;
  return {
    react: rights.react && status !== 'waiting' && status !== 'failed' && !deleted,
    reply: rights.write && says,
    edit: rights.write && says && mine,
    copy: says,
    forward: says,
    star: says,
    original: says && reply !== undefined,
    history: says && edits !== undefined,
  };
};
