import type { ConversationId, DeviceId } from '@sotto/contract/ids';
import { RelayError } from '@sotto/contract/errors';
import type { Transport } from '@sotto/engine/ports';
import type { EngineSnapshot } from '@sotto/engine/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { idOf, meet, messageOf, newId, texts, viewOf } from './meeting.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const resident = () => world.resident(`own_${++count}`);
const selfOf = async ({ store }: Resident) => (await store.get('self', 'self'))!;
const isBlocked = ({ engine }: Resident, id: ConversationId) =>
  engine.getSnapshot().conversations.find((one) => one.id === id)?.blocked === true;
const knows = (of: Resident, ...ids: ConversationId[]) =>
  until(
    of.engine,
    ({ conversations }) => ids.every((id) => conversations.some((one) => one.id === id)),
    'them',
  );

describe('what a person chose', () => {
  it('is there on a new device, and what is chosen on one arrives at the other', async () => {
    const { ann, withBob } = await meet(world, 'chosen');
    await ann.engine.setSettings({ receipts: 'nobody', lastSeen: 'nobody' });
    await ann.engine.block(withBob);
    const second = await addDevice(world, ann);
    expect(second.engine.getSnapshot().settings).toMatchObject({
      receipts: 'nobody',
      typing: 'everyone',
      presence: 'contacts',
      lastSeen: 'nobody',
    });
    expect((await selfOf(second)).blocked).toEqual([withBob]);
    expect((await selfOf(second)).delivery).toBe((await selfOf(ann)).delivery);
    await knows(second, withBob);

    await second.engine.setSettings({ typing: 'contacts' });
    await second.engine.unblock(withBob);
    await until(ann.engine, ({ settings }) => settings?.typing === 'contacts', 'the settings');
    await until(ann.engine, () => !isBlocked(ann, withBob), 'the block that ended');
    expect(ann.engine.getSnapshot().settings).toMatchObject({ receipts: 'nobody', typing: 'contacts' });
    await ann.engine.setProfile({ name: 'Anna' });
    await until(second.engine, ({ me }) => me!.name === 'Anna', 'the name');
  });

  it('who is blocked on either of two devices at the same time is blocked on both, and has no way in', async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'both');
    const carol = await resident();
    const withCarol = await ann.engine.addContact(carol.engine.getSnapshot().contact!);
    await ann.engine.send(withCarol, 'hello');
    const second = await addDevice(world, ann);
    await knows(second, withBob, withCarol);
    await second.engine.close();
    await ann.engine.block(withBob);
    // Without having heard of it.
    const again = await second.restart();
    await again.block(withCarol);
    for (const device of [ann, second]) {
      await until(device.engine, () => isBlocked(device, withBob) && isBlocked(device, withCarol), 'both');
    }
    await expect
      .poll(async () => {
        const [a, b] = [await selfOf(ann), await selfOf(second)];
        return a.delivery === b.delivery && !a.deliveryDue && !b.deliveryDue;
      })
      .toBe(true);
    const { delivery } = await selfOf(ann);
    const tokenOf = async (of: Resident) => (await of.store.get('contact', withAnn))?.token;
    expect(await tokenOf(bob)).not.toBe(delivery);
    expect(await tokenOf(carol)).not.toBe(delivery);
  });
});

