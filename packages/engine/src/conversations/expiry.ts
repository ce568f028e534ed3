import type { Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import { createPump } from '../pump.ts';
import type { MessageRow } from '../rows.ts';
import { removeMessages } from './change.ts';

/** Messages taken away by one commit. */
const BATCH = 100;
/** In ms: then it is looked at again, whatever the clock did. */
const LONGEST_WAIT = 10 * 60_000;
/** By how much, in ms, a clock may be ahead of the relay's, or a look behind its time. */
const TOLERANCE = 60 * 60_000;

/**
 * Takes away what has run out.
 *
 * @throws StoreError
 */
export const expire = async (model: Model, now: number): Promise<void> => {
  const me = model.self?.account;
  if (me === undefined) return;
  for (;;) {
    const rows = await model.store.messages({ expiresBefore: now + 1 }, { limit: BATCH });
    if (rows.length === 0) return;
    const byConversation = new Map<string, MessageRow[]>();
    for (const row of rows) {
      byConversation.set(row.conversation, [...(byConversation.get(row.conversation) ?? []), row]);
    }
    await model.change(async (draft) => {
      for (const [id, old] of byConversation) {
        // As they are now: the index may have taken them in since.
        const current = await Promise.all(old.map((row) => draft.get('message', [id, row.id])));
        const due = current.filter((row) => row !== undefined);
        await removeMessages(draft, model, id, due, { me, now });
      }
    });
  }
};

interface Expiry {
  connected(): void;
  disconnected(): void;
  /** What the relay's clock says, in ms. */
  time(relayNow: number): void;
  stop(): Promise<void>;
}

/**
 * Takes messages away at their time, from now on: by the own clock, and where that is more than an hour ahead of the
 * relay's, by that. Where the own clock has jumped ahead, or the device slept, while it was connected, nothing goes until the
 * relay's is known anew. The relay can so put off what goes, and not hasten it.
 */
export const createExpiry = (model: Model, clock: Clock, onError: (error: unknown) => void): Expiry => {
  let cancel: (() => void) | undefined;
  let wakesAt = Number.POSITIVE_INFINITY;
  let isOnline = false;
  /** By how much the own clock is wrong, where that is much. */
  let ahead = 0;
  let isDoubtful = false;
  /** While a timer runs. */
  let lookedAt: number | undefined;

  /** The time to go by; undefined while that is not known. */
  const look = (): number | undefined => {
    const now = clock.now();
    if (isOnline && lookedAt !== undefined && now > lookedAt + LONGEST_WAIT + TOLERANCE) isDoubtful = true;
    lookedAt = now;
    return isDoubtful ? undefined : now - ahead;
  };

  const pump = createPump(async () => {
    cancel?.();
    wakesAt = Number.POSITIVE_INFINITY;
    let wait = LONGEST_WAIT;
    try {
      const now = look();
      if (now !== undefined) {
        await expire(model, now);
        const [next] = await model.store.messages({ expiresBefore: Number.MAX_SAFE_INTEGER }, { limit: 1 });
        if (!next) {
          lookedAt = undefined;
          return;
        }
        wakesAt = next.expiresAt!;
        wait = Math.min(Math.max(wakesAt - now, 0), LONGEST_WAIT);
      }
    } catch (error) {
      onError(error);
    }
    cancel = clock.after(wait, () => pump.kick());
  });

  const unsubscribe = model.onChange((writes) => {
    const sooner = writes.some(
      (write) => write.table === 'message' && 'put' in write && (write.put.expiresAt ?? Infinity) < wakesAt,
    );
    if (sooner) pump.kick();
  });
  pump.kick();

  return {
    connected() {
      isOnline = true;
    },
    disconnected() {
      isOnline = false;
    },
    time(relayNow) {
      const off = clock.now() - relayNow;
      ahead = off > TOLERANCE ? off : 0;
      isDoubtful = false;
      lookedAt = undefined;
      pump.kick();
    },
    async stop() {
      unsubscribe();
      cancel?.();
      await pump.stop();
      cancel?.();
    },
  };
};
