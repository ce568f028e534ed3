import type { ConversationId } from '@sotto/contract/ids';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { circle } from './circle.ts';
import { idOf, meet, newId, texts, viewOf } from './meeting.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const resident = () => world.resident(`person_${++count}`);
const listed = ({ engine }: Resident, id: ConversationId) =>
  engine.getSnapshot().conversations.find((entry) => entry.id === id);

/** Somebody whom a stranger has written to. */
const asked = async () => {
  const [ann, bob] = [await resident(), await resident()];
  await Promise.all([online(ann.engine), online(bob.engine)]);
  const withAnn = await bob.engine.addContact({ handle: ann.engine.getSnapshot().me!.handle });
  const id = newId();
  await bob.engine.send(withAnn, 'do you know me?', { id });
  const anns = await viewOf(ann, idOf(bob));
  await until(anns, ({ messages }) => messages.length === 1, 'the request');
  return { ann, bob, withAnn, withBob: idOf(bob), id, anns, bobs: await viewOf(bob, withAnn) };
};

describe('a request', () => {
  it('A13 is a request until it is accepted; then its messages are told of', async () => {
    const { ann, withBob, bobs } = await asked();
    expect(listed(ann, withBob)).toMatchObject({ request: true, unread: 1 });
    await ann.engine.markRead(withBob);
    expect(await ann.store.all('outbox')).toEqual([]);
    await ann.engine.accept(withBob);
    expect(listed(ann, withBob)!.request).toBeUndefined();
    await until(bobs, ({ messages }) => messages[0]!.status === 'read', 'read');
  });

  it('A13 is declined without a word, and may come again', async () => {
    const { ann, bob, withAnn, withBob, bobs } = await asked();
    await ann.engine.decline(withBob);
    expect(listed(ann, withBob)).toBeUndefined();
    expect(await ann.store.all('message')).toEqual([]);
    await bob.engine.send(withAnn, 'hello?');
    await until(ann.engine, () => listed(ann, withBob) !== undefined, 'another');
    expect(listed(ann, withBob)).toMatchObject({ request: true, last: { text: 'hello?' } });
    await until(bobs, ({ messages }) => messages.every(({ status }) => status !== 'waiting'), 'sent');
    expect(bobs.getSnapshot().messages.map(({ status }) => status)).toEqual(['sent', 'sent']);
    await ann.engine.accept(withBob);
    await expect(ann.engine.decline(withBob)).rejects.toMatchObject({ code: 'no-request' });
  });
});

describe('who is blocked', () => {
  it('A13 is not heard and hears nothing; everybody else has a new way in', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'block');
    const carol = await resident();
    await online(carol.engine);
    const withAnnOfCarol = await carol.engine.addContact(ann.engine.getSnapshot().contact!);
    await carol.engine.send(withAnnOfCarol, 'hello');
    await viewOf(ann, idOf(carol));
    await ann.engine.send(idOf(carol), 'hello carol');
    const carols = await viewOf(carol, withAnnOfCarol);
    await until(carols, () => texts(carols).length === 2, 'the answer');
    const before = ann.engine.getSnapshot().contact!.token;

    await ann.engine.block(withBob);
    const after = ann.engine.getSnapshot().contact!.token;
    expect(after).not.toBe(before);
    expect(listed(ann, withBob)!.blocked).toBe(true);
    const tokenOf = async (of: Resident) => (await of.store.get('contact', withAnn))?.token;
    await expect.poll(() => tokenOf(carol)).toBe(after);
    expect(await tokenOf(bob)).toBe(before);

    const [first] = anns.getSnapshot().messages;
    const id = newId();
    await bob.engine.send(withAnn, 'are you there?', { id });
    await bob.engine.edit(withAnn, first!.id, 'changed');
    await until(bobs, ({ messages }) => messages.at(-1)!.status === 'sent', 'sent');
    await carol.engine.send(withAnnOfCarol, 'still here');
    await until(carols, ({ messages }) => messages.at(-1)!.status === 'delivered', 'delivered');
    expect(texts(anns)).toEqual(['hello', 'hello yourself']);
    expect(bobs.getSnapshot().messages.at(-1)!.status).toBe('sent');
    await expect(ann.engine.send(withBob, 'no')).rejects.toMatchObject({ code: 'blocked' });

    await ann.engine.unblock(withBob);
    await ann.engine.send(withBob, 'here I am');
    await expect.poll(() => tokenOf(bob)).toBe(after);
    await bob.engine.send(withAnn, 'good');
    await until(bobs, ({ messages }) => messages.at(-1)!.status === 'delivered', 'delivered');
  });

  it('A13 hears nothing of what was read since, neither alone nor in a group; the others there do', async () => {
    const { all, id } = await circle(world, 'unread', [{}, {}, {}]);
    const [ann, bob, carol] = all as [Resident, Resident, Resident];
    const [alone, there, other] = [newId(), newId(), newId()];
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    await bob.engine.send(withAnn, 'alone', { id: alone });
    await bob.engine.send(id, 'there', { id: there });
    await carol.engine.send(id, 'other', { id: other });
    const anns = [await viewOf(ann, id), await viewOf(ann, idOf(bob))];
    await until(
      anns[0]!,
      () => texts(anns[0]!).includes('there') && texts(anns[0]!).includes('other'),
      'both',
    );
    await until(anns[1]!, () => texts(anns[1]!).includes('alone'), 'the first');
    await ann.engine.block(idOf(bob));
    await ann.engine.markRead(idOf(bob));
    await ann.engine.markRead(id);
    await ann.engine.unblock(idOf(bob));
    await ann.engine.send(idOf(bob), 'here I am');
    const bobs = await viewOf(bob, withAnn);
    await until(bobs, () => texts(bobs).includes('here I am'), 'what follows');
    const heardOf = async ({ store }: Resident, conversation: ConversationId, message: string) =>
      Object.values((await store.get('message', [conversation, message]))!.reached?.[idOf(ann)] ?? {});
    await expect.poll(() => heardOf(carol, id, other)).toEqual(['read']);
    expect(await heardOf(bob, id, there)).not.toContain('read');
    expect(await heardOf(bob, withAnn, alone)).not.toContain('read');
  });
});