describe('a request', () => {
  const asks = async (stranger: Resident, of: Resident): Promise<ConversationId> => {
    const { handle } = of.engine.getSnapshot().me!;
    const id = await stranger.engine.addContact({ handle });
    await stranger.engine.send(id, 'do you know me?');
    return id;
  };
  const listed = ({ engine }: Resident, id: ConversationId) =>
    engine.getSnapshot().conversations.find((one) => one.id === id);

  it('is one on a device that is added meanwhile, too', async () => {
    const [ann, bob] = [await resident(), await resident()];
    const withAnn = await asks(bob, ann);
    await knows(ann, idOf(bob));
    const second = await addDevice(world, ann);
    await bob.engine.send(withAnn, 'hello?');
    await until(second.engine, () => listed(second, idOf(bob))?.unread === 1, 'what came since');
    expect(listed(second, idOf(bob))!.request).toBe(true);
  });

  it('that was accepted or answered on one device is one on no other', async () => {
    const [ann, bob, carol] = [await resident(), await resident(), await resident()];
    const second = await addDevice(world, ann);
    for (const stranger of [bob, carol]) {
      await asks(stranger, ann);
      for (const device of [ann, second]) await knows(device, idOf(stranger));
      expect(listed(second, idOf(stranger))!.request).toBe(true);
    }
    await ann.engine.accept(idOf(bob));
    await ann.engine.send(idOf(carol), 'yes');
    for (const stranger of [bob, carol]) {
      await until(second.engine, () => !listed(second, idOf(stranger))!.request, 'the answer');
    }
    await second.engine.send(idOf(bob), 'me too');
    const bobs = await viewOf(bob, idOf(ann));
    await until(bobs, ({ messages }) => messages.at(-1)?.text === 'me too', 'from the other');
  });
});

describe('a device that is removed', () => {
  it('knows no way in any more, also where the one that removed it was killed in between', async () => {
    let kills = false;
    let down = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      append: async (signer, request) => {
        const answer = await inner.append(signer, request);
        if (!kills) return answer;
        down = true;
        throw new RelayError('unreachable');
      },
      account: (signer, account) =>
        down ? Promise.reject(new RelayError('unreachable')) : inner.account(signer, account),
    });
    const { ann, bob, withAnn } = await meet(world, 'out', { ann: { transport } });
    const tokenOf = async () => (await bob.store.get('contact', withAnn))?.token;
    const second = await addDevice(world, ann);
    const third = await addDevice(world, ann);
    const before = (await selfOf(ann)).delivery;
    expect(await tokenOf()).toBe(before);
    await ann.engine.removeDevice((await selfOf(third)).device as DeviceId);
    const after = (await selfOf(ann)).delivery;
    expect(after).not.toBe(before);
    await expect.poll(tokenOf).toBe(after);
    await expect.poll(async () => (await selfOf(second)).delivery).toBe(after);

    const { device } = await selfOf(second);
    kills = true;
    await expect(ann.engine.removeDevice(device as DeviceId)).rejects.toBeInstanceOf(RelayError);
    expect((await selfOf(ann)).delivery).toBe(after);
    down = false;
    await ann.restart();
    await expect.poll(tokenOf).not.toBe(after);
    await expect.poll(async () => (await selfOf(ann)).deliveryDue).toBeUndefined();
    expect(await tokenOf()).toBe((await selfOf(ann)).delivery);
  });
});

describe('what is taken off one device', () => {
  it('goes from the others too, and does not come back with a late copy', async () => {
    const { ann, bob, withAnn, withBob, anns } = await meet(world, 'taken');
    const second = await addDevice(world, ann);
    await knows(second, withBob);
    const [kept, gone] = [newId(), newId()];
    await bob.engine.send(withAnn, 'to go', { id: gone });
    await bob.engine.send(withAnn, 'to stay', { id: kept });
    const seconds = await viewOf(second, withBob);
    await until(seconds, () => messageOf(seconds, kept) !== undefined, 'both');
    await until(anns, () => messageOf(anns, kept) !== undefined, 'both');
    await second.engine.deleteForMe(withBob, [gone]);
    await until(anns, () => messageOf(anns, gone) === undefined, 'it goes');
    expect(await ann.store.get('gone', [withBob, gone])).toBeDefined();
    // Somebody else's words on a message move nothing of this.
    const bobs = await viewOf(bob, withAnn);
    expect(messageOf(bobs, gone)).toMatchObject({ text: 'to go' });
    expect(messageOf(anns, kept)).toMatchObject({ text: 'to stay' });
  });
});

