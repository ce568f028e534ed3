import { RelayError } from '@sotto/contract/errors';
import type { Transport } from '@sotto/engine/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { circle, groupOf, hears, ownKeyOf, sees, viewOf, words } from './circle.ts';
import { addDevice } from './devices.ts';
import { createWorld, until, type Resident, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

describe('several devices in a group', () => {
  it('read and write alike; who was only in the group is no conversation on the new one', async () => {
    const { all, id, views } = await circle(world, 'more', [{}, {}, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    await Promise.all([ann, bob, cyd].map(({ engine }, at) => engine.send(id, `old ${at}`)));
    await Promise.all(views.flatMap((view) => [0, 1, 2].map((at) => hears(view, `old ${at}`))));
    const other = await addDevice(world, bob);
    await sees(other, id, 3);
    const theirs = await viewOf(other, id);
    expect(groupOf(other, id)).toMatchObject({ title: 'more', role: 'member' });
    await bob.engine.send(id, 'from the first of bob');
    await hears(theirs, 'from the first of bob');
    // The others know of it by now, as it has handed them its sender key.
    for (const { store, engine } of [ann, cyd]) {
      const key: [string, string, string] = [
        id,
        engine.getSnapshot().me!.account,
        (await store.get('self', 'self'))!.device,
      ];
      await expect.poll(async () => await other.store.get('sender', key)).toBeDefined();
    }
    await ann.engine.send(id, 'from ann');
    await cyd.engine.send(id, 'from cyd');
    await Promise.all(['from ann', 'from cyd'].map((text) => hears(theirs, text)));
    await other.engine.send(id, 'from the second of bob');
    await Promise.all(views.map((view) => hears(view, 'from the second of bob')));
    const last = (name: string) => views[1]!.getSnapshot().messages.find(({ text }) => text === name);
    await until(views[1]!, () => last('from the second of bob')?.mine === true, 'mine');
    expect(words(theirs).some((text) => text.startsWith('old'))).toBe(false);
    expect(other.engine.getSnapshot().conversations.map(({ peer }) => peer.name)).not.toContain('cyd');
    await bob.engine.markRead(id);
    await until(
      other.engine,
      ({ conversations }) => conversations.every(({ unread }) => unread === 0),
      'read',
    );
  });

  it('one that comes after somebody has left waits for nobody to write', async () => {
    const { all, id } = await circle(world, 'late', [{}, {}, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    await cyd.engine.leaveGroup(id);
    await Promise.all([ann, bob].map((one) => sees(one, id, 2)));
    const other = await addDevice(world, bob);
    await sees(other, id, 2);
    await other.engine.send(id, 'from the new one');
    await hears(await viewOf(ann, id), 'from the new one');
  });

  it('A3: a revoked device is sent nothing by who knows of it, and the group has other keys', async () => {
    const { all, id, views } = await circle(world, 'lost', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    const other = await addDevice(world, bob);
    await sees(other, id, 2);
    const theirs = await viewOf(other, id);
    await bob.engine.send(id, 'for both');
    await hears(theirs, 'for both');
    await hears(views[0]!, 'for both');
    const before = (await bob.store.get('group', id))!;
    const ownBefore = await ownKeyOf(bob, id);
    const { device } = other.engine.getSnapshot().devices.find(({ current }) => current)!;
    await bob.engine.removeDevice(device);
    await bob.engine.send(id, 'for one');
    await hears(views[0]!, 'for one');
    const channelOf = async (one: Resident) => (await one.store.get('group', id))!.state!.channel.join();
    for (const one of [ann, bob])
      await expect.poll(async () => channelOf(one)).not.toBe(before.state!.channel.join());
    const after = (await bob.store.get('group', id))!;
    const own = await ownKeyOf(bob, id);
    expect(own.chainId).not.toBe(ownBefore.chainId);
    expect(after.state!.channel).not.toEqual(before.state!.channel);
    const saved = (await other.store.get('sender', [
      id,
      bob.engine.getSnapshot().me!.account,
      own.owner.device,
    ]))!;
    expect(saved.keys!.keys.map(({ chainId }) => chainId)).not.toContain(own.chainId);
    await ann.engine.send(id, 'still there');
    await hears(views[1]!, 'still there');
  });

  it('A3 F1: makes the other keys after a crash, where it had not come to that', async () => {
    let isCut = false;
    const lossy = (transport: Transport): Transport => ({
      ...transport,
      async changeChannel(...request) {
        if (isCut) throw new RelayError('unreachable');
        return transport.changeChannel(...request);
      },
    });
    const { all, id } = await circle(world, 'crash', [{}, { transport: lossy }]);
    const [ann, bob] = all as [Resident, Resident];
    const other = await addDevice(world, bob);
    await sees(other, id, 2);
    const channelOf = async ({ store }: Resident) => (await store.get('group', id))!.state!.channel.join();
    const before = await channelOf(bob);
    const { device } = other.engine.getSnapshot().devices.find(({ current }) => current)!;
    isCut = true;
    await bob.engine.removeDevice(device);
    await expect.poll(async () => (await bob.store.get('group', id))!.overdue !== undefined).toBe(true);
    await other.engine.close();
    await bob.engine.close();
    isCut = false;
    await bob.restart();
    await expect.poll(() => channelOf(ann), { timeout: 30_000 }).not.toBe(before);
  });
});
