import { roleOf } from '@sotto/crypto/membership-state';
import type { Clock } from '../clock.ts';
import type { Draft, Model } from '../model.ts';
import type { PeerRow } from '../rows.ts';
import { mayAsk, requestRepair } from './repair.ts';

/** How long what others overtook may still come by itself, in ms. */
const PATIENCE_MS = 60_000;

type Key = [account: string, device: string];

const isShort = ({ missing = 0, asked = 0 }: PeerRow): boolean => missing > asked;

/** Whether this account has to do with somebody: in a conversation that it agreed to, of two or of a group. */
const isNear = ({ self, conversations, groups }: Model, account: string): boolean =>
  account === self?.account ||
  conversations.has(account) ||
  [...groups.values()].some(({ group, state }) => {
    // What is left of a group that was declined or left says nothing.
    const { group: brief, request } = conversations.get(group) ?? {};
    return brief?.role !== undefined && !request && state && roleOf(state, account);
  });

/** Asks for what is missing of a device; false where it was asked for something lately. */
const ask = async (draft: Draft, [account, device]: Key, now: number): Promise<boolean> => {
  const row = await draft.get('peer', [account, device]);
  if (!row || !isShort(row)) return true;
  // As it is now: they may have been blocked since.
  if (!(await mayAsk(draft, (await draft.get('self', 'self'))!, account))) return true;
  if (!(await requestRepair(draft, { account, device }, now))) return false;
  const next = (await draft.get('peer', [account, device]))!;
  draft.put('peer', { ...next, asked: row.missing! }, [account, device]);
  return true;
};

/** Asks devices for what others have overtaken, once for each that is missing. */
export const createGapWatch = (
  model: Model,
  clock: Clock,
  onStored: () => void,
  onError: (error: unknown) => void,
) => {
  /** Of each device that may be short of something, and from when on it is asked, in ms. */
  const peers = new Map<string, { key: Key; due: number }>();
  let cancel: (() => void) | undefined;
  let isSeeded = false;
  let stopped = false;

  /** They are looked at in so many ms; those that are to be already, when they were. */
  const add = (keys: Iterable<Key>, ms: number): void => {
    const now = clock.now();
    for (const key of keys) {
      const name = key.join(' ');
      if (!peers.has(name)) peers.set(name, { key, due: now + ms });
    }
    if (peers.size === 0 || cancel || stopped) return;
    const first = Math.min(...[...peers.values()].map(({ due }) => due));
    cancel = clock.after(Math.max(0, first - now), () => {
      cancel = undefined;
      void look();
    });
  };

  const look = async (): Promise<void> => {
    const now = clock.now();
    // A clock that was put back makes nobody wait longer.
    const due = [...peers].filter(([, entry]) => entry.due <= now || entry.due > now + PATIENCE_MS);
    for (const [name] of due) peers.delete(name);
    const keys = due.map(([, { key }]) => key);
    try {
      const asked = await model.change(async (draft) => {
        const done: boolean[] = [];
        for (const key of keys) done.push(await ask(draft, key, now));
        return done;
      });
      onStored();
      // It was asked for something lately: again after that.
      add(
        keys.filter((_, at) => !asked[at]),
        PATIENCE_MS,
      );
    } catch (error) {
      onError(error);
      add(keys, PATIENCE_MS);
    }
  };

  return {
    /** Something of these devices came: what is missing then is looked for a while later. */
    note: (keys: Iterable<Key>): void => add(keys, PATIENCE_MS),
    /** All that waited has come: what was missing when this device was last here is asked for now. */
    async caughtUp(): Promise<void> {
      if (isSeeded) return;
      const short = (await model.store.all('peer')).filter(
        (row) => isShort(row) && isNear(model, row.account),
      );
      isSeeded = true;
      add(
        short.map(({ account, device }): Key => [account, device]),
        0,
      );
    },
    stop(): void {
      stopped = true;
      cancel?.();
    },
  };
};
