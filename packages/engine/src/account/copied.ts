import { createSealingKey } from '@sotto/crypto/sealing-key';
import { dayOf } from '../clock.ts';
import type { Draft, Model } from '../model.ts';
import type { SelfRow } from '../rows.ts';
import { newPrekeys } from './prekeys.ts';

/** Ids that the other copy of this profile may have given to prekeys meanwhile are passed over, this many. */
const PASSED_OVER = 100_000;

/**
 * Goes on with a profile that was copied or put back: under new keys, in new sessions with everybody. Any other copy finds
 * these at the relay and stops in its turn.
 */
export const startAnew = async (draft: Draft, model: Model, self: SelfRow, now: number): Promise<void> => {
  if (!self.copied) return;
  const { copied, ...rest } = self;
  const { account, device, signing, prekeyIds } = rest;
  const id = Math.max(copied.sealing, rest.sealing.at(-1)!.id) + 1;
  const owner = { account, device, signing: signing.privateKey };
  const sealing = await createSealingKey({ ...owner, id, createdAt: dayOf(now) });
  const ids = {
    signed: prekeyIds.signed + PASSED_OVER,
    'one-time': prekeyIds['one-time'] + PASSED_OVER,
    'pq-last-resort': prekeyIds['pq-last-resort'] + PASSED_OVER,
    'pq-one-time': prekeyIds['pq-one-time'] + PASSED_OVER,
  };
  for (const kind of ['signed', 'pq-last-resort'] as const) {
    for (const row of await newPrekeys({ ...rest, prekeyIds: ids }, kind, 1, now)) {
      draft.put('prekey', row, [row.kind, row.id]);
    }
    ids[kind] += 1;
  }
  for (const peer of await model.store.all('peer')) {
    draft.put('peer', { ...peer, renew: true }, [peer.account, peer.device]);
  }
  // What was encrypted for the old sessions has counters that others may have seen with other bytes.
  for (const { envelopes: _, ...row } of model.outbox.values()) draft.put('outbox', row, row.seq);
  draft.put(
    'self',
    { ...rest, prekeyIds: ids, sealing: [...rest.sealing, sealing], overtaken: copied.sealing },
    'self',
  );
};
