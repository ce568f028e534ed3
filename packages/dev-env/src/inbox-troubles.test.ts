import type { IncomingEnvelope, OutgoingEnvelope } from '@sotto/contract/envelope';
import { RelayError } from '@sotto/contract/errors';
import type { AccountId, DeviceId } from '@sotto/contract/ids';
import { encode } from '@sotto/crypto/canonical';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { seal } from '@sotto/crypto/seal';
import { encrypt, startSession } from '@sotto/crypto/session';
import { KIND_SESSION } from '@sotto/crypto/session-body';
import { signerOf } from '@sotto/engine/account/signer';
import { type Clock, systemClock } from '@sotto/engine/clock';
import { createBudget, createUnclaimed } from '@sotto/engine/inbox/unclaimed';
import { openModel } from '@sotto/engine/model';
import type { Transport } from '@sotto/engine/ports';
import type { SelfRow } from '@sotto/engine/rows';
import { ownDevice, publicDevice, toBundle } from '@sotto/engine/sessions';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { idOf, meet, newId, texts, viewOf } from './meeting.ts';
import { tapped } from './tapped.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const selfOf = async ({ store }: Resident): Promise<SelfRow> => (await store.get('self', 'self'))!;

const sealFor = async (
  from: { account: string; device: string },
  to: Resident,
  body: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> => {
  const { account, device, sealing } = await selfOf(to);
  const { id, publicKey } = sealing[0]!;
  return seal({ from, to: { account, device, sealingKey: { id, publicKey } }, kind: KIND_SESSION, body });
};

/** Something that a device says to one of somebody's, past its engine. */
const forge = async (by: Resident, to: Resident, content: unknown): Promise<Uint8Array<ArrayBuffer>> => {
  const [self, { account, device, signing, identity }] = [await selfOf(by), await selfOf(to)];
  const { bundles } = await by.transport.bundles(signerOf(self), account as AccountId, [device as DeviceId]);
  const now = Date.now();
  const keys = { device, signing: signing.publicKey, identity: identity.publicKey };
  const peer = publicDevice(account, keys);
  const bundle = toBundle(bundles[0]!);
  const { state } = await startSession({ me: ownDevice(self), peer, bundle, state: undefined, now });
  const made = await encrypt({ state, plaintext: encode(content as never), now });
  const row = { account, device, state: made.state, repairs: NO_REPAIRS, renew: false };
  await by.store.commit([{ table: 'peer', put: row }]);
  return sealFor({ account: self.account, device: self.device }, to, made.body);
};

const post = async (from: Resident, to: Resident, bodies: readonly Uint8Array[]): Promise<void> => {
  const [self, { device, head, delivery: token }] = [await selfOf(from), await selfOf(to)];
  const all = bodies.map((body) => ({ id: newId(), device, head, token, body }) as OutgoingEnvelope);
  for (let start = 0; start < all.length; start += 8) {
    await new Promise<void>((resolve, reject) => {
      const connection = from.transport.connect(signerOf(self), {
        connected: () => connection.send(all.slice(start, start + 8)),
        accepted: (results) => {
          connection.close();
          if (results.every((result) => 'at' in result)) resolve();
          else reject(new Error('refused'));
        },
        disconnected: () => undefined,
        deliver: () => undefined,
        caughtUp: () => undefined,
        live: () => undefined,
        problem: reject,
        prekeysLow: () => undefined,
      });
    });
  }
};

describe('who cannot be asked about', () => {
  it('does not stand in the way of others, and is looked at again after a crash', async () => {
    const nobody = new Set<string>();
    let answers = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      async account(signer, account) {
        if (nobody.has(account)) throw new RelayError(answers ? 'account-unknown' : 'too-many-requests');
        return inner.account(signer, account);
      },
    });
    const { ann, bob, withAnn, withBob } = await meet(world, 'unasked', { ann: { transport } });
    const eve = await world.resident('eve_unasked');
    const bodies: Uint8Array[] = [];
    // As much as the relay hands out before something is acknowledged.
    for (let count = 0; count < 20; count += 1) {
      const account = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
      nobody.add(account);
      bodies.push(await sealFor({ account, device: newId() }, ann, new Uint8Array(60_000)));
    }
    await post(eve, ann, bodies);
    await bob.engine.send(withAnn, 'honest');
    const view = await viewOf(ann, withBob);
    await until(view, () => texts(view).includes('honest'), 'the honest one');
    await expect.poll(() => ann.store.count('unclaimed')).toBe(20);
    answers = true;
    await ann.restart();
    await expect.poll(() => ann.store.count('unclaimed')).toBe(0);
    const reasons = (await ann.store.all('aside')).map(({ reason }) => reason);
    expect(reasons).toEqual(Array.from({ length: 20 }, () => 'account-unknown'));
  });

  it('is kept up to a bound, and then set aside, but for contacts', async () => {
    const contact = 'contact';
    const store = createMemoryDisk().open();
    const keys = { chain: [], devices: [], handle: contact, verified: false, introduced: false };
    await store.commit([{ table: 'contact', put: { ...keys, account: contact } }]);
    const model = await openModel(store);
    const unclaimed = createUnclaimed(model);
    const later = (account: string) => {
      const envelope = { id: newId(), at: 1, body: new Uint8Array(1) } as IncomingEnvelope;
      return { envelope, later: { account, device: 'd' } };
    };
    const batch = [...Array.from({ length: 201 }, () => later('stranger')), later(contact)];
    const admitted = unclaimed.admit(batch);
    await model.change((draft) => unclaimed.keep(draft, admitted, 1));
    unclaimed.kept(admitted);
    expect(await store.count('unclaimed')).toBe(200);
    expect(admitted[200]).toMatchObject({ reason: 'sender-unknown' });
    expect(admitted[201]).toBe(batch[201]);
    expect(batch.map(({ envelope }) => unclaimed.has(envelope.id)).lastIndexOf(true)).toBe(199);
    const settled = [{ envelope: batch[0]!.envelope, reason: 'account-unknown' }];
    await model.change((draft) => unclaimed.keep(draft, settled, 1));
    expect(await store.count('unclaimed')).toBe(199);
  });

  it('is asked about so often in a minute', () => {
    let now = 0;
    const may = createBudget({ ...systemClock, now: () => now }, 2);
    expect([may(), may(), may()]).toEqual([true, true, false]);
    now = 60_000;
    expect([may(), may(), may()]).toEqual([true, true, false]);
    now = -60_000;
    expect(may()).toBe(true);
  });
});

