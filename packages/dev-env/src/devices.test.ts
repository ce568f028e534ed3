import { RelayError } from '@sotto/contract/errors';
import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import type { ChainHead, ConversationId, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { toBase64url } from '@sotto/crypto/bytes';
import { encode } from '@sotto/crypto/canonical';
import { setRecoveryKey, verifyChain } from '@sotto/crypto/chain';
import { generateSealingPair, generateSigningKey } from '@sotto/crypto/keys';
import { seal } from '@sotto/crypto/seal';
import { createSealingKey } from '@sotto/crypto/sealing-key';
import { encrypt } from '@sotto/crypto/session';
import { KIND_SESSION } from '@sotto/crypto/session-body';
import { signerOf } from '@sotto/engine/account/signer';
import { wireSealingKey } from '@sotto/engine/account/sealing';
import type { Transport } from '@sotto/engine/ports';
import type { SelfRow } from '@sotto/engine/rows';
import type { Engine } from '@sotto/engine/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { createWorld, online, type Resident, until, type World, type Wrap } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const resident = (wrap?: Wrap) => world.resident(`someone_${++count}`, wrap);
const selfOf = async ({ store }: Resident): Promise<SelfRow> => (await store.get('self', 'self'))!;
const idOf = ({ engine }: Resident) => engine.getSnapshot().me!.account as unknown as ConversationId;
const viewOf = async (engine: Engine, id: ConversationId) => {
  await until(engine, ({ conversations }) => conversations.some((one) => one.id === id), 'the conversation');
  return (await engine.openConversation(id))!;
};
const textsOf = async ({ engine }: Resident, id: ConversationId, last: string): Promise<string[]> => {
  const view = await viewOf(engine, id);
  await until(view, ({ messages }) => messages.some(({ text }) => text === last), last);
  const texts = view.getSnapshot().messages.map(({ text }) => text);
  view.close();
  return texts;
};
const delivered = async (engine: Engine, id: ConversationId, text: string): Promise<void> => {
  const view = await viewOf(engine, id);
  const isDelivered = () =>
    view
      .getSnapshot()
      .messages.some((message) => message.text === text && ['delivered', 'read'].includes(message.status));
  await until(view, isDelivered, `${text} delivered`);
  view.close();
};
const statusOf = async (engine: Engine, id: ConversationId, text: string): Promise<string | undefined> => {
  const view = await viewOf(engine, id);
  const message = view.getSnapshot().messages.find((one) => one.text === text);
  view.close();
  return message?.status;
};

/** Two people who know each other, `ann` with two devices. */
const pair = async (wraps: { bob?: Wrap; second?: Wrap } = {}) => {
  const [ann, bob] = [await resident(), await resident(wraps.bob)];
  const [withBob, withAnn] = [idOf(bob), idOf(ann)];
  await ann.engine.addContact(bob.engine.getSnapshot().contact!);
  await bob.engine.addContact(ann.engine.getSnapshot().contact!);
  await bob.engine.send(withAnn, 'before');
  await delivered(bob.engine, withAnn, 'before');
  const second = await addDevice(world, ann, wraps.second);
  return { ann, second, bob, withBob, withAnn };
};

describe('an account with several devices', () => {
  it('all devices of both sides show each message once, in one order, and what one reads is read', async () => {
    const { ann, second, bob, withBob, withAnn } = await pair();
    const other = await addDevice(world, bob);
    const all: [Resident, ConversationId][] = [
      [ann, withBob],
      [second, withBob],
      [bob, withAnn],
      [other, withAnn],
    ];
    for (let round = 0; round < 3; round += 1) {
      for (const [{ engine }, id] of all)
        await engine.send(id, `${all.findIndex(([one]) => one.engine === engine)} ${round}`);
    }
    for (const [{ engine }, id] of all) {
      const view = await viewOf(engine, id);
      const wanted = () => view.getSnapshot().messages.filter(({ text }) => text !== 'before').length === 12;
      await until(view, wanted, 'all of them');
      const isSettled = () => view.getSnapshot().messages.every(({ status }) => status !== 'waiting');
      await until(view, isSettled, 'their places');
      view.close();
    }
    const lists = [];
    for (const [{ engine }, id] of all) {
      const view = await viewOf(engine, id);
      lists.push(
        view
          .getSnapshot()
          .messages.map(({ text }) => text)
          .filter((text) => text !== 'before'),
      );
      view.close();
    }
    expect(new Set(lists[0]).size).toBe(12);
    for (const list of lists) expect(list).toEqual(lists[0]);
    for (const from of all.keys()) {
      const own = lists[0]!.filter((text) => text.startsWith(`${from} `));
      expect(own).toEqual([0, 1, 2].map((round) => `${from} ${round}`));
    }

    await until(second.engine, ({ conversations }) => conversations[0]!.unread >= 6, 'unread');
    await ann.engine.markRead(withBob);
    await until(second.engine, ({ conversations }) => conversations[0]!.unread === 0, 'read elsewhere');
  });

  it('one that is added gets what is sent from then on, and nobody is asked', async () => {
    const { ann, second, bob, withBob, withAnn } = await pair();
    await bob.engine.send(withAnn, 'after');
    expect(await textsOf(second, withBob, 'after')).toEqual(['after']);
    expect(await textsOf(ann, withBob, 'after')).toEqual(['before', 'after']);
    await second.engine.send(withBob, 'from the new one');
    expect(await textsOf(bob, withAnn, 'from the new one')).toEqual(['before', 'after', 'from the new one']);
    expect(await textsOf(ann, withBob, 'from the new one')).toEqual(['before', 'after', 'from the new one']);
    const [summary] = bob.engine.getSnapshot().conversations;
    expect(summary).toMatchObject({ peer: { verified: true } });
    expect(summary!.stopped).toBeUndefined();
    expect(second.engine.getSnapshot().devices.map(({ current }) => current)).toEqual([false, true]);
    const [contact] = second.engine.getSnapshot().conversations;
    expect(contact!.peer).toMatchObject({ handle: bob.engine.getSnapshot().me!.handle, verified: false });
  });

  it('one that was away catches up, and all agree', async () => {
    const { ann, second, bob, withBob, withAnn } = await pair();
    await second.engine.close();
    for (let at = 0; at < 3; at += 1) {
      await bob.engine.send(withAnn, `bob ${at}`);
      await ann.engine.send(withBob, `ann ${at}`);
      await delivered(ann.engine, withBob, `ann ${at}`);
      await delivered(bob.engine, withAnn, `bob ${at}`);
    }
    await second.restart();
    const mine = await textsOf(ann, withBob, 'bob 2');
    const view = await viewOf(second.engine, withBob);
    await until(view, ({ messages }) => messages.length === 6, 'what was missed');
    expect(['before', ...view.getSnapshot().messages.map(({ text }) => text)]).toEqual(mine);
  });

  it('one that is removed gets nothing any more, and nothing of it is taken', async () => {
    const { ann, second, bob, withBob, withAnn } = await pair();
    const eve = await resident();
    await second.engine.send(withBob, 'while it may');
    await textsOf(bob, withAnn, 'while it may');
    await bob.engine.send(withAnn, 'to both');
    await textsOf(second, withBob, 'to both');
    const self = await selfOf(second);
    await ann.engine.removeDevice(self.device as DeviceId);
    await until(second.engine, ({ phase }) => phase === 'removed', 'the removal');
    expect(ann.engine.getSnapshot().devices).toHaveLength(1);

    await bob.engine.send(withAnn, 'to one');
    await textsOf(ann, withBob, 'to one');
    await delivered(bob.engine, withAnn, 'to one');
    await second.engine.send(withBob, 'too late').catch(() => undefined);
    expect(await statusOf(second.engine, withBob, 'to one')).toBeUndefined();
    expect(await statusOf(second.engine, withBob, 'too late')).not.toBe('sent');
    const known = (await bob.store.get('contact', withAnn))!;
    expect(known.devices.map(({ device }) => device)).not.toContain(self.device);
    expect(await bob.store.get('peer', [withAnn, self.device])).toBeUndefined();

    // By way of somebody else, in a session that was good.
    const target = await selfOf(bob);
    const { state } = (await second.store.get('peer', [withBob, target.device]))!;
    const content = { kind: 'text', id: toBase64url(new Uint8Array(16)), sentAt: 0, text: 'still me' };
    const { body } = await encrypt({ state, plaintext: encode(content), now: Date.now() });
    const { id, publicKey } = target.sealing[0]!;
    const sealed = await seal({
      from: { account: self.account, device: self.device },
      to: { account: target.account, device: target.device, sealingKey: { id, publicKey } },
      kind: KIND_SESSION,
      body,
    });
    const envelope = toBase64url(crypto.getRandomValues(new Uint8Array(16))) as EnvelopeId;
    const connection = eve.transport.connect(signerOf(await selfOf(eve)), {
      connected: () =>
        connection.send([
          {
            id: envelope,
            device: target.device as DeviceId,
            head: target.account as unknown as ChainHead,
            body: sealed,
          } as OutgoingEnvelope,
        ]),
      disconnected: () => undefined,
      accepted: () => undefined,
      deliver: () => undefined,
      live: () => undefined,
      caughtUp: () => undefined,
      problem: () => undefined,
      prekeysLow: () => undefined,
    });
    let reason: string | undefined;
    for (let tries = 0; reason === undefined && tries < 800; tries += 1) {
      reason = (await bob.store.get('aside', envelope))?.reason;
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    connection.close();
    expect(reason).toBe('device-revoked');
    expect(await statusOf(bob.engine, withAnn, 'still me')).toBeUndefined();
  });

  it('one that cannot take its copy is owed it, and holds nobody up', async () => {
    let full: string | undefined;
    const wrap = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        const connection = inner.connect(signer, listener);
        return {
          ...connection,
          send(envelopes) {
            const refused = envelopes.filter(({ device }) => device === full);
            const rest = envelopes.filter(({ device }) => device !== full);
            const answer = refused.map(({ id }) => ({ id, code: 'inbox-full' as const }));
            setTimeout(() => listener.accepted(answer), 1);
            return rest.length === 0 || connection.send(rest);
          },
        };
      },
    });
    const { ann, second, bob, withBob, withAnn } = await pair({ bob: { transport: wrap } });
    await bob.engine.send(withAnn, 'to both');
    await textsOf(second, withBob, 'to both');
    full = (await selfOf(second)).device;
    await bob.engine.send(withAnn, 'one');
    await delivered(bob.engine, withAnn, 'one');
    const owing = (await bob.store.all('outbox')).filter(({ content }) => content.kind === 'text');
    expect(owing.map(({ owed, done }) => [typeof owed, done?.length])).toEqual([['number', 1]]);
    await bob.engine.send(withAnn, 'two');
    await textsOf(ann, withBob, 'two');
    await delivered(bob.engine, withAnn, 'two');
    expect(await statusOf(second.engine, withBob, 'two')).toBeUndefined();
    full = undefined;
    await textsOf(second, withBob, 'one');
    await textsOf(second, withBob, 'two');
    await bob.engine.send(withAnn, 'three');
    expect((await textsOf(second, withBob, 'three')).filter((text) => text === 'one')).toHaveLength(1);
  });
});

