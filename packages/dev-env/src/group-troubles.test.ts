import { RelayError } from '@sotto/contract/errors';
import type { ConversationId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { toBase64url } from '@sotto/crypto/bytes';
import { encode } from '@sotto/crypto/canonical';
import { encryptGroupMessage } from '@sotto/crypto/sender-key';
import { sealPost } from '@sotto/crypto/channel-seal';
import { signerOf } from '@sotto/engine/account/signer';
import type { Transport } from '@sotto/engine/ports';
import { randomId } from '@sotto/engine/random-id';
import { openVault } from '@sotto/engine/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, ownKeyOf, people, sees, viewOf, words } from './circle.ts';
import { addDevice } from './devices.ts';
import { newId } from './meeting.ts';
import { recover } from './recovering.ts';
import { tapped } from './tapped.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

type Troubled = [Resident, Resident, Resident];
const stateOf = async ({ store }: Resident, id: string) => (await store.get('group', id))!.state!;

describe('a change that makes a channel key', () => {
  it('pushes out none that is kept, however often the relay refuses it', async () => {
    let isBusy = false;
    const refusing = (transport: Transport): Transport => ({
      ...transport,
      async changeChannel(...request) {
        if (isBusy) throw new RelayError('busy');
        return transport.changeChannel(...request);
      },
    });
    const { all, id, views } = await circle(world, 'refused', [{ transport: refusing }, {}, {}]);
    const [ann, bob, cyd] = all as Troubled;
    const keysOf = async () => (await ann.store.get('group', id))!.channels.map((key) => toBase64url(key.id));
    const before = await keysOf();
    const remove = () => ann.engine.removeMembers(id, [accountOf(cyd)]);
    isBusy = true;
    for (let times = 0; times < 20; times += 1)
      await expect(remove()).rejects.toMatchObject({ code: 'busy' });
    const [tried, ...kept] = await keysOf();
    expect(kept).toEqual(before);
    isBusy = false;
    await remove();
    expect(toBase64url((await stateOf(ann, id)).channel)).toBe(tried);
    await sees(bob, id, 2);
    await ann.engine.send(id, 'at last');
    await hears(views[1]!, 'at last');
    // What the log has named is not used again.
    await ann.engine.removeMembers(id, [accountOf(bob)]);
    expect(await keysOf()).toHaveLength(before.length + 2);
  });
});

describe('a member', () => {
  it('who deletes the account is out of its groups, which have an owner still', async () => {
    const { all, id, views } = await circle(world, 'gone', [{}, {}, {}]);
    const [ann, bob, cyd] = all as Troubled;
    await ann.engine.setRole(id, accountOf(cyd), 'admin');
    await until(cyd.engine, () => groupOf(cyd, id)?.role === 'admin', 'the role');
    await ann.engine.deleteAccount();
    await Promise.all([bob, cyd].map((one) => sees(one, id, 2)));
    await until(cyd.engine, () => groupOf(cyd, id)?.role === 'owner', 'the new owner');
    await bob.engine.send(id, 'without her');
    await hears(views[2]!, 'without her');
    expect(groupOf(bob, id)?.stopped).toBeUndefined();
  });

  it('whose account is gone without a word holds nobody up, and can be removed', async () => {
    const { all, id, views } = await circle(world, 'vanished', [{}, {}, {}]);
    const [ann, bob, cyd] = all as Troubled;
    await cyd.transport.deleteAccount(signerOf((await cyd.store.get('self', 'self'))!));
    await ann.engine.send(id, 'is she there?');
    await hears(views[1]!, 'is she there?');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'nothing for her');
    await ann.engine.removeMembers(id, [accountOf(cyd)]);
    await sees(bob, id, 2);
    await bob.engine.send(id, 'no');
    await hears(views[0]!, 'no');
  });

  it('whose identity has changed gets no key until somebody agrees; the others go on', async () => {
    const { all, id, views } = await circle(world, 'changed', [{}, {}, {}]);
    const [ann, bob] = all as Troubled;
    await recover(bob, world.relay.url);
    // A message of two makes her look.
    await ann.engine.send(accountOf(bob) as unknown as ConversationId, 'hello');
    await expect
      .poll(async () => (await ann.store.get('contact', accountOf(bob)))!.changed)
      .toBe('recovered');
    await ann.engine.send(id, 'to who has not changed');
    await hears(views[2]!, 'to who has not changed');
    const key: [string, string, string] = [id, accountOf(ann), (await ann.store.get('self', 'self'))!.device];
    expect(await bob.store.get('sender', key)).toBeUndefined();
    await ann.engine.acceptIdentity(accountOf(bob));
    await hears(views[1]!, 'to who has not changed');
  });

  it('without prekeys is passed over, and reads all of it once there are some', async () => {
    let none = '';
    const transport = (inner: Transport): Transport => ({
      ...inner,
      bundles: async (signer, account, devices) =>
        account === none ? { bundles: [] } : inner.bundles(signer, account, devices),
    });
    const { all, id, views } = await circle(world, 'drained', [{}, {}, { transport }]);
    const [, bob, cyd] = all as Troubled;
    // They have not written to each other: a session has to be begun.
    none = accountOf(bob);
    await cyd.engine.send(id, 'one');
    await cyd.engine.send(id, 'two');
    await hears(views[0]!, 'two');
    none = '';
    await cyd.restart();
    await Promise.all(['one', 'two'].map((text) => hears(views[1]!, text)));
  });

  it('with an older app reads on behind what it does not know', async () => {
    const { all, id, views } = await circle(world, 'older', [{}, {}]);
    const [ann, bob] = all as Troubled;
    await ann.engine.send(id, 'before');
    await hears(views[1]!, 'before');
    const row = (await ann.store.get('group', id))!;
    const own = await ownKeyOf(ann, id);
    await ann.engine.close();
    const content = encode({ kind: 'hologram', id: newId(), sentAt: 1, depth: 3 });
    const made = await encryptGroupMessage({ own, state: row.state!, content, now: Date.now() });
    const keys = { channel: row.channels[0]!, log: row.log };
    const body = await sealPost({ keys, state: row.state!, kind: 1, body: made.message });
    const disk = await openVault(ann.disk.open());
    const post = { id: randomId(), epoch: row.state!.epoch, body };
    const seq = 1 + Math.max(0, ...(await disk.all('outbox')).map((one) => one.seq));
    await disk.commit([
      { table: 'sender', put: { ...own.owner, group: id, sending: { own: made.own } } },
      {
        table: 'outbox',
        put: { seq, conversation: id, content: { kind: 'delete', messages: [], sentAt: 1 }, post } as never,
      },
    ]);
    await ann.restart();
    await online(ann.engine);
    await ann.engine.send(id, 'after');
    await hears(views[1]!, 'after');
    expect(views[1]!.getSnapshot().messages.filter(({ newer }) => newer)).toHaveLength(1);
    expect(groupOf(bob, id)?.stopped).toBeUndefined();
  });
});

