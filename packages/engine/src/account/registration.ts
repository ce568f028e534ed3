import type { DeliveryHash, Handle } from '@sotto/contract/ids';
import type { Link } from '@sotto/contract/link';
import type { RegisterRequest, Verification } from '@sotto/contract/rest/accounts';
import { RelayError } from '@sotto/contract/errors';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { createChain } from '@sotto/crypto/chain';
import { deviceId, generateAgreementKey, generateSigningKey, sha256 } from '@sotto/crypto/keys';
import { createSealingKey } from '@sotto/crypto/sealing-key';
import { directConversation, putContact } from '../conversations/draft.ts';
import type { Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import { dayOf } from '../clock.ts';
import { randomId } from '../random-id.ts';
import type { PrekeyRow, SelfRow } from '../rows.ts';
import { newPrekeys, wirePrekey } from './prekeys.ts';
import { wireSealingKey } from './sealing.ts';

/** Refusals after which nothing of the account can be at the relay. */
const FINAL: readonly RelayError['code'][] = [
  'account-deleted',
  'handle-taken',
  'invite-unknown',
  'invite-used',
  'invite-expired',
  'verification-required',
  'verification-failed',
];

const NO_PREKEYS = { signed: 0, 'one-time': 0, 'pq-last-resort': 0, 'pq-one-time': 0 };

export interface Wish {
  link: Link;
  handle: Handle;
  name: string;
  verification?: Verification | undefined;
}

/** What of a wish the relay hears beside the keys. */
const asked = ({ link: { invite }, handle, verification }: Wish) => ({
  handle,
  ...(invite !== undefined && { invite }),
  ...(verification && { verification }),
});

/** New keys and the first event of a chain, not yet known to anybody. */
const createSelf = async (wish: Wish, now: number): Promise<{ self: SelfRow; prekeys: PrekeyRow[] }> => {
  const { link, handle, name } = wish;
  const [signing, identity] = await Promise.all([generateSigningKey(), generateAgreementKey()]);
  const createdAt = dayOf(now);
  const { account, event } = await createChain({ signing, identity, createdAt });
  const device = await deviceId(signing.publicKey);
  const key = { account, device, signing: signing.privateKey, id: 1, createdAt };
  const sealing = { ...(await createSealingKey(key)), publishedAt: now };
  const delivery = randomId();
  const owner = { account, device, signing, prekeyIds: NO_PREKEYS };
  const prekeys = [
    ...(await newPrekeys(owner, 'signed', 1, now)),
    ...(await newPrekeys(owner, 'pq-last-resort', 1, now)),
  ].map((row) => ({ ...row, published: true }));
  const self: SelfRow = {
    key: 'self',
    account,
    device,
    handle,
    name,
    createdAt: now,
    chain: [{ event, seenAt: now }],
    head: account,
    devices: [
      {
        device,
        signing: signing.publicKey,
        identity: identity.publicKey,
        since: 0,
        sealing: { id: sealing.id, publicKey: sealing.publicKey, createdAt },
      },
    ],
    signing,
    identity,
    sealing: [sealing],
    delivery,
    prekeyIds: { ...NO_PREKEYS, signed: 1, 'pq-last-resort': 1 },
    registering: {
      ...asked(wish),
      event: toBase64url(event),
      sealingKey: wireSealingKey(sealing),
      signed: wirePrekey(prekeys[0]!),
      lastResort: wirePrekey(prekeys[1]!),
      delivery: toBase64url(await sha256(fromBase64url(delivery))) as DeliveryHash,
    },
    ...(link.contact && { inviter: link.contact }),
  };
  return { self, prekeys };
};

/**
 * Stores the keys before anybody hears of them. A wish that was not confirmed keeps its keys when it is changed:
 * had the relay taken the first one and its answer been lost, new keys would leave an account behind that nobody has.
 */
export const prepare = async (model: Model, wish: Wish, now: number): Promise<void> => {
  const { link, handle, name } = wish;
  const pending = model.self?.registering;
  const fresh = pending ? undefined : await createSelf(wish, now);
  await model.change(async (draft) => {
    const self = fresh?.self ?? (await draft.get('self', 'self'))!;
    for (const row of fresh?.prekeys ?? []) draft.put('prekey', row, [row.kind, row.id]);
    const { invite: _invite, verification: _verification, ...keys } = self.registering!;
    const registering: RegisterRequest = { ...keys, ...asked(wish) };
    const { inviter: _, ...rest } = self;
    draft.put(
      'self',
      { ...rest, handle, name, registering, ...(link.contact && { inviter: link.contact }) },
      'self',
    );
  });
};

/**
 * Asks the relay for the account that was prepared, and opens the conversation with the inviter.
 *
 * @throws RelayError; what was prepared is kept for the next try unless the relay refused the invite or the handle
 */
export const confirm = async (model: Model, transport: Transport, now: number): Promise<void> => {
  const request = model.self!.registering!;
  try {
    const answer = await transport.register(request);
    await model.change(async (draft) => {
      const { registering: _, inviter, ...self } = (await draft.get('self', 'self'))!;
      draft.put('self', { ...self, handle: answer.handle }, 'self');
      if (!inviter || inviter.account === self.account) return;
      putContact(draft, { ...inviter, verified: true, chain: [], devices: [], introduced: false });
      await directConversation(draft, inviter.account, now);
    });
  } catch (error) {
    // Any other refusal may come before the relay has looked whether it took this chain already.
    if (error instanceof RelayError && FINAL.includes(error.code)) {
      await model.change((draft) => {
        draft.remove('self', 'self');
        draft.remove('prekey', ['signed', 1]);
        draft.remove('prekey', ['pq-last-resort', 1]);
      });
    }
    throw error;
  }
};
