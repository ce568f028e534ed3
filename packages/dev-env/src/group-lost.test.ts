import type { ConversationId } from '@sotto/contract/ids';
import { RelayError } from '@sotto/contract/errors';
import { sealEntry } from '@sotto/crypto/channel-seal';
import { generateSigningKey } from '@sotto/crypto/keys';
import { propose } from '@sotto/crypto/membership';
import type { Operation } from '@sotto/crypto/membership-operation';
import { signerOf } from '@sotto/engine/account/signer';
import type { Transport } from '@sotto/engine/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, sees, viewOf } from './circle.ts';
import { addDevice } from './devices.ts';
import { newId } from './meeting.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

const stateOf = async ({ store }: Resident, id: string) => (await store.get('group', id))!.state!;

/** The account is gone, and has said so to nobody. */
const vanish = async ({ transport, store }: Resident) =>
  transport.deleteAccount(signerOf((await store.get('self', 'self'))!));

describe('the log of a group in which somebody has acted whose account is gone', () => {
  it('is read by who comes later, when somebody who is there acted after them', async () => {
    const { all, id, views } = await circle(world, 'left', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    await bob.engine.deleteAccount();
    await sees(ann, id, 1);
    const cyd = await world.resident('cyd_left');
    await ann.engine.addContact(cyd.engine.getSnapshot().contact!);
    // The keys that are handed over are those after he left.
    await ann.engine.send(id, 'nobody');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'sent');
    await ann.engine.addMembers(id, [accountOf(cyd)]);
    await sees(cyd, id, 2);
    await cyd.engine.send(id, 'here');
    await hears(views[0]!, 'here');
    expect(await stateOf(cyd, id)).toEqual(await stateOf(ann, id));
    const other = await addDevice(world, ann);
    await sees(other, id, 2);
  });

  it('is read by another device of a member, when that member says that it was so', async () => {
    const { all, id } = await circle(world, 'said', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    await until(bob.engine, () => groupOf(bob, id)?.role === 'admin', 'the role');
    await bob.engine.setPolicy(id, { membersAdd: true });
    await expect.poll(async () => (await stateOf(ann, id)).policy).toBe(1);
    await vanish(bob);
    const other = await addDevice(world, ann);
    await sees(other, id, 2);
    expect(await stateOf(other, id)).toEqual(await stateOf(ann, id));
    expect((await other.store.get('group', id))!.stated).toBeUndefined();
  });
});

describe('a member who was away while somebody came and was gone', () => {
  it('takes all that they did', async () => {
    const { all, id } = await circle(world, 'away', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    const dan = await world.resident('dan_away');
    await ann.engine.addContact(dan.engine.getSnapshot().contact!);
    await bob.engine.close();
    await ann.engine.addMembers(id, [accountOf(dan)]);
    await sees(dan, id, 3);
    await dan.engine.deleteAccount();
    await sees(ann, id, 2);
    await ann.engine.send(id, 'welcome back');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'sent');
    await bob.restart();
    await hears(await viewOf(bob, id), 'welcome back');
    expect(await stateOf(bob, id)).toEqual(await stateOf(ann, id));
    await expect.poll(async () => (await bob.store.all('held')).length).toBe(0);
    expect(await bob.store.all('aside')).toEqual([]);
  });
});

describe('a member of whom the relay shows an old chain', () => {
  it('does not stop the group, which waits for a newer one, whoever acts after them', async () => {
    const shown = new Map<string, Awaited<ReturnType<Transport['account']>>>();
    let asked = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      async account(signer, of) {
        const old = shown.get(of);
        if (old) asked += 1;
        return old ?? inner.account(signer, of);
      },
    });
    const { all, id } = await circle(world, 'rolled', [{}, {}, { transport }]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    await until(bob.engine, () => groupOf(bob, id)?.role === 'admin', 'the role');
    const signer = signerOf((await cyd.store.get('self', 'self'))!);
    const before = await cyd.transport.account(signer, accountOf(bob));
    const known = async () => (await cyd.store.get('contact', accountOf(bob)))!.devices.length;
    await sees(await addDevice(world, bob), id, 3);
    await expect.poll(known).toBe(2);
    shown.set(accountOf(bob), before);
    const third = await addDevice(world, bob);
    await until(third.engine, () => groupOf(third, id)?.role === 'admin', 'the role');
    await third.engine.setPolicy(id, { membersAdd: true });
    await expect.poll(async () => (await stateOf(ann, id)).policy).toBe(1);
    await expect.poll(() => asked).toBeGreaterThan(0);
    await ann.engine.setTitle(id, 'gone on');
    const { epoch } = await stateOf(ann, id);
    const again = asked;
    await expect.poll(() => asked, { timeout: 20_000 }).toBeGreaterThan(again);
    expect((await stateOf(cyd, id)).epoch).toBe(epoch - 2);
    expect(groupOf(cyd, id)?.stopped).toBeUndefined();
    shown.clear();
    await until(cyd.engine, () => groupOf(cyd, id)?.title === 'gone on', 'the title');
    expect(await stateOf(cyd, id)).toEqual(await stateOf(ann, id));
    expect(groupOf(cyd, id)?.stopped).toBeUndefined();
  });
});

