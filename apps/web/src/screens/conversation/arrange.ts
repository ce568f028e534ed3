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
  a.mine === b.mine &&
  dayOf(a.time) === dayOf(b.time) &&
  Math.abs(b.time - a.time) < TOGETHER_MS;

/** What stands where: messages with their places in groups and days. */
export const arrange = (messages: readonly ChatMessage[], newFrom?: string): Entry[] =>
  messages.map((message, index) => {
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