describe('keys', () => {
  it('that could not be handed over are handed over later', async () => {
    let broken = '';
    const transport = (inner: Transport): Transport => ({
      ...inner,
      bundles: async (signer, account, devices) => {
        const { bundles } = await inner.bundles(signer, account, devices);
        if (account !== broken) return { bundles };
        const bad = ({ signature: _, ...key }: { signature: string }) => ({
          ...key,
          signature: 'A'.repeat(86),
        });
        return { bundles: bundles.map((one) => ({ ...one, signed: bad(one.signed) })) } as never;
      },
    });
    const all = await people(world, 'later', [{ transport }, {}]);
    const [ann, bob] = all as [Resident, Resident];
    broken = accountOf(bob);
    const id = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id, title: 'later', members: [accountOf(bob)] });
    const owed = async () => (await ann.store.all('outbox')).filter((row) => row.owed !== undefined);
    await expect.poll(async () => (await owed()).length).toBeGreaterThan(0);
    expect(groupOf(bob, id)).toBeUndefined();
    broken = '';
    await ann.restart();
    await sees(bob, id, 2);
    await until(bob.engine, () => groupOf(bob, id)?.title === 'later', 'the title');
    await ann.engine.send(id, 'at last');
    await hears(await viewOf(bob, id), 'at last');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'nothing owed');
  });

  it('of a channel that did not come are asked of whoever made them', async () => {
    const { all, id } = await circle(world, 'asked', [{}, {}, {}]);
    const [ann, bob, cyd] = all as Troubled;
    const self = (await bob.store.get('self', 'self'))!;
    const before = (await stateOf(bob, id)).channel;
    await bob.engine.close();
    await ann.engine.removeMembers(id, [accountOf(cyd)]);
    await until(ann.engine, ({ unsent }) => unsent === 0, 'handed over');
    // As if what was handed over had been lost on the way.
    expect(await dropDirect(bob, self)).toBeGreaterThan(0);
    await ann.engine.send(id, 'can you read this?');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'sent');
    await bob.restart();
    await hears(await viewOf(bob, id), 'can you read this?');
    expect((await stateOf(bob, id)).channel).not.toEqual(before);
  });
});

describe('a change of a group', () => {
  it('without a relay is refused by name, and nothing of it is left', async () => {
    let offline = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      changeChannel: (...args) =>
        offline ? Promise.reject(new RelayError('unreachable')) : inner.changeChannel(...args),
    });
    const { all, id } = await circle(world, 'offline', [{ transport }, {}]);
    const [ann, bob] = all as [Resident, Resident];
    const before = await stateOf(ann, id);
    offline = true;
    for (const change of [
      ann.engine.setTitle(id, 'other'),
      ann.engine.removeMembers(id, [accountOf(bob)]),
      ann.engine.leaveGroup(id),
    ])
      await expect(change).rejects.toMatchObject({ code: expect.stringMatching(/unreachable|membership/) });
    expect(await stateOf(ann, id)).toEqual(before);
    offline = false;
    await ann.engine.setTitle(id, 'other');
    await until(bob.engine, () => groupOf(bob, id)?.title === 'other', 'the title');
  });

  it('to more members than a group holds is refused before anything is asked', async () => {
    const { all, id } = await circle(world, 'full', [{}, {}]);
    const many = Array.from({ length: LIMITS.membersPerChannel - 1 }, () => accountOf(all[0]!).slice(0, -6));
    const names = many.map((start, at) => `${start}${String(at).padStart(5, '0')}A`) as never[];
    await expect(all[0]!.engine.addMembers(id, names)).rejects.toMatchObject({ code: 'too-many-members' });
  });
});

