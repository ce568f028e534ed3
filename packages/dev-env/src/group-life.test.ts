import type { AccountId, ConversationId } from '@sotto/contract/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, people, sees, viewOf, words } from './circle.ts';
import { messageOf, newId } from './meeting.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

describe('in a group', () => {
  it('edits, reactions and deletions come to everybody, and receipts to the author alone', async () => {
    const { all, id, views } = await circle(world, 'life', [{}, {}, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    const [first, second] = [newId(), newId()];
    await ann.engine.send(id, 'frist', { id: first });
    await Promise.all(views.map((view) => hears(view, 'frist')));
    const anns = views[0]!;
    await until(anns, () => messageOf(anns, first)?.status === 'delivered', 'delivered to both');
    await bob.engine.markRead(id);
    const reaches = () => messageOf(anns, first)!.reached!.map(({ account, reach }) => [account, reach]);
    await until(anns, () => reaches().some(([, reach]) => reach === 'read'), 'read by one');
    expect(Object.fromEntries(reaches())).toEqual({
      [accountOf(bob)]: 'read',
      [accountOf(cyd)]: 'delivered',
    });
    expect(messageOf(anns, first)!.status).toBe('delivered');
    // When each of them had it, and who has not read it.
    const { time, reached } = messageOf(anns, first)!;
    for (const { account, delivered, read } of reached!) {
      expect(delivered).toBeGreaterThanOrEqual(time);
      if (account === accountOf(bob)) expect(read).toBeGreaterThanOrEqual(delivered!);
      else expect(read).toBeUndefined();
    }
    await cyd.engine.markRead(id);
    await until(anns, () => messageOf(anns, first)?.status === 'read', 'read by all');
    expect(messageOf(views[1]!, first)!.status).toBe('read');
    await ann.engine.edit(id, first, 'first');
    await bob.engine.react(id, first, '+');
    await cyd.engine.react(id, first, '+');
    for (const view of views) {
      await hears(view, 'first');
      await until(
        view,
        () => messageOf(view, first)?.reactions?.[0]?.accounts.length === 2,
        'both reactions',
      );
    }
    await bob.engine.send(id, 'to be taken back', { id: second, reply: first });
    await Promise.all(views.map((view) => hears(view, 'to be taken back')));
    expect(messageOf(views[2]!, second)!.reply).toMatchObject({ text: 'first' });
    await expect(cyd.engine.deleteForEveryone(id, [second])).rejects.toMatchObject({ code: 'not-yours' });
    await bob.engine.deleteForEveryone(id, [second]);
    await Promise.all(
      views.map((view) => until(view, () => messageOf(view, second)?.deleted === true, 'gone')),
    );
    for (const { store } of all) expect(await store.all('aside')).toEqual([]);
    // Nothing of it stands in the conversations of two.
    for (const { engine } of [bob, cyd]) {
      const others = engine.getSnapshot().conversations.filter((entry) => entry.id !== id);
      expect(others.every(({ last }) => last === undefined)).toBe(true);
    }
    // They have never written to each other: the name came with the first message.
    await cyd.engine.send(id, 'my name?');
    await hears(views[1]!, 'my name?');
    const group = (await bob.engine.openGroup(id))!;
    const named = () => group.getSnapshot().people.map(({ person }) => person.name);
    await until(group, () => named().every((name) => name === name.toUpperCase()), 'names');
    expect(
      group
        .getSnapshot()
        .people.map(({ role }) => role)
        .toSorted(),
    ).toEqual(['member', 'member', 'owner']);
    group.close();
  });

  it('the policy says who writes, adds, renames and takes back', async () => {
    const { all, id, views } = await circle(world, 'policy', [{}, {}, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    const policyOf = (one: Resident) => groupOf(one, id)!.policy;
    await expect(bob.engine.setTitle(id, 'mine')).rejects.toMatchObject({ code: 'membership-invalid' });
    await ann.engine.setPolicy(id, { adminsPost: true, membersEdit: true, adminsDelete: true });
    await Promise.all(all.map((one) => until(one.engine, () => policyOf(one).adminsPost, 'the policy')));
    await expect(bob.engine.send(id, 'may I?')).rejects.toMatchObject({ code: 'not-allowed' });
    await bob.engine.setTitle(id, 'ours');
    await Promise.all(
      all.map((one) => until(one.engine, () => groupOf(one, id)?.title === 'ours', 'the title')),
    );
    await ann.engine.setPolicy(id, { adminsPost: false });
    await until(bob.engine, () => !policyOf(bob).adminsPost, 'the policy');
    const told = views[1]!
      .getSnapshot()
      .messages.flatMap(({ note }) => (note?.kind === 'policy' ? [note] : []));
    expect(told).toEqual([
      { kind: 'policy', policy: 2 + 4 + 8, before: 0 },
      { kind: 'policy', policy: 2 + 8, before: 2 + 4 + 8 },
    ]);
    const message = newId();
    await bob.engine.send(id, 'rude', { id: message });
    await Promise.all(views.map((view) => hears(view, 'rude')));
    await expect(cyd.engine.deleteForEveryone(id, [message])).rejects.toMatchObject({ code: 'not-yours' });
    await ann.engine.deleteForEveryone(id, [message]);
    await Promise.all(
      views.map((view) => until(view, () => messageOf(view, message)?.deleted === true, 'gone')),
    );
    // Everybody is told who did that.
    for (const view of views) {
      expect(messageOf(view, message)!.deletedBy).toBe(accountOf(ann));
      expect(view.getSnapshot().people![accountOf(ann)]).toBeDefined();
    }
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    await until(bob.engine, () => groupOf(bob, id)?.role === 'admin', 'the role');
    await bob.engine.removeMembers(id, [accountOf(cyd)]);
    await sees(ann, id, 2);
    await expect(bob.engine.removeMembers(id, [accountOf(ann)])).rejects.toMatchObject({
      code: 'membership-invalid',
    });
  });

  it('members add others where the policy lets them, and nowhere else', async () => {
    const { all, id, views } = await circle(world, 'adding', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    const [cyd] = await people(world, 'added', [{}]);
    await bob.engine.addContact(cyd!.engine.getSnapshot().contact!);
    await expect(bob.engine.addMembers(id, [accountOf(cyd!)])).rejects.toMatchObject({
      code: 'membership-invalid',
    });
    await ann.engine.setPolicy(id, { membersAdd: true });
    await until(bob.engine, () => groupOf(bob, id)!.policy.membersAdd, 'the policy');
    await bob.engine.addMembers(id, [accountOf(cyd!)]);
    await Promise.all([ann, bob, cyd!].map((one) => sees(one, id, 3)));
    const cyds = await viewOf(cyd!, id);
    await cyd!.engine.send(id, 'here I am');
    await Promise.all([...views, cyds].map((view) => hears(view, 'here I am')));
    expect(all.map((one) => groupOf(one, id)!.stopped)).toEqual([undefined, undefined]);
  });

  it('what a member sends where admins alone write is not shown', async () => {
    const { all, id, views } = await circle(world, 'closed', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    await ann.engine.setPolicy(id, { adminsPost: true });
    await until(bob.engine, () => groupOf(bob, id)!.policy.adminsPost, 'the policy');
    // A client with its own ideas.
    await bob.store.commit([]).catch(() => undefined);
    const { createEngine } = await import('@sotto/engine/engine');
    const { openVault } = await import('@sotto/engine/vault');
    await bob.engine.close();
    const raw = bob.disk.open();
    const store = await openVault(raw);
    const row = (await store.get('conversation', id))!;
    await store.commit([{ table: 'conversation', put: { ...row, group: { ...row.group!, policy: 0 } } }]);
    const engine = await createEngine({ store: raw, transport: bob.transport });
    await online(engine);
    await engine.send(id, 'anyway');
    await expect
      .poll(async () => (await ann.store.all('aside')).map(({ reason }) => reason))
      .toEqual(['not-allowed']);
    expect(words(views[0]!)).toEqual([]);
    await engine.close();
  });
});

describe('a group of strangers', () => {
  const meetGroup = async (name: string) => {
    const [ann, bob] = await Promise.all([1, 2].map((at) => world.resident(`${name}_${at}`)));
    await Promise.all([ann!, bob!].map(({ engine }) => online(engine)));
    // By handle alone: without what lets into the inbox.
    const { handle } = bob!.engine.getSnapshot().me!;
    await ann!.engine.addContact({ handle });
    const id = newId() as unknown as ConversationId;
    await ann!.engine.createGroup({ id, title: name, members: [accountOf(bob!)] });
    const view = await viewOf(bob!, id);
    await sees(bob!, id, 2);
    return { ann: ann!, bob: bob!, id, view };
  };
  const requested = ({ engine }: Resident, id: ConversationId) =>
    engine.getSnapshot().conversations.find((entry) => entry.id === id)?.request;

  it('is a request until it is accepted; nobody hears anything before', async () => {
    const { ann, bob, id, view } = await meetGroup('ask');
    const message = newId();
    await ann.engine.send(id, 'come along', { id: message });
    await hears(view, 'come along');
    expect(requested(bob, id)).toBe(true);
    await expect(bob.engine.send(id, 'hm')).rejects.toMatchObject({ code: 'not-joined' });
    const anns = await viewOf(ann, id);
    await bob.engine.markRead(id);
    await until(anns, () => messageOf(anns, message)!.status !== 'waiting', 'sent');
    expect(messageOf(anns, message)!.status).toBe('sent');
    await bob.engine.accept(id);
    expect(requested(bob, id)).toBeUndefined();
    await bob.engine.send(id, 'gladly');
    await hears(anns, 'gladly');
    await bob.restart();
    await online(bob.engine);
    expect(requested(bob, id)).toBeUndefined();
  });

  it('says who added one, whatever was written since; blocked, they do it no more', async () => {
    const { ann, bob, id, view } = await meetGroup('by');
    await ann.engine.send(id, 'buy this');
    await hears(view, 'buy this');
    const shown = () => bob.engine.getSnapshot().conversations;
    expect(shown().find((entry) => entry.id === id)?.addedBy).toMatchObject({ account: accountOf(ann) });
    await expect(bob.engine.block(id)).rejects.toMatchObject({ code: 'is-group' });
    const nobody = newId() as unknown as AccountId;
    await expect(bob.engine.block(nobody)).rejects.toMatchObject({ code: 'no-conversation' });
    await bob.engine.block(accountOf(ann));
    await bob.engine.decline(id);
    await sees(ann, id, 1);
    expect(shown()).toMatchObject([{ id: accountOf(ann), request: true, blocked: true }]);

    const again = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id: again, title: 'again', members: [accountOf(bob)] });
    await ann.engine.send(again, 'buy that');
    const anns = await viewOf(ann, again);
    await until(anns, () => anns.getSnapshot().messages.at(-1)?.status === 'sent', 'sent');
    // What somebody else says comes after all of that.
    const cyd = await world.resident('by_3');
    await online(cyd.engine);
    const withBob = await cyd.engine.addContact({ handle: bob.engine.getSnapshot().me!.handle });
    await cyd.engine.send(withBob, 'hello');
    await expect.poll(() => shown().map((entry) => entry.peer.account)).toContain(accountOf(cyd));
    expect(shown().some((entry) => entry.id === again)).toBe(false);
    await bob.restart();
    await online(bob.engine);
    expect(shown().map((entry) => entry.id)).not.toContain(again);
  });

  it('is declined: one is out of it', async () => {
    const { ann, bob, id } = await meetGroup('no');
    await bob.engine.decline(id);
    await sees(ann, id, 1);
    expect(bob.engine.getSnapshot().conversations.some((entry) => entry.id === id)).toBe(false);
    await ann.engine.send(id, 'alone');
    const anns = await viewOf(ann, id);
    await until(anns, () => anns.getSnapshot().messages.at(-1)?.status === 'sent', 'sent');
  });
});
