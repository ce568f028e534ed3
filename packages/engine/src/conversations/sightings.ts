import type { PresenceContent } from '@sotto/contract/content';
import type { Draft, Model } from '../model.ts';
import type { ContactRow } from '../rows.ts';
import { putContact } from './draft.ts';

/** As it is shown; and how far what is stored may lie behind while somebody stays, in ms. */
const MINUTE_MS = 60_000;
const BEHIND_MS = 10 * MINUTE_MS;

const withoutSeen = ({ lastSeen, ...rest }: ContactRow): ContactRow | undefined =>
  lastSeen === undefined ? undefined : rest;

/** They let nobody know any more when they were there. */
export const forgetSeen = async (draft: Draft, account: string): Promise<void> => {
  const contact = await draft.get('contact', account);
  const row = contact && withoutSeen(contact);
  if (row) putContact(draft, row);
};

/** Keeps when others were there, of those who allow it: written when they come and go, and now and then in between. */
export const createSightings = (model: Model, onError: (error: unknown) => void) => {
  /** When those who are there were last heard, in ms. */
  const there = new Map<string, number>();
  let written: Promise<unknown> = Promise.resolve();

  const change = (account: string, next: (contact: ContactRow) => ContactRow | undefined): void => {
    written = model
      .change(async (draft) => {
        const contact = await draft.get('contact', account);
        const row = contact && next(contact);
        if (row) putContact(draft, row);
      })
      .catch(onError);
  };

  /** At most one write in `every` ms. */
  const keep = (account: string, at: number, every = MINUTE_MS): void =>
    change(account, (contact) => {
      const { lastSeen } = contact;
      const isStored = lastSeen !== undefined && Math.floor(lastSeen / every) === Math.floor(at / every);
      return isStored ? undefined : { ...contact, lastSeen: at };
    });

  /** They have not been heard any more, by running out or as there is no connection: since when, nobody knows. */
  const lost = (account: string): void => {
    const at = there.get(account);
    there.delete(account);
    if (at !== undefined) keep(account, at);
  };

  return {
    heard(account: string, { online, seen }: PresenceContent, now: number): void {
      const wasThere = there.delete(account);
      if (!seen) {
        change(account, withoutSeen);
        return;
      }
      if (online) there.set(account, now);
      keep(account, now, online && wasThere ? BEHIND_MS : MINUTE_MS);
    },
    lost,
    /** Nothing of it is stored: what was heard before is not written when they go. */
    forgotten: (account: string): void => void there.delete(account),
    lostAll(): void {
      for (const account of there.keys()) lost(account);
    },
    /** When all of it is stored. */
    kept: async (): Promise<void> => void (await written),
  };
};
