import type { ChatMessage } from '@sotto/engine/views';
import { dayOf } from '../../app/times.ts';

/** Messages of one person that follow each other faster than this stand together. */
const TOGETHER_MS = 5 * 60 * 1000;

export interface Entry {
  message: ChatMessage;
  /** The first of its day: a separator stands before it. */
  newDay: boolean;
  /** The first of those that were not seen when the conversation was opened. */
  newHere: boolean;
  /** The first and the last of those that stand together. */
  first: boolean;
  last: boolean;
}

const together = (a: ChatMessage | undefined, b: ChatMessage | undefined): boolean =>
  a !== undefined &&
  b !== undefined &&
  a.from === b.from &&
  !a.note &&
  !b.note &&
  dayOf(a.time) === dayOf(b.time) &&
  Math.abs(b.time - a.time) < TOGETHER_MS;

/** What nobody has to know: it changes nothing that can be seen. */
const isSilent = ({ note }: ChatMessage): boolean =>
  note?.kind === 'rekeyed' || (note?.kind === 'settings' && note.link === undefined);

/** What stands where: messages with their places in groups and days. */
export const arrange = (all: readonly ChatMessage[], newFrom?: string): Entry[] => {
  const messages = all.filter((message) => !isSilent(message));
  return messages.map((message, index) => {
    const before = messages[index - 1];
    return {
      message,
      newDay: before === undefined || dayOf(before.time) !== dayOf(message.time),
      newHere: message.id === newFrom,
      first: message.id === newFrom || !together(before, message),
      last:
        (newFrom !== undefined && messages[index + 1]?.id === newFrom) ||
        !together(message, messages[index + 1]),
    };
  });
};