describe('a message under the id of another', () => {
  it("takes the place of none of one's own", async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'clash');
    const second = await addDevice(world, ann);
    await bob.engine.send(withAnn, 'to both');
    const there = await viewOf(second, withBob);
    await until(there, () => texts(there).includes('to both'), 'what both get');
    const id = newId();
    await post(bob, second, [await forge(bob, second, { kind: 'text', id, sentAt: 0, text: 'bob says' })]);
    await until(there, () => texts(there).includes('bob says'), 'what bob says');
    await ann.engine.send(withBob, 'ann says', { id });
    await until(there, () => texts(there).includes('ann says'), 'what ann says');
    expect(texts(there)).toContain('bob says');
    expect(there.getSnapshot().messages.find((message) => message.id === id)).toMatchObject({ mine: true });
    await ann.engine.edit(withBob, id, 'ann says otherwise');
    await until(there, () => texts(there).includes('ann says otherwise'), 'the edit');
    expect(texts(there)).toContain('bob says');
  });
});

describe('an accept time from far ahead', () => {
  it('keeps nothing that comes after it from own devices', async () => {
    let odd = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect: (signer, listener) =>
        inner.connect(signer, {
          ...listener,
          connected: () => listener.connected(),
          accepted: (results) =>
            listener.accepted(
              results.map((result) => (odd && 'at' in result ? { ...result, at: 2 ** 50 } : result)),
            ),
        }),
    });
    const { ann, anns, withBob } = await meet(world, 'ahead', { ann: { transport } });
    const second = await addDevice(world, ann);
    await online(second.engine);
    odd = true;
    await ann.engine.send(withBob, 'odd');
    await until(anns, ({ messages }) => messages.at(-1)!.status !== 'waiting', 'sent');
    odd = false;
    await ann.engine.send(withBob, 'after it');
    const there = await viewOf(second, withBob);
    await until(there, () => texts(there).includes('after it'), 'what came after it');
    expect(await second.store.all('aside')).toEqual([]);
    const orders = (await ann.store.messages({ conversation: withBob }, { limit: 9 })).map(
      ({ order }) => order,
    );
    expect(Math.max(0, ...orders)).toBeLessThan(Date.now() + 400 * 24 * 60 * 60 * 1000);
  });
});

it('whom another device of the account has written to is no stranger, whatever else it told', async () => {
  const [ann, bob] = [await world.resident('ann_answers'), await world.resident('bob_asks')];
  const second = await addDevice(world, ann);
  const withAnn = await bob.engine.addContact({ handle: ann.engine.getSnapshot().me!.handle });
  await bob.engine.send(withAnn, 'do you know me?');
  const anns = await viewOf(ann, idOf(bob));
  const isRequest = () => anns.getSnapshot().request === true;
  await until(anns, isRequest, 'the request');
  const sent = { kind: 'text', id: newId(), sentAt: Date.now(), text: 'yes' };
  await post(second, ann, [await forge(second, ann, { kind: 'sync', conversation: idOf(bob), sent })]);
  await until(anns, () => texts(anns).includes('yes'), 'the answer');
  expect(isRequest()).toBe(false);
});

describe('the last message before a chain turns', () => {
  it('is asked for when it was lost', async () => {
    let loses = false;
    const lost = new Set<string>();
    const losing = tapped(({ id }) => {
      if (loses) lost.add(id);
      return lost.has(id) ? [] : undefined;
    });
    let holds = false;
    const held: IncomingEnvelope[] = [];
    const holding = tapped((envelope) => {
      held.push(envelope);
      return holds ? [] : held.splice(0);
    });
    // Its minutes are short.
    let ahead = 0;
    const clock: Clock = {
      now: () => systemClock.now() + ahead,
      after: (ms, task) =>
        ms === 60_000
          ? systemClock.after(500, () => {
              ahead += ms;
              task();
            })
          : systemClock.after(ms, task),
    };
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'turn', {
      ann: { transport: holding },
      bob: { transport: losing, clock },
    });
    // While nothing of bob's comes the chain goes on.
    holds = true;
    await ann.engine.send(withBob, 'first');
    await until(bobs, () => texts(bobs).includes('first'), 'the first');
    loses = true;
    await ann.engine.send(withBob, 'last');
    await expect.poll(() => lost.size).toBe(1);
    loses = false;
    holds = false;
    await bob.engine.send(withAnn, 'turn');
    await until(anns, () => texts(anns).includes('turn'), 'what turns it');
    // Her receipt has told of a chain of two; what leaves meanwhile forgets nothing of that.
    await ann.engine.send(withBob, 'after');
    await until(bobs, () => texts(bobs).includes('after'), 'what came after');
    await until(bobs, () => texts(bobs).includes('last'), 'what was lost');
    expect(texts(bobs).filter((text) => text === 'first')).toHaveLength(1);
  });
});
