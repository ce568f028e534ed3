import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { ConversationId } from '@sotto/contract/ids';
import { openPost } from '@sotto/crypto/channel-seal';
import { readGroupMessage } from '@sotto/crypto/group-message';
import { decryptGroupMessage } from '@sotto/crypto/sender-key-receive';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, notes, ownKeyOf, people, sees, viewOf, words } from './circle.ts';
import { newId } from './meeting.ts';
import { tapped } from './tapped.ts';
import { createWorld, type Resident, until, type World, type Wrap } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

describe('a group', () => {
  it('is made, and everybody writes to everybody', async () => {
    const { all, id, views } = await circle(world, 'all', [{}, {}, {}]);
    const [ann, bob, cyd] = all;
    for (const one of all) {
      expect(groupOf(one, id)).toMatchObject({ title: 'all', members: 3 });
    }
    await ann!.engine.send(id, 'from ann');
    await Promise.all(views.map((view) => hears(view, 'from ann')));
    await bob!.engine.send(id, 'from bob');
    await cyd!.engine.send(id, 'from cyd');
    await Promise.all(views.flatMap((view) => [hears(view, 'from bob'), hears(view, 'from cyd')]));
    for (const view of views) expect(words(view).toSorted()).toEqual(['from ann', 'from bob', 'from cyd']);
    for (const { store } of all) expect(await store.all('aside')).toEqual([]);
    // Whom its lines name, in the conversation and in the list.
    const bobs = views[1]!.getSnapshot().people!;
    expect(bobs[accountOf(ann!)]).toMatchObject({ name: ann!.engine.getSnapshot().me!.name });
    expect(Object.keys(bobs).toSorted()).toEqual(all.map(accountOf).toSorted());
    const last = bob!.engine.getSnapshot().conversations.find((entry) => entry.id === id)!.last!;
    expect(last.people![last.from!]!.name).not.toBe('');
  });

  it('has one timer, with which what is written goes from everybody', async () => {
    const { all, id, views } = await circle(world, 'timer', [{}, {}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    await ann.engine.setTimer(id, 2);
    await ann.engine.send(id, 'for a moment');
    await Promise.all(views.map((view) => hears(view, 'for a moment')));
    await Promise.all(views.map((view) => until(view, ({ timer }) => timer === 2, 'the timer')));
    await Promise.all(all.map(({ engine }) => engine.markRead(id)));
    await Promise.all(views.map((view) => until(view, () => words(view).length === 0, 'it goes')));
    // What another writes has it too.
    await bob.engine.send(id, 'and another');
    await Promise.all(views.map((view) => hears(view, 'and another')));
    await Promise.all(all.map(({ engine }) => engine.markRead(id)));
    await Promise.all(views.map((view) => until(view, () => words(view).length === 0, 'that goes too')));
  });

  it('shows what was last changed in lists, and leads from a member to a conversation', async () => {
    const all = await people(world, 'last', [{}, {}, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    const id = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id, title: 'last', members: [bob, cyd].map(accountOf) });
    await sees(cyd, id, 3);
    const lastOf = ({ engine }: Resident) =>
      engine.getSnapshot().conversations.find((entry) => entry.id === id)!.last;
    expect(lastOf(cyd)).toMatchObject({ note: { kind: 'added' }, from: accountOf(ann), text: '' });
    await ann.engine.removeMembers(id, [accountOf(bob)]);
    await sees(cyd, id, 2);
    expect(lastOf(cyd)).toMatchObject({ note: { kind: 'removed', accounts: [accountOf(bob)] } });
    expect(lastOf(cyd)!.people).toHaveProperty(accountOf(bob));
    const group = (await cyd.engine.openGroup(id))!;
    expect(
      group
        .getSnapshot()
        .people.map((member) => member.id)
        .toSorted(),
    ).toEqual([ann, cyd].map(accountOf).toSorted());
    group.close();
    const withAnn = await cyd.engine.openDirect(accountOf(ann));
    const direct = cyd.engine.getSnapshot().conversations.find((entry) => entry.id === withAnn)!;
    expect(direct.peer).toMatchObject({ account: accountOf(ann), verified: false });
    await expect(cyd.engine.openDirect(accountOf(cyd))).rejects.toMatchObject({ code: 'yourself' });
    const nobody = newId() as unknown as ReturnType<typeof accountOf>;
    await expect(cyd.engine.openDirect(nobody)).rejects.toMatchObject({ code: 'no-member' });
  });

  it('F: a newcomer reads what follows and nothing before; who was added writes too', async () => {
    const all = await people(world, 'add', [{}, {}, {}, {}]);
    const [ann, bob, cyd, dan] = all as [Resident, Resident, Resident, Resident];
    const id = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id, title: 'add', members: [bob, cyd].map(accountOf) });
    const bobs = await viewOf(bob, id);
    const anns = await viewOf(ann, id);
    await ann.engine.send(id, 'before, from ann');
    await hears(bobs, 'before, from ann');
    await bob.engine.send(id, 'before, from bob');
    await hears(anns, 'before, from bob');
    await ann.engine.addMembers(id, [accountOf(dan)]);
    const dans = await viewOf(dan, id);
    await sees(bob, id, 4);
    await ann.engine.send(id, 'after, from ann');
    await bob.engine.send(id, 'after, from bob');
    await Promise.all(['after, from ann', 'after, from bob'].map((text) => hears(dans, text)));
    await dan.engine.send(id, 'from dan');
    await Promise.all([anns, bobs].map((view) => hears(view, 'from dan')));
    expect(words(dans).some((text) => text.startsWith('before'))).toBe(false);
    expect(groupOf(dan, id)).toMatchObject({ title: 'add', members: 4, role: 'member' });
    expect(notes(dans)).toEqual(['added']);
    expect(notes(bobs)).toEqual(['added', 'added']);
    expect(notes(anns)).toEqual(['created', 'title', 'added', 'added']);
    await ann.engine.addMembers(id, [accountOf(dan)]);
    expect(notes(anns)).toEqual(['created', 'title', 'added', 'added']);
    await bob.engine.setDescription(id, 'no').then(
      () => expect.unreachable(),
      (error: { code: string }) => expect(error.code).toBe('membership-invalid'),
    );
    for (const { store } of all) expect(await store.all('aside')).toEqual([]);
  });

  it('A3: who was removed opens nothing that is sent afterwards, with all that it has', async () => {
    const posts: IncomingEnvelope[] = [];
    const spy: Wrap = { transport: tapped((envelope) => void posts.push(envelope)) };
    const { all, id, views } = await circle(world, 'remove', [{}, spy, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    for (const one of all) await one.engine.send(id, `before, from ${accountOf(one)}`);
    await Promise.all(
      views.flatMap((view) => all.map((one) => hears(view, `before, from ${accountOf(one)}`))),
    );
    const saved = (await cyd.store.get('group', id))!;
    const keysOf = new Map((await cyd.store.all('sender')).map(({ device, keys }) => [device, keys]));
    const senders = await ownKeyOf(ann, id);
    await ann.engine.removeMembers(id, [accountOf(cyd)]);
    await sees(bob, id, 2);
    posts.length = 0;
    await bob.engine.send(id, 'after, from bob');
    await ann.engine.send(id, 'after, from ann');
    await Promise.all(
      [0, 1].flatMap((n) => ['ann', 'bob'].map((who) => hears(views[n]!, `after, from ${who}`))),
    );
    await expect.poll(() => posts.filter(({ channel }) => channel !== undefined).length).toBe(2);
    expect((await ownKeyOf(ann, id)).chainId).not.toBe(senders.chainId);
    await until(cyd.engine, () => groupOf(cyd, id)?.role === undefined, 'the removal');
    expect(words(views[2]!).some((text) => text.startsWith('after'))).toBe(false);
    await expect(cyd.engine.send(id, 'still here')).rejects.toMatchObject({ code: 'not-a-member' });
    // What it had, with every post that came since.
    const now = (await bob.store.get('group', id))!;
    const sent = posts.filter(({ channel }) => channel !== undefined);
    const opened = [];
    for (const { body } of sent) {
      await expect(openPost(saved.channels, body)).rejects.toMatchObject({ code: 'channel-key-unknown' });
      const { kind, body: inner } = await openPost(now.channels, body);
      expect(kind).toBe(1);
      const message = readGroupMessage(inner);
      opened.push(message.from.account);
      const state = now.state!;
      const keys = keysOf.get(message.from.device);
      const request = { keys, state, epoch: state.epoch, message, now: Date.now() };
      await expect(decryptGroupMessage(request)).rejects.toMatchObject({ code: 'sender-key-unknown' });
    }
    expect(opened.toSorted()).toEqual([accountOf(ann), accountOf(bob)].toSorted());
  });

  it('is left; the next message has a new key', async () => {
    const { all, id, views } = await circle(world, 'leave', [{}, {}, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    await cyd.engine.send(id, 'going');
    await Promise.all(views.map((view) => hears(view, 'going')));
    const before = (await bob.store.get('group', id))!.state!;
    await cyd.engine.leaveGroup(id);
    await sees(bob, id, 2);
    expect(groupOf(cyd, id)?.role).toBeUndefined();
    await bob.engine.send(id, 'gone');
    await hears(views[0]!, 'gone');
    const after = (await ann.store.get('group', id))!.state!;
    expect(after.rekeyDue).toBe(false);
    expect(after.channel).not.toEqual(before.channel);
    await expect(ann.engine.leaveGroup(id)).rejects.toMatchObject({ code: 'membership-invalid' });
    await ann.engine.setRole(id, accountOf(bob), 'owner');
    await ann.engine.leaveGroup(id);
    await until(bob.engine, () => groupOf(bob, id)?.members === 1, 'alone');
    expect(groupOf(bob, id)?.role).toBe('owner');
  });

  it('changed by two at once comes to one state everywhere', async () => {
    const { all, id } = await circle(world, 'race', [{}, {}, {}, {}]);
    const [ann, bob, cyd, dan] = all as [Resident, Resident, Resident, Resident];
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    await until(bob.engine, () => groupOf(bob, id)?.role === 'admin', 'the role');
    await Promise.all([
      ann.engine.setTitle(id, 'by ann'),
      bob.engine.setDescription(id, 'by bob'),
      ann.engine.removeMembers(id, [accountOf(cyd)]),
      bob.engine.removeMembers(id, [accountOf(dan)]),
      bob.engine.setPolicy(id, { adminsDelete: true }),
    ]);
    await Promise.all([ann, bob].map((one) => sees(one, id, 2)));
    const isAll = (one: Resident) => () => {
      const group = groupOf(one, id);
      return group?.title === 'by ann' && group.description === 'by bob' && group.policy.adminsDelete;
    };
    await Promise.all([ann, bob].map((one) => until(one.engine, isAll(one), 'every change')));
    const states = await Promise.all(
      [ann, bob].map(async ({ store }) => (await store.get('group', id))!.state!),
    );
    expect(states[0]!.hash).toEqual(states[1]!.hash);
    const views = await Promise.all([ann, bob].map((one) => viewOf(one, id)));
    await ann.engine.send(id, 'still one');
    await hears(views[1]!, 'still one');
  });

  it('catches up after a while away, over several epochs', async () => {
    const { all, id } = await circle(world, 'away', [{}, {}, {}, {}]);
    const [ann, bob, cyd, dan] = all as [Resident, Resident, Resident, Resident];
    await cyd.engine.close();
    const bobs = await viewOf(bob, id);
    await ann.engine.send(id, 'one');
    await hears(bobs, 'one');
    await ann.engine.removeMembers(id, [accountOf(dan)]);
    await ann.engine.send(id, 'two');
    await hears(bobs, 'two');
    await ann.engine.addMembers(id, [accountOf(dan)]);
    await sees(bob, id, 4);
    await bob.engine.send(id, 'three');
    await hears(await viewOf(ann, id), 'three');
    await ann.engine.setTitle(id, 'renamed');
    await ann.engine.send(id, 'four');
    await cyd.restart();
    const view = await viewOf(cyd, id);
    await Promise.all(['one', 'two', 'three', 'four'].map((text) => hears(view, text)));
    await until(cyd.engine, () => groupOf(cyd, id)?.title === 'renamed', 'the title');
    expect(words(view)).toEqual(['one', 'two', 'three', 'four']);
    expect(notes(view)).toEqual(['added', 'removed', 'added', 'title']);
    expect(view.getSnapshot().messages.filter(({ outdated }) => outdated)).toEqual([]);
    await cyd.engine.send(id, 'back');
    await Promise.all([ann, bob, dan].map(async (one) => hears(await viewOf(one, id), 'back')));
  });
});
