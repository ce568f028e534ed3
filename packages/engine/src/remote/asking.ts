import { randomId } from '../random-id.ts';
import type { Channel, Message } from './channel.ts';
import { type Executor, Gone } from './dispatcher.ts';
import { fromWire } from './wire-error.ts';

type Answer = Extract<Message, { kind: 'answer' }>;

/** Commands that a writer in another worker was asked to carry out. */
export const createAsking = (channel: Channel) => {
  const pending = new Map<string, (answer: Answer | undefined) => void>();
  return {
    /** Asks the writer of this term. */
    ask:
      (term: number): Executor =>
      (method, args) =>
        new Promise((resolve, reject) => {
          const id = randomId();
          pending.set(id, (answer) => {
            pending.delete(id);
            if (!answer) reject(new Gone());
            else if (answer.error) reject(fromWire(answer.error));
            else resolve(answer.value);
          });
          channel.postMessage({ kind: 'call', id, term, method, args });
        }),
    answered: (answer: Answer): void => pending.get(answer.id)?.(answer),
    /** That writer is none any more: nothing is answered. */
    abandon(): void {
      for (const settle of pending.values()) settle(undefined);
    },
  };
};