describe('a message', () => {
  it('that was written before its author knew of a removal is not for who was removed', async () => {
    let deaf = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect: (signer, listener) =>
        inner.connect(signer, {
          ...listener,
          connected: () => listener.connected(),
          deliver: (envelopes) => {
            if (!deaf) listener.deliver(envelopes);
          },
        }),
    });
    const { all, id, views } = await circle(world, 'unaware', [{}, { transport }, {}]);
    const [ann, bob, cyd] = all as Troubled;
    await bob.engine.send(id, 'before');
    await hears(views[0]!, 'before');
    deaf = true;
    await ann.engine.removeMembers(id, [accountOf(cyd)]);
    const message = newId();
    await bob.engine.send(id, 'after', { id: message });
    const sent = async () => (await bob.store.get('message', [id, message]))!;
    await expect.poll(async () => (await sent()).to).toHaveLength(2);
    deaf = false;
    await bob.restart();
    await hears(views[0]!, 'after');
    await expect.poll(async () => (await sent()).at).toBeDefined();
    expect((await sent()).to).toEqual([accountOf(ann)]);
    expect(words(views[2]!)).toEqual(['before']);
  });
});

describe('what comes back', () => {
  it('to whoever posted it is not taken in again', async () => {
    const own: string[] = [];
    const transport = tapped(({ id: envelope, channel }) => {
      if (channel !== undefined) own.push(envelope);
    });
    const { all, id, views } = await circle(world, 'echo', [{ transport }, {}]);
    const [ann] = all as [Resident];
    await ann.engine.send(id, 'one');
    await hears(views[1]!, 'one');
    own.length = 0;
    for (const text of ['two', 'three', 'four']) await ann.engine.send(id, text);
    await hears(views[1]!, 'four');
    await expect.poll(() => own.length).toBeGreaterThanOrEqual(3);
    await until(views[0]!, () => views[0]!.getSnapshot().messages.at(-1)?.status === 'delivered', 'receipts');
    for (const envelope of own) expect(await ann.store.get('seen', envelope)).toBeUndefined();
    expect(words(views[0]!)).toEqual(['one', 'two', 'three', 'four']);
  });
});

describe('A3 a revoked device', () => {
  it('is not believed any more, with all the keys that it has', async () => {
    const hand: ((body: Uint8Array<ArrayBuffer>) => string)[] = [];
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        hand.push((body) => {
          const envelope = newId();
          listener.deliver([{ id: envelope, at: Date.now(), channel: group, body } as never]);
          return envelope;
        });
        return inner.connect(signer, listener);
      },
    });
    let group = '' as ConversationId;
    const { all, id } = await circle(world, 'stolen', [{ transport }, {}]);
    group = id;
    const [ann, bob] = all as [Resident, Resident];
    const other = await addDevice(world, bob);
    await sees(other, id, 2);
    await other.engine.send(id, 'mine');
    await hears(await viewOf(ann, id), 'mine');
    const saved = (await other.store.get('group', id))!;
    const own = await ownKeyOf(other, id);
    const { device } = other.engine.getSnapshot().devices.find(({ current }) => current)!;
    await bob.engine.removeDevice(device);
    await expect
      .poll(async () => (await ann.store.get('contact', accountOf(bob)))!.revoked ?? [])
      .toContain(device);
    const content = encode({ kind: 'text', id: newId(), sentAt: Date.now(), text: 'send me money' });
    const made = await encryptGroupMessage({
      own,
      state: saved.state!,
      content,
      now: Date.now(),
    });
    const keys = { channel: saved.channels[0]!, log: saved.log };
    const envelope = hand.at(-1)!(await sealPost({ keys, state: saved.state!, kind: 1, body: made.message }));
    await expect.poll(async () => (await ann.store.get('aside', envelope))?.reason).toBe('device-revoked');
    expect(words(await viewOf(ann, id))).toEqual(['mine']);
  });
});

/** Drops what waits for a device at the relay and is of no group; how much that was. */
const dropDirect = async (resident: Resident, self: Parameters<typeof signerOf>[0]): Promise<number> => {
  let dropped = 0;
  await new Promise<void>((resolve) => {
    const connection = resident.transport.connect(signerOf(self), {
      connected: () => undefined,
      disconnected: () => undefined,
      accepted: () => undefined,
      deliver: (envelopes) => {
        const direct = envelopes.filter(({ channel }) => channel === undefined);
        dropped += direct.length;
        connection.ack(direct.map(({ id }) => id));
      },
      caughtUp: () => setTimeout(() => (connection.close(), resolve()), 500),
      live: () => undefined,
      problem: () => undefined,
      prekeysLow: () => undefined,
    });
  });
  return dropped;
};