describe('a repair', () => {
  it('is for the one device that asks: the others get nothing again', async () => {
    const sent: string[] = [];
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        const connection = inner.connect(signer, listener);
        const send: typeof connection.send = (envelopes) => {
          sent.push(...envelopes.map(({ device }) => device));
          return connection.send(envelopes);
        };
        return { ...connection, send };
      },
    });
    const { ann, second, bob, withBob, withAnn } = await pair({ bob: { transport } });
    await second.engine.send(withBob, 'from the second');
    await textsOf(bob, withAnn, 'from the second');
    await bob.engine.send(withAnn, 'to both');
    await textsOf(second, withBob, 'to both');
    await delivered(bob.engine, withAnn, 'to both');
    await second.engine.close();
    const disk = second.disk.open();
    for (const { account, device } of await disk.all('peer')) {
      await disk.commit([{ table: 'peer', remove: [account, device] }]);
    }
    await bob.engine.send(withAnn, 'lost there');
    await delivered(bob.engine, withAnn, 'lost there');
    const first = (await selfOf(ann)).device;
    const before = sent.filter((device) => device === first).length;
    await second.restart();
    await textsOf(second, withBob, 'lost there');
    await bob.engine.send(withAnn, 'after');
    await textsOf(second, withBob, 'after');
    await textsOf(ann, withBob, 'after');
    // The message itself, and the receipts that it and others were answered with; no second copy of what was lost.
    const again = sent.filter((device) => device === first).length - before;
    expect(again).toBe(1);
  });
});

