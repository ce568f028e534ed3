/** What others do this moment. */
export interface Signs {
  /** By conversation: the accounts that write something there. */
  typing: Record<string, string[]>;
  /** Accounts that are there. */
  online: string[];
}

export const NO_SIGNS: Signs = { typing: {}, online: [] };