describe('what one chooses', () => {
  it('keeps to oneself that a message was read', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'quiet');
    expect(ann.engine.getSnapshot().settings).toEqual({
      receipts: 'everyone',
      typing: 'everyone',
      presence: 'contacts',
      lastSeen: 'contacts',
    });
    await ann.engine.setSettings({ receipts: 'nobody' });
    await bob.engine.send(withAnn, 'seen?');
    await until(anns, () => texts(anns).length === 3, 'it');
    await until(bobs, ({ messages }) => messages.at(-1)!.status === 'delivered', 'delivered');
    await ann.engine.markRead(withBob);
    expect(listed(ann, withBob)!.unread).toBe(0);
    expect((await ann.store.all('outbox')).map(({ content }) => content.kind)).not.toContain('receipt');
    await ann.engine.send(withBob, 'not telling');
    await until(bobs, () => texts(bobs).length === 4, 'what follows');
    expect(bobs.getSnapshot().messages[2]!.status).toBe('delivered');
  });

  it('is called by another name with everybody one has written with', async () => {
    const { ann, bob, withAnn } = await meet(world, 'name');
    await ann.engine.setProfile({ name: ' Anna\u202e ' });
    await until(bob.engine, () => listed(bob, withAnn)!.peer.name === 'Anna', 'the name');
    expect(ann.engine.getSnapshot().me!.name).toBe('Anna');
    await expect(ann.engine.setProfile({ name: ' ' })).rejects.toMatchObject({ code: 'bad-name' });
  });

  it('keeps drafts, pins, stars and silence, also across a restart', async () => {
    const { bob, withAnn, bobs } = await meet(world, 'flags');
    const [first] = bobs.getSnapshot().messages;
    const later = Date.now() + 3_600_000;
    await bob.engine.setDraft(withAnn, 'half a ', first!.id);
    await bob.engine.setFlags(withAnn, { muted: later, pinned: true, archived: true });
    await bob.engine.star(withAnn, first!.id, true);
    const engine = await bob.restart();
    expect(listed(bob, withAnn)).toMatchObject({
      draft: { text: 'half a ', reply: first!.id },
      muted: later,
      pinned: expect.any(Number),
      archived: true,
    });
    const view = (await engine.openConversation(withAnn))!;
    expect(view.getSnapshot().messages[0]!.starred).toBe(true);
    expect(view.getSnapshot().draft!.text).toBe('half a ');
    await engine.setDraft(withAnn, '');
    await engine.setFlags(withAnn, { muted: 0, pinned: false, archived: false });
    await engine.star(withAnn, first!.id, false);
    const { draft, muted, pinned, archived } = listed(bob, withAnn)!;
    expect([draft, muted, pinned, archived]).toEqual([undefined, undefined, undefined, undefined]);
    expect(view.getSnapshot().messages[0]!.starred).toBeUndefined();
  });
});

describe('a note to oneself', () => {
  it('is there at once, stays on this device, and is changed like any other', async () => {
    const bob = await resident();
    const id = await bob.engine.noteToSelf();
    const note = newId();
    await bob.engine.send(id, 'milk', { id: note });
    const view = (await bob.engine.openConversation(id))!;
    expect(view.getSnapshot()).toMatchObject({
      peer: { name: bob.engine.getSnapshot().me!.name },
      unread: 0,
    });
    expect(view.getSnapshot().messages).toMatchObject([{ text: 'milk', status: 'sent', mine: true }]);
    await bob.engine.edit(id, note, 'bread');
    await bob.engine.react(id, note, '🥖');
    await bob.engine.send(id, 'eggs');
    expect(texts(view)).toEqual(['bread', 'eggs']);
    await bob.engine.deleteForEveryone(id, [note]);
    expect(texts(view)).toEqual(['', 'eggs']);
    expect(await bob.store.all('outbox')).toEqual([]);
    expect(listed(bob, id)).toMatchObject({ unread: 0, last: { text: 'eggs' } });
  });
});
