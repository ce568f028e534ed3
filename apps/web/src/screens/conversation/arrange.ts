import type { ChatMessage } from '@sotto/engine/views';
import { dayOf } from '../../app/times.ts';

/** Messages of one person that follow each other faster than this stand together. */
const TOGETHER_MS = 5 * 60 * 1000;

export interface Entry {
  message: ChatMessage;
  /** The first of its day: a separator stands before it. */
  newDay: boolean;
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
export const arrange = (messages: readonly ChatMessage[]): Entry[] =>
  messages.map((message, index) => {
    const before = messages[index - 1];
    return {
      message,
      newDay: before === undefined || dayOf(before.time) !== dayOf(message.time),
      first: !together(before, message),
      last: !together(message, messages[index + 1]),
    };
  });

/** How many of others stand after the message `seen`; none when it is not there any more. */
export const countAfter = (messages: readonly ChatMessage[], seen: string | undefined): number => {
  const place = messages.findLastIndex(({ id }) => id === seen);
  return place < 0 ? 0 : messages.slice(place + 1).filter(({ mine }) => !mine).length;
};
