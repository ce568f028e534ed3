import type { EcPrekey } from '@sotto/contract/keys';
import { LIMITS } from '@sotto/contract/limits';
import type { PublishRequest } from '@sotto/contract/rest/prekeys';
import { toBase64url } from '@sotto/crypto/bytes';
import { planPrekeys, supersede } from '@sotto/crypto/prekey-plan';
import { prunePeer } from '@sotto/crypto/session-state';
import { makePrekeys, type Prekey, type PrekeyKind } from '@sotto/crypto/prekeys';
import { dayOf } from '../clock.ts';
import { withMissing } from '../inbox/missing.ts';
import type { Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { PrekeyRow, SelfRow } from '../rows.ts';
import { rotateSealing, sealingPublished, wireSealingKey } from './sealing.ts';
import { signerOf } from './signer.ts';

/** A prekey as it goes over the wire. */
export const wirePrekey = ({ id, createdAt, expiresAt, publicKey, signature }: Prekey): EcPrekey => ({
  id,
  createdAt,
  expiresAt,
  publicKey: toBase64url(publicKey),
  signature: toBase64url(signature),
});

type Owner = Pick<SelfRow, 'account' | 'device' | 'signing' | 'prekeyIds'>;

/** `count` new prekeys of a kind, numbered on from the last. */
export const newPrekeys = async (
  { account, device, signing, prekeyIds }: Owner,
  kind: PrekeyKind,
  count: number,
  now: number,
): Promise<PrekeyRow[]> => {
  const owner = { account, device, signing: signing.privateKey };
  const made = await makePrekeys({
    ...owner,
    kind,
    firstId: prekeyIds[kind] + 1,
    count,
    createdAt: dayOf(now),
  });
  return made.map((key) => ({ ...key, published: false }));
};

const requestOf = (rows: readonly PrekeyRow[]): PublishRequest => {
  const of = (kind: PrekeyKind) => rows.filter((row) => row.kind === kind).map(wirePrekey);
  const [signed, lastResort] = [of('signed').at(-1), of('pq-last-resort').at(-1)];
  return {
    ...(signed && { signed }),
    ...(lastResort && { lastResort }),
    oneTime: of('one-time'),
    pqOneTime: of('pq-one-time'),
  };
};

/** Lets go of what sessions keep past its time. */
const prunePeers = async (model: Model, now: number): Promise<void> => {
  const signedIds = (await model.store.all('prekey'))
    .filter(({ kind }) => kind === 'signed')
    .map(({ id }) => id);
  const peers = await model.store.all('peer');
  await model.change(async (draft) => {
    for (const { account, device } of peers) {
      const row = await draft.get('peer', [account, device]);
      const state = row && prunePeer({ state: row.state, signedIds, now });
      if (state) draft.put('peer', withMissing({ ...row, state }), [account, device]);
    }
  });
};

/** As many as one request takes. */
const batchOf = (rows: readonly PrekeyRow[]): PrekeyRow[] => {
  const first = (kind: PrekeyKind) =>
    rows.filter((row) => row.kind === kind).slice(0, LIMITS.prekeysPerRequest);
  return (['signed', 'pq-last-resort', 'one-time', 'pq-one-time'] as const).flatMap(first);
};

/**
 * Keeps this device's keys at the relay fresh and plenty, and deletes those that nobody can use any more. Every
 * private half is stored before its public half leaves. Stops at any point without harm: the next call goes on.
 *
 * @throws RelayError, StoreError
 */
export const maintainPrekeys = async (model: Model, transport: Transport, now: number): Promise<void> => {
  const signer = signerOf(model.self!);
  const publish = (rows: readonly PrekeyRow[]) => transport.publishPrekeys(signer, requestOf(rows));

  const sealing = await rotateSealing(model, now);
  let left = await transport.publishPrekeys(signer, {
    ...(sealing && { sealingKey: wireSealingKey(sealing) }),
    oneTime: [],
    pqOneTime: [],
  });
  if (sealing) await sealingPublished(model, sealing.id, now);
  await prunePeers(model, now);
  const own = await model.store.all('prekey');
  const plan = planPrekeys({ own: own.filter(({ published }) => published), left, now });
  const unpublished = (kind: PrekeyKind) => own.filter((row) => row.kind === kind && !row.published).length;
  const counts: [PrekeyKind, number][] = [
    ['signed', plan.rotate && unpublished('signed') === 0 ? 1 : 0],
    ['pq-last-resort', plan.rotate && unpublished('pq-last-resort') === 0 ? 1 : 0],
    ['one-time', Math.max(0, plan.oneTime - unpublished('one-time'))],
    ['pq-one-time', Math.max(0, plan.pqOneTime - unpublished('pq-one-time'))],
  ];
  await model.change(async (draft) => {
    const self = (await draft.get('self', 'self'))!;
    const prekeyIds = { ...self.prekeyIds };
    for (const [kind, count] of counts) {
      for (const row of await newPrekeys({ ...self, prekeyIds }, kind, count, now)) {
        draft.put('prekey', row, [row.kind, row.id]);
      }
      prekeyIds[kind] += count;
    }
    for (const { kind, id } of plan.retire) draft.remove('prekey', [kind, id]);
    draft.put('self', { ...self, prekeyIds }, 'self');
  });

  let waiting = (await model.store.all('prekey')).filter(({ published }) => !published);
  while (waiting.length > 0) {
    const batch = batchOf(waiting);
    left = await publish(batch);
    await model.change(async (draft) => {
      const rows = await model.store.all('prekey');
      for (const { kind, id } of batch) {
        // A first message may have used it up while it was being published.
        const row = await draft.get('prekey', [kind, id]);
        if (row) draft.put('prekey', { ...row, published: true }, [kind, id]);
        for (const old of supersede(rows, { kind, id }, now)) {
          if (old.supersededAt === now && old.id !== id) draft.put('prekey', old, [old.kind, old.id]);
        }
      }
    });
    const done = new Set(batch.map(({ kind, id }) => `${kind} ${id}`));
    waiting = waiting.filter(({ kind, id }) => !done.has(`${kind} ${id}`));
  }
};