describe('an entry that was posted to the members', () => {
  it('by an account that there is not is set aside, and holds up nothing', async () => {
    const deliver: ((body: Uint8Array<ArrayBuffer>) => string)[] = [];
    let group = '' as ConversationId;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        deliver.push((body) => {
          const envelope = newId();
          listener.deliver([{ id: envelope, at: Date.now(), channel: group, body } as never]);
          return envelope;
        });
        return inner.connect(signer, listener);
      },
    });
    const { all, id } = await circle(world, 'nobody', [{ transport }, {}]);
    group = id;
    const [ann, bob] = all as [Resident, Resident];
    const row = (await bob.store.get('group', id))!;
    const { privateKey: signing } = await generateSigningKey();
    const entryOf = async (account: string) => {
      const actor = { account, device: newId() };
      const state = { ...row.state!, members: [{ account, role: 'owner' as const }] };
      const operation: Operation = { kind: 'policy', policy: 1 };
      const made = await propose({ state, actor, signing, createdAt: Date.now(), operation });
      return sealEntry(row.log, made.state.epoch, made.entry);
    };
    const reasonOf = async (envelope: string) => (await ann.store.get('aside', envelope))?.reason;
    const ofNobody = deliver.at(-1)!(await entryOf('A'.repeat(43)));
    await expect.poll(() => reasonOf(ofNobody)).toBe('membership-invalid');
    const ofNoDevice = deliver.at(-1)!(await entryOf(accountOf(bob)));
    await expect.poll(() => reasonOf(ofNoDevice)).toBe('membership-invalid');
    expect(await ann.store.all('held')).toEqual([]);
    expect(groupOf(ann, id)?.stopped).toBeUndefined();
  });
});

describe('a group that the relay has trouble with', () => {
  it('holds up no other', async () => {
    let broken = '';
    const transport = (inner: Transport): Transport => ({
      ...inner,
      channel: (signer, channel, from) =>
        channel === broken
          ? Promise.reject(new RelayError('internal'))
          : inner.channel(signer, channel, from),
    });
    const { all, id } = await circle(world, 'broken', [{}, { transport }, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    const other = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id: other, title: 'other', members: [bob, cyd].map(accountOf) });
    await Promise.all(all.map((one) => sees(one, other, 3)));
    await bob.engine.accept(other);
    broken = id;
    await bob.engine.close();
    await ann.engine.setPolicy(id, { membersAdd: true });
    await cyd.engine.leaveGroup(other);
    await sees(ann, other, 2);
    await bob.restart();
    await sees(bob, other, 2);
    // Another channel key comes first.
    await bob.engine.send(other, 'here');
    await hears(await viewOf(ann, other), 'here');
    broken = '';
    await bob.engine.send(id, 'and here');
    await hears(await viewOf(ann, id), 'and here');
  });
});

describe('a group whose log is full', () => {
  it('is not asked for another key over and over', async () => {
    let full = false;
    let tries = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      changeChannel: (...args) => {
        if (!full) return inner.changeChannel(...args);
        tries += 1;
        return Promise.reject(new RelayError('channel-full'));
      },
    });
    const { all, id } = await circle(world, 'full', [{}, { transport }]);
    const [ann, bob] = all as [Resident, Resident];
    const lost = await addDevice(world, bob);
    await sees(lost, id, 2);
    full = true;
    const { device } = lost.engine.getSnapshot().devices.find(({ current }) => current)!;
    await bob.engine.removeDevice(device);
    await expect.poll(() => tries).toBeGreaterThan(0);
    const other = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id: other, title: 'other', members: [accountOf(bob)] });
    await sees(bob, other, 2);
    expect(tries).toBeLessThan(5);
  });
});

describe('a group that has stopped', () => {
  it('can be left, and declined as a request, and does not come back', async () => {
    const wrong: { members: boolean } = { members: false };
    const transport = (inner: Transport): Transport => ({
      ...inner,
      async channel(...args) {
        const response = await inner.channel(...args);
        return wrong.members ? { ...response, members: [] } : response;
      },
    });
    const { all, id } = await circle(world, 'ends', [{}, { transport }]);
    const [ann, bob] = all as [Resident, Resident];
    await bob.engine.accept(id);
    const request = newId() as unknown as ConversationId;
    const eve = await world.resident('eve_ends');
    await eve.engine.addContact(bob.engine.getSnapshot().contact!);
    await eve.engine.createGroup({ id: request, title: 'request', members: [] });
    await eve.store
      .get('contact', accountOf(bob))
      .then((row) => eve.store.commit([{ table: 'contact', put: { ...row!, token: 'A'.repeat(22) } }]));
    await eve.restart();
    await eve.engine.addMembers(request, [accountOf(bob)]);
    await sees(bob, request, 2);
    const isRequest = () => bob.engine.getSnapshot().conversations.find((one) => one.id === request)?.request;
    expect(isRequest()).toBe(true);
    wrong.members = true;
    await ann.engine.setPolicy(id, { membersAdd: true });
    await eve.engine.setPolicy(request, { membersAdd: true });
    const isStopped = (of: ConversationId) => groupOf(bob, of)?.stopped === 'roster-mismatch';
    await until(bob.engine, () => isStopped(id) && isStopped(request), 'the end of both');
    await bob.engine.decline(request);
    expect(groupOf(bob, request)).toBeUndefined();
    await bob.engine.leaveGroup(id);
    expect(groupOf(bob, id)).toMatchObject({ members: 2 });
    expect(groupOf(bob, id)).not.toHaveProperty('role');
    // Another channel key comes.
    const before = (await bob.store.get('group', request))!.channels.length;
    const cyd = await world.resident('cyd_ends');
    await eve.engine.addContact(cyd.engine.getSnapshot().contact!);
    await eve.engine.addMembers(request, [accountOf(cyd)]);
    await eve.engine.removeMembers(request, [accountOf(cyd)]);
    await expect.poll(async () => (await bob.store.get('group', request))!.channels.length).toBe(before + 1);
    expect(groupOf(bob, request)).toBeUndefined();
  });
});
