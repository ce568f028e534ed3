import type { Heads } from '@sotto/contract/content';
import type { ChainHead, ConversationId, DeviceId } from '@sotto/contract/ids';
import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { RelayError } from '@sotto/contract/errors';
import { toBase64url } from '@sotto/crypto/bytes';
import { setRecoveryKey, verifyChain } from '@sotto/crypto/chain';
import { generateSealingPair, generateSigningKey } from '@sotto/crypto/keys';
import { signerOf } from '@sotto/engine/account/signer';
import { noteHeads } from '@sotto/engine/inbox/heads';
import { openModel } from '@sotto/engine/model';
import type { Transport } from '@sotto/engine/ports';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { meet, texts } from './meeting.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const selfOf = async ({ store }: Resident) => (await store.get('self', 'self'))!;
const isStopped = ({ engine }: Resident, id: ConversationId) =>
  engine.getSnapshot().conversations.find((one) => one.id === id)?.stopped === 'identity-changed';

/** A relay that tells one client something else of an account, once `lie` is set. */
const liar = () => {
  const told: {
    lie?: (answer: AccountResponse) => AccountResponse;
    of?: string;
    /** What envelopes are said to go by, so that the true relay takes them. */
    head?: string;
  } = {};
  const transport = (inner: Transport): Transport => ({
    ...inner,
    account: async (signer, account) => {
      const answer = await inner.account(signer, account);
      return told.lie && (account as string) === told.of ? told.lie(answer) : answer;
    },
    connect(signer, listener) {
      const connection = inner.connect(signer, listener);
      const send: typeof connection.send = (envelopes) =>
        connection.send(
          told.head === undefined
            ? envelopes
            : envelopes.map((envelope) => ({ ...envelope, head: told.head as ChainHead })),
        );
      return { ...connection, send };
    },
  });
  return { told, transport };
};

describe('A1 a relay that shows two people different chains', () => {
  it('withholding that a device was removed is noticed with the next message of its account', async () => {
    const { told, transport } = liar();
    const { ann, bob, withAnn, withBob, bobs } = await meet(world, 'held', { bob: { transport } });
    const second = await addDevice(world, ann);
    await bob.engine.send(withAnn, 'to both');
    await until(bobs, () => bobs.getSnapshot().messages.at(-1)!.status === 'delivered', 'it');
    const before = await bob.transport.account(signerOf(await selfOf(bob)), withAnn as never);
    Object.assign(told, { lie: () => before, of: withAnn });
    await ann.engine.removeDevice((await selfOf(second)).device as DeviceId);
    await ann.engine.send(withBob, 'one message');
    await until(bobs, () => texts(bobs).at(-1) === 'one message', 'it');
    await until(bob.engine, () => isStopped(bob, withAnn), 'the stop');
    await bob.engine.send(withAnn, 'wait');
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(bobs.getSnapshot().messages.at(-1)!.status).toBe('waiting');
    expect((await bob.store.get('contact', withAnn))!.doubts).toBeUndefined();
    // Once it tells, and the person agrees, all is well.
    delete told.lie;
    await bob.engine.acceptIdentity(withAnn);
    await bob.engine.send(withAnn, 'go on');
    await until(bobs, () => bobs.getSnapshot().messages.at(-1)!.status === 'delivered', 'all of it');
    await ann.engine.send(withBob, 'good');
    await until(bobs, () => texts(bobs).at(-1) === 'good', 'the answer');
    expect((await bob.store.get('contact', withAnn))!.doubts).toBeUndefined();
    expect(isStopped(bob, withAnn)).toBe(false);
  });

  it('another end of one’s own chain, shown to somebody else, is noticed with their first message', async () => {
    const { told, transport } = liar();
    const { ann, bob, withAnn, withBob, anns } = await meet(world, 'split', { bob: { transport } });
    const self = await selfOf(ann);
    const events = self.chain.map(({ event }) => event);
    const state = await verifyChain(events);
    const recovery = {
      signing: await generateSigningKey(),
      sealing: (await generateSealingPair()).publicKey,
    };
    const stolen = await setRecoveryKey({ state, author: self.signing, createdAt: 0, recovery });
    const lie = (answer: AccountResponse) => ({
      ...answer,
      chain: [...answer.chain, toBase64url(stolen.event)],
    });
    Object.assign(told, { lie, of: withAnn, head: self.head });
    await bob.store.commit([
      { table: 'contact', put: { ...(await bob.store.get('contact', withAnn))!, fetchedAt: 0 } },
    ]);
    await bob.restart();
    await bob.engine.send(withAnn, 'first');
    await until(anns, () => texts(anns).at(-1) === 'first', 'it');
    await until(ann.engine, () => isStopped(ann, withBob), 'the stop');
    // It is said where it was seen: somebody who lies about a head stops nothing else.
    expect(ann.engine.getSnapshot().alarm).toBeUndefined();
    expect((await ann.store.get('contact', withBob))!.changed).toBe('forked');
  });
});