describe('A1 an identity that changes', () => {
  it('a relay that names a device of its own for a contact that is known: sending stops until the person agrees', async () => {
    const eve = await resident();
    let lied: ConversationId | undefined;
    let asked = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      account: async (signer, account) => {
        const answer: AccountResponse = await inner.account(signer, account);
        if ((account as string) !== lied) return answer;
        asked += 1;
        const other = await inner.account(signer, idOf(eve) as never);
        return { ...answer, devices: [...answer.devices, ...other.devices] };
      },
    });
    const { ann, bob, withBob, withAnn } = await pair({ bob: { transport } });
    lied = withAnn;
    // The new device makes what bob knows stale.
    await bob.engine.send(withAnn, 'wait');
    await until(
      bob.engine,
      ({ conversations }) => conversations[0]!.stopped === 'identity-changed',
      'the stop',
    );
    expect(asked).toBeGreaterThan(0);
    expect(await statusOf(bob.engine, withAnn, 'wait')).toBe('waiting');
    expect(await statusOf(ann.engine, withBob, 'wait')).toBeUndefined();
    lied = undefined;
    bob.engine.nudge();
    expect(await statusOf(bob.engine, withAnn, 'wait')).toBe('waiting');
    await bob.engine.acceptIdentity(withAnn);
    await delivered(bob.engine, withAnn, 'wait');
  });

  it('an account that its recovery key changed: sending stops, the contact is to be verified again, and its owner is told', async () => {
    const [ann, bob] = [await resident(), await resident()];
    await online(ann.engine);
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    await bob.engine.send(withAnn, 'before');
    await delivered(bob.engine, withAnn, 'before');
    const self = await selfOf(ann);
    const author = { createdAt: Date.now() };
    const newKey = async () => ({
      signing: await generateSigningKey(),
      sealing: (await generateSealingPair()).publicKey,
    });
    const [first, next] = [await newKey(), await newKey()];
    const append = async (
      state: Awaited<ReturnType<typeof verifyChain>>,
      by: SelfRow['signing'],
      recovery: typeof first,
    ) => {
      const made = await setRecoveryKey({ ...author, state, author: by, recovery });
      const head = toBase64url(state.head) as ChainHead;
      await ann.transport.append(signerOf(self), { head, event: toBase64url(made.event) });
      return made.state;
    };
    const state = await append(await verifyChain(self.chain.map(({ event }) => event)), self.signing, first);
    await append(state, first.signing, next);
    await bob.engine.send(withAnn, 'wait');
    const { conversations } = await until(
      bob.engine,
      (snapshot) => snapshot.conversations[0]!.stopped === 'identity-changed',
      'the stop',
    );
    expect(conversations[0]!.peer.verified).toBe(false);
    await bob.engine.acceptIdentity(withAnn);
    await delivered(bob.engine, withAnn, 'wait');
    const engine = await ann.restart();
    await until(engine, ({ alarm }) => alarm === 'identity-changed', 'the alarm');
    await engine.acceptIdentity(idOf(ann));
    expect(engine.getSnapshot().alarm).toBeUndefined();
  });
});