describe('what is starred', () => {
  it('is found page by page, the newest first, with what it answers', async () => {
    const { ann, withBob, anns } = await meet(world, 'stars');
    const ids = [newId(), newId(), newId()];
    for (const [index, id] of ids.entries()) {
      await ann.engine.send(withBob, `star ${index}`, { id, ...(index === 2 && { reply: ids[0]! }) });
    }
    const note = await ann.engine.noteToSelf();
    await ann.engine.send(note, 'of my own', { id: newId() });
    const [own] = (await viewOf(ann, note)).getSnapshot().messages;
    await until(anns, () => messageOf(anns, ids[2]!)?.status === 'delivered', 'all');
    for (const id of ids) await ann.engine.star(withBob, id, true);
    await ann.engine.star(note, own!.id, true);
    const textsOf = (page: Awaited<ReturnType<typeof ann.engine.starred>>) =>
      page.messages.map(({ message }) => message.text);
    const first = await ann.engine.starred({ limit: 3 });
    const second = await ann.engine.starred({ limit: 3, before: first.more! });
    const all = ['star 0', 'star 1', 'star 2', 'of my own'];
    expect([...textsOf(first), ...textsOf(second)].toSorted()).toEqual(all.toSorted());
    expect(first.messages).toHaveLength(3);
    expect(second.more).toBeUndefined();
    const answer = [...first.messages, ...second.messages].find(({ message }) => message.id === ids[2]);
    expect(answer).toMatchObject({ conversation: withBob, message: { reply: { text: 'star 0' } } });
    expect(structuredClone(first)).toEqual(first);
    await ann.engine.star(note, own!.id, false);
    expect(textsOf(await ann.engine.starred())).toEqual(['star 2', 'star 1', 'star 0']);
  });
});

describe('a relay that does not take a new delivery token', () => {
  it('is asked again after seconds, and everybody has it in the end', async () => {
    let refused = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      setDelivery: async (signer, request) => {
        if (refused === 2) return inner.setDelivery(signer, request);
        refused += 1;
        throw new RelayError('busy');
      },
    });
    const { ann, bob, withAnn } = await meet(world, 'busy', { ann: { transport } });
    const eve = await resident();
    await ann.engine.block(await ann.engine.addContact(eve.engine.getSnapshot().contact!));
    const { delivery } = await selfOf(ann);
    await expect.poll(async () => (await bob.store.get('contact', withAnn))?.token).toBe(delivery);
    expect(refused).toBe(2);
    expect((await selfOf(ann)).deliveryDue).toBeUndefined();
  });
});

describe('what was read', () => {
  it('is read on every own device, also when its author has gone meanwhile', async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'gone');
    const second = await addDevice(world, ann);
    await knows(second, withBob);
    const unread = (count: number) => (of: Resident) =>
      until(
        of.engine,
        ({ conversations }) => conversations.find((one) => one.id === withBob)?.unread === count,
        `${count} unread`,
      );
    await bob.engine.send(withAnn, 'my last');
    await Promise.all([ann, second].map(unread(1)));
    await bob.engine.deleteAccount();
    await ann.engine.markRead(withBob);
    await Promise.all([ann, second].map(unread(0)));
  });

  it('and what was taken back is so on every own device, also when its author was blocked at once', async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'shut');
    const second = await addDevice(world, ann);
    await knows(second, withBob);
    await ann.engine.send(withBob, 'mine');
    await bob.engine.send(withAnn, 'yours');
    const views = await Promise.all([ann, second].map((of) => viewOf(of, withBob)));
    for (const view of views) await until(view, () => texts(view).includes('yours'), 'both');
    const { id } = views[0]!.getSnapshot().messages.find(({ text }) => text === 'mine')!;
    await expect.poll(() => ann.store.all('outbox')).toEqual([]);
    await Promise.all([
      ann.engine.markRead(withBob),
      ann.engine.deleteForEveryone(withBob, [id]),
      ann.engine.block(withBob),
    ]);
    const read = ({ conversations }: EngineSnapshot) =>
      conversations.find((one) => one.id === withBob)?.unread === 0;
    await until(second.engine, read, 'read');
    await until(views[1]!, () => !texts(views[1]!).includes('mine'), 'taken back');
  });
});
