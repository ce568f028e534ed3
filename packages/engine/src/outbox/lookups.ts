import type { SelfRow, SendProblem } from '../rows.ts';
import type { Ready } from './recipients.ts';

/** Asked about at once. */
const MOST = 16;

interface Parts {
  /** What is needed for an account; undefined when it is not known yet. */
  find: (self: SelfRow, account: string) => Promise<Ready | SendProblem | undefined>;
  /** There is no answer for an account now. */
  onNone: (account: string) => void;
  /** There may be something to take. */
  onDone: () => void;
  onError: (error: unknown) => void;
}

/** Looks up what recipients need, each by itself: nobody waits for the keys of somebody else. */
export const createLookups = ({ find, onNone, onDone, onError }: Parts) => {
  const asked = new Set<string>();
  const found = new Map<string, Ready | SendProblem>();

  const look = async (self: SelfRow, account: string): Promise<void> => {
    let answer: Ready | SendProblem | undefined;
    try {
      answer = await find(self, account);
    } catch (error) {
      onError(error);
    }
    asked.delete(account);
    if (answer === undefined) onNone(account);
    else found.set(account, answer);
    onDone();
  };

  return {
    /** What is there for these accounts; all else is forgotten. */
    found(accounts: ReadonlySet<string>): ReadonlyMap<string, Ready | SendProblem> {
      for (const account of found.keys()) if (!accounts.has(account)) found.delete(account);
      return found;
    },
    isAsked: (account: string): boolean => asked.has(account),
    /** Asks for as many as are asked about at once. */
    ask(self: SelfRow, accounts: Iterable<string>): void {
      for (const account of accounts) {
        if (found.has(account) || asked.has(account) || asked.size >= MOST) continue;
        asked.add(account);
        void look(self, account);
      }
    },
    /** They were used: one-time keys serve one time. */
    forget(accounts: readonly string[]): void {
      for (const account of accounts) found.delete(account);
    },
  };
};
