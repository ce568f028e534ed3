import type { PresenceContent } from '@sotto/contract/content';
import type { Clock } from '../clock.ts';
import type { Draft, Model } from '../model.ts';
import type { SelfRow } from '../rows.ts';
import { enqueue } from './draft.ts';
import { settingsOf } from './settings.ts';

/** How often who is there says it, in ms. */
const EVERY_MS = 45_000;
/** How many hear it: those one talked to last. */
const PEERS = 32;

interface Options {
  model: Model;
  clock: Clock;
  say(accounts: readonly string[], content: PresenceContent): Promise<boolean>;
}

/** What others may know: that one is there, and when one was. */
const sharedBy = (self: SelfRow): { online: boolean; seen: boolean } => {
  const { presence, lastSeen } = settingsOf(self);
  return { online: presence !== 'nobody', seen: lastSeen !== 'nobody' };
};

/**
 * Who lets nobody know any more when they were there takes back what was said of it: stored, so that it reaches everybody who
 * may have kept it, whenever they come.
 */
export const takeBackSeen = (
  draft: Draft,
  model: Pick<Model, 'contacts'>,
  { before, after }: { before: SelfRow; after: SelfRow },
): void => {
  if (!sharedBy(before).seen || sharedBy(after).seen) return;
  for (const { account, introduced, token } of model.contacts.values()) {
    // Nobody else has heard of it.
    const mayKnow = introduced && token !== undefined && !after.blocked?.includes(account);
    if (mayKnow) enqueue(draft, account, { kind: 'presence', online: false, seen: false });
  }
};

/** Tells others that one is there, or was, as far as the person lets them know. */
export const createPresence = ({ model, clock, say }: Options) => {
  let isConnected = false;
  let isPresent = false;
  let shares = model.self ? sharedBy(model.self) : { online: false, seen: false };
  let cancel: (() => void) | undefined;
  let turn: Promise<unknown> = Promise.resolve();

  const run = async (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    if (!isConnected) return;
    const { seen } = shares;
    const online = isPresent && shares.online;
    if (online) cancel = clock.after(EVERY_MS, () => void repeat());
    const peers = [...model.conversations.values()]
      .toSorted((a, b) => (b.last?.time ?? b.createdAt) - (a.last?.time ?? a.createdAt))
      .slice(0, PEERS);
    await say(
      peers.map(({ id }) => id),
      { kind: 'presence', online, seen },
    );
  };

  /** One after the other: what is true when the last of them begins is said last. */
  const tell = (): Promise<void> => {
    const done = turn.then(run);
    turn = done.catch(() => undefined);
    return done;
  };

  /** Fails when the store is closed or broken: then nobody is there. */
  const repeat = (): Promise<void> => tell().catch(() => undefined);

  return {
    /** Who shows it no more that they are there says so once. */
    follow(self: SelfRow): void {
      const before = shares;
      shares = sharedBy(self);
      if (shares.online === before.online && shares.seen === before.seen) return;
      if (isPresent && (shares.online || before.online)) void repeat();
    },
    connected(): void {
      isConnected = true;
      if (isPresent && shares.online) void repeat();
    },
    disconnected(): void {
      isConnected = false;
      cancel?.();
    },
    async present(present: boolean): Promise<void> {
      if (present === isPresent) return;
      isPresent = present;
      // Who does not show that they are there may let others know that they were.
      if (shares.online || (!present && shares.seen)) await tell();
    },
  };
};
