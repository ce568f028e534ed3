import type { SealingKey } from '@sotto/contract/keys';
import { toBase64url } from '@sotto/crypto/bytes';
import { SEALING_KEPT, SEALING_ROTATION } from '@sotto/crypto/limits';
import { createSealingKey } from '@sotto/crypto/sealing-key';
import { dayOf } from '../clock.ts';
import type { Model } from '../model.ts';
import type { OwnSealingKey } from '../rows.ts';

/** A sealing key as it goes over the wire. */
export const wireSealingKey = ({ id, createdAt, publicKey, signature }: OwnSealingKey): SealingKey => ({
  id,
  createdAt,
  publicKey: toBase64url(publicKey),
  signature: toBase64url(signature),
});

/**
 * Makes a new sealing key when the newest is due, and drops those whose successor others could have for long enough. The
 * private half is stored before the public half leaves. Returns the key that the relay does not have yet.
 */
export const rotateSealing = async (model: Model, now: number): Promise<OwnSealingKey | undefined> => {
  const { account, device, signing, sealing } = model.self!;
  const newest = sealing.at(-1)!;
  const kept = sealing.filter((_, at) => now < (sealing[at + 1]?.publishedAt ?? now) + SEALING_KEPT);
  if (newest.publishedAt !== undefined && now >= newest.createdAt + SEALING_ROTATION) {
    const key = { account, device, signing: signing.privateKey, id: newest.id + 1, createdAt: dayOf(now) };
    kept.push(await createSealingKey(key));
  }
  if (kept.length !== sealing.length || kept.at(-1) !== newest) {
    await model.change(async (draft) => {
      draft.put('self', { ...(await draft.get('self', 'self'))!, sealing: kept }, 'self');
    });
  }
  const last = kept.at(-1)!;
  return last.publishedAt === undefined ? last : undefined;
};

/** The relay has it. */
export const sealingPublished = (model: Model, id: number, now: number): Promise<void> =>
  model.change(async (draft) => {
    const self = (await draft.get('self', 'self'))!;
    const sealing = self.sealing.map((key) => (key.id === id ? { ...key, publishedAt: now } : key));
    draft.put('self', { ...self, sealing }, 'self');
  });
