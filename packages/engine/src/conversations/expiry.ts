import type { Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import { createPump } from '../pump.ts';
import type { MessageRow } from '../rows.ts';
import { removeMessages } from './change.ts';

/** Messages taken away by one commit. */
const BATCH = 100;
/** In ms: then it is looked at again, whatever the clock did. */
const LONGEST_WAIT = 10 * 60_000;

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
      for (const [id, old] of byConversation) await removeMessages(draft, model, id, old, { me, now });
    });
  }
};

interface Expiry {
  stop(): Promise<void>;
}

/** Takes messages away at their time, from now on. */
export const createExpiry = (model: Model, clock: Clock, onError: (error: unknown) => void): Expiry => {
  let cancel: (() => void) | undefined;
  let wakesAt = Number.POSITIVE_INFINITY;

  const pump = createPump(async () => {
    cancel?.();
    wakesAt = Number.POSITIVE_INFINITY;
    let wait = LONGEST_WAIT;
    try {
      await expire(model, clock.now());
      const [next] = await model.store.messages({ expiresBefore: Number.MAX_SAFE_INTEGER }, { limit: 1 });
      if (!next) return;
      wakesAt = next.expiresAt!;
      wait = Math.min(Math.max(wakesAt - clock.now(), 0), LONGEST_WAIT);
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
    async stop() {
      unsubscribe();
      cancel?.();
      await pump.stop();
      cancel?.();
    },
  };
};
