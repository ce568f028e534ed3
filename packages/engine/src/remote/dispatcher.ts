import { EngineError } from '../errors.ts';
import { StoreError } from '../ports.ts';
import { type CommandName, COMMANDS } from './commands.ts';

/** Whoever carries commands out at the moment. */
export type Executor = (method: string, args: unknown[]) => Promise<unknown>;

/** The writer went away before it answered: what it did of a command is not known. */
export class Gone extends Error {}

/** Brings commands to the writer, whoever that is; keeps them while there is none. */
export const createDispatcher = () => {
  let executor: Executor | undefined;
  let closed = false;
  const waiting = new Set<() => void>();

  const wake = (): void => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };

  return {
    set(next: Executor | undefined): void {
      executor = next;
      if (next) wake();
    },
    async run(method: CommandName, args: unknown[]): Promise<unknown> {
      for (;;) {
        if (closed) throw new StoreError('closed');
        if (!executor) {
          await new Promise<void>((resolve) => waiting.add(resolve));
          continue;
        }
        try {
          return await executor(method, args);
        } catch (error) {
          if (!(error instanceof Gone)) throw error;
          if (COMMANDS[method] === 'once') throw new EngineError('interrupted');
        }
      }
    },
    close(): void {
      closed = true;
      wake();
    },
  };
};