describe('A7 a profile that was copied', () => {
  it('is noticed at the start, sends nothing until the person decides, and then goes on in new sessions', async () => {
    const [ann, bob] = [await resident(), await resident()];
    const withBob = await ann.engine.addContact(bob.engine.getSnapshot().contact!);
    await ann.engine.send(withBob, 'before');
    await delivered(ann.engine, withBob, 'before');
    const self = await selfOf(ann);
    const { state } = (await ann.store.all('peer'))[0]!;
    await ann.engine.close();
    // The other copy has gone on, and had a new sealing key meanwhile.
    const owner = { account: self.account, device: self.device, signing: self.signing.privateKey };
    const sealingKey = wireSealingKey(await createSealingKey({ ...owner, id: 2, createdAt: Date.now() }));
    await ann.transport.publishPrekeys(signerOf(self), { sealingKey, oneTime: [], pqOneTime: [] });

    const engine = await ann.restart();
    await until(engine, ({ alarm }) => alarm === 'profile-copied', 'the alarm');
    await engine.send(withBob, 'wait');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(await statusOf(engine, withBob, 'wait')).toBe('waiting');
    await engine.startAnew();
    await delivered(engine, withBob, 'wait');
    const after = (await ann.store.all('peer'))[0]!;
    expect(after.state.generation).toBeGreaterThan(state.generation);
    expect((await selfOf(ann)).sealing.at(-1)!.id).toBe(3);
    expect(engine.getSnapshot().alarm).toBeUndefined();
  });
});

describe('a message that is taken back', () => {
  it('never leaves when it is not under way yet; afterwards it is too late', async () => {
    let down = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      account: async (signer, account) => {
        if (down) throw new RelayError('unreachable');
        return inner.account(signer, account);
      },
    });
    const [ann, bob] = [await resident(), await resident({ transport })];
    await online(bob.engine);
    down = true;
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    await bob.engine.send(withAnn, 'a slip');
    await bob.engine.send(withAnn, 'meant');
    const view = await viewOf(bob.engine, withAnn);
    const [slip, meant] = view.getSnapshot().messages;
    await bob.engine.cancel(withAnn, slip!.id);
    expect(view.getSnapshot().messages.map(({ text }) => text)).toEqual(['meant']);
    down = false;
    await delivered(bob.engine, withAnn, 'meant');
    await expect(bob.engine.cancel(withAnn, meant!.id)).rejects.toMatchObject({ code: 'too-late' });
    expect(await textsOf(ann, idOf(bob), 'meant')).toEqual(['meant']);
  });
});