describe('a head that is not known yet', () => {
  it('is looked up, and nothing else happens', async () => {
    const { ann, bob, withAnn, withBob, bobs } = await meet(world, 'news');
    const second = await addDevice(world, ann);
    await ann.engine.send(withBob, 'from the first');
    await until(bobs, () => texts(bobs).at(-1) === 'from the first', 'it');
    const { device } = await selfOf(second);
    const devicesOf = async () =>
      (await bob.store.get('contact', withAnn))!.devices.map((entry) => entry.device);
    await expect.poll(devicesOf).toContain(device);
    await expect.poll(async () => (await bob.store.get('contact', withAnn))!.doubts).toBeUndefined();
    expect(isStopped(bob, withAnn)).toBe(false);
    // An earlier head, the account's first event, is as good as the last.
    const self = await selfOf(bob);
    const model = await openModel(createMemoryDisk().open());
    const contact = (await bob.store.get('contact', withAnn))!;
    expect(contact.chain.length).toBeGreaterThan(1);
    const doubtsOf = (heads: { from: string; to: string }) =>
      model.change(async (draft) => {
        draft.put('contact', contact, withAnn);
        await noteHeads(draft, self, withAnn, heads as Heads);
        return (await draft.get('contact', withAnn))!.doubts;
      });
    const other = toBase64url(new Uint8Array(32));
    expect(await doubtsOf({ from: withAnn, to: self.account })).toBeUndefined();
    expect(await doubtsOf({ from: contact.head!, to: self.head! })).toBeUndefined();
    expect(await doubtsOf({ from: other, to: other })).toEqual({ from: other, to: other });
    await bob.engine.send(withAnn, 'an answer');
    await until(bobs, () => bobs.getSnapshot().messages.at(-1)!.status === 'delivered', 'it');
    expect(isStopped(ann, withBob)).toBe(false);
  });

  it('waits for a relay that does not answer, also over a restart, and holds back what is sent', async () => {
    let down = false;
    let asked = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      account: async (signer, account) => {
        asked += 1;
        if (down) throw new RelayError('busy');
        return inner.account(signer, account);
      },
    });
    const { ann, bob, withAnn, withBob, bobs } = await meet(world, 'later', { bob: { transport } });
    await addDevice(world, ann);
    down = true;
    await ann.engine.send(withBob, 'news');
    await until(bobs, () => texts(bobs).at(-1) === 'news', 'it');
    const before = asked;
    await expect.poll(() => asked).toBeGreaterThan(before);
    await bob.engine.send(withAnn, 'wait');
    expect((await bob.store.get('contact', withAnn))!.doubts).toBeDefined();
    await new Promise((resolve) => setTimeout(resolve, 500));
    // It has not been encrypted by what was known before, and refused.
    const row = (await bob.store.all('outbox')).find(({ content }) => content.kind === 'text')!;
    expect([row.envelopes, row.renewals]).toEqual([undefined, undefined]);
    const engine = await bob.restart();
    down = false;
    const view = (await engine.openConversation(withAnn))!;
    await until(view, ({ messages }) => messages.at(-1)!.status === 'delivered', 'it');
    expect((await bob.store.get('contact', withAnn))!.doubts).toBeUndefined();
    expect(isStopped(bob, withAnn)).toBe(false);
  });
});
