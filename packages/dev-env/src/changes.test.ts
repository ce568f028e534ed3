import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meet, messageOf, newId, viewOf } from './meeting.ts';
import { createWorld, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

describe('a message', () => {
  it('carries what it answers, whom it names and that it was forwarded', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'reply');
    const [first] = bobs.getSnapshot().messages;
    const me = ann.engine.getSnapshot().me!.account;
    const id = newId();
    await bob.engine.send(withAnn, '  @ann look', {
      id,
      reply: first!.id,
      mentions: [
        { account: me, start: 2, length: 4 },
        { account: me, start: 9, length: 99 },
      ],
      forwarded: true,
    });
    await until(anns, () => messageOf(anns, id) !== undefined, 'the answer');
    const expected = {
      text: '@ann look',
      reply: { id: first!.id, text: 'hello' },
      mentions: [{ account: me, start: 0, length: 4 }],
      forwarded: true,
    };
    expect(messageOf(anns, id)).toMatchObject(expected);
    expect(messageOf(bobs, id)).toMatchObject(expected);
    expect(ann.engine.getSnapshot().conversations[0]).toMatchObject({ unread: 1, mentioned: 1 });
    await ann.engine.markRead(withBob);
    expect(ann.engine.getSnapshot().conversations[0]).toMatchObject({ unread: 0, mentioned: 0 });
    await expect(bob.engine.send(withAnn, 'x', { reply: newId() })).rejects.toMatchObject({
      code: 'no-message',
    });
  });

  it('is sent once however often it is asked for under one id', async () => {
    const { bob, withAnn, anns, bobs } = await meet(world, 'twice');
    const id = newId();
    await Promise.all([bob.engine.send(withAnn, 'once', { id }), bob.engine.send(withAnn, 'once', { id })]);
    await until(bobs, () => messageOf(bobs, id)?.status === 'delivered', 'delivered');
    await bob.engine.send(withAnn, 'another', { id });
    expect(messageOf(bobs, id)).toMatchObject({ text: 'once', status: 'delivered' });
    await bob.engine.send(withAnn, 'last');
    await until(anns, ({ messages }) => messages.at(-1)?.text === 'last', 'the last');
    expect(anns.getSnapshot().messages.filter(({ text }) => text === 'once')).toHaveLength(1);
  });

  it('is edited, and says what it said before', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'edit');
    const id = newId();
    await bob.engine.send(withAnn, 'one', { id });
    for (const text of ['two', 'three']) await bob.engine.edit(withAnn, id, text);
    await until(anns, () => messageOf(anns, id)?.text === 'three', 'the edit');
    for (const view of [anns, bobs]) {
      expect(messageOf(view, id)!.edits!.map(({ text }) => text)).toEqual(['one', 'two']);
    }
    expect(ann.engine.getSnapshot().conversations[0]!.last!.text).toBe('three');
    await expect(ann.engine.edit(withBob, id, 'mine')).rejects.toMatchObject({ code: 'not-yours' });
    await expect(bob.engine.edit(withAnn, id, ' ')).rejects.toMatchObject({ code: 'empty' });
    await expect(bob.engine.edit(withAnn, newId(), 'x')).rejects.toMatchObject({ code: 'no-message' });
  });

  it('is deleted for everybody by its author alone, and nothing of it stays', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'delete');
    const id = newId();
    await bob.engine.send(withAnn, 'secret', { id });
    await until(anns, () => messageOf(anns, id) !== undefined, 'it');
    await ann.engine.react(withBob, id, '👍');
    await until(bobs, () => messageOf(bobs, id)?.reactions !== undefined, 'the reaction');
    await expect(ann.engine.deleteForEveryone(withBob, [id])).rejects.toMatchObject({ code: 'not-yours' });
    await bob.engine.deleteForEveryone(withAnn, [id]);
    await until(anns, () => messageOf(anns, id)?.deleted === true, 'the deletion');
    for (const [{ engine, store }, view] of [
      [ann, anns],
      [bob, bobs],
    ] as const) {
      expect(messageOf(view, id)).toMatchObject({ text: '', deleted: true });
      expect(messageOf(view, id)!.reactions).toBeUndefined();
      expect(engine.getSnapshot().conversations[0]).toMatchObject({
        unread: 0,
        last: { text: '', deleted: true },
      });
      expect(JSON.stringify(await store.all('message'))).not.toContain('secret');
    }
    await expect(bob.engine.edit(withAnn, id, 'again')).rejects.toMatchObject({ code: 'not-yours' });
  });

  it('is taken off one device, and a late copy does not bring it back', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'forme');
    const id = newId();
    await bob.engine.send(withAnn, 'here', { id });
    await until(anns, () => messageOf(anns, id) !== undefined, 'it');
    await ann.engine.deleteForMe(withBob, [id]);
    expect(messageOf(anns, id)).toBeUndefined();
    expect(ann.engine.getSnapshot().conversations[0]).toMatchObject({
      unread: 0,
      last: { text: 'hello yourself' },
    });
    await bob.engine.edit(withAnn, id, 'changed');
    await bob.engine.react(withAnn, id, '!');
    await bob.engine.send(withAnn, 'after');
    await until(anns, ({ messages }) => messages.at(-1)?.text === 'after', 'what follows');
    expect(messageOf(anns, id)).toBeUndefined();
    expect(messageOf(bobs, id)!.text).toBe('changed');
    expect(await ann.store.all('pending')).toEqual([]);
  });

  it('is corrected for the other though it was taken off its author’s device at once', async () => {
    const { bob, withAnn, anns } = await meet(world, 'corrected');
    const id = newId();
    await bob.engine.send(withAnn, 'wrong', { id });
    await until(anns, () => messageOf(anns, id) !== undefined, 'it');
    await expect.poll(() => bob.store.all('outbox')).toEqual([]);
    // Both before anything is encrypted.
    await Promise.all([bob.engine.edit(withAnn, id, 'right'), bob.engine.deleteForMe(withAnn, [id])]);
    await until(anns, () => messageOf(anns, id)!.text === 'right', 'the correction');
  });

  it('has one reaction of each account, and null takes it back', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'react');
    const [first] = bobs.getSnapshot().messages;
    const seen = (view: typeof anns) =>
      (messageOf(view, first!.id)!.reactions ?? []).map(({ emoji, accounts }) => [emoji, accounts.length]);
    await bob.engine.react(withAnn, first!.id, '👍');
    await ann.engine.react(withBob, first!.id, '👍');
    await until(anns, () => seen(anns)[0]?.[1] === 2, 'both');
    await bob.engine.react(withAnn, first!.id, '🎉');
    await until(anns, () => seen(anns).length === 2, 'the other');
    await ann.engine.react(withBob, first!.id, null);
    await until(bobs, () => seen(bobs).length === 1, 'one');
    expect(seen(bobs)).toEqual([['🎉', 1]]);
    expect(seen(anns)).toEqual([['🎉', 1]]);
    await expect(bob.engine.react(withAnn, first!.id, 'x'.repeat(33))).rejects.toMatchObject({
      code: 'bad-emoji',
    });
  });

  it('comes out alike on both sides when both act at the same moment', async () => {
    const { ann, bob, withAnn, withBob, anns, bobs } = await meet(world, 'same');
    const ids = [newId(), newId(), newId(), newId()];
    for (const [at, id] of ids.entries()) await bob.engine.send(withAnn, `text ${at}`, { id });
    await until(anns, () => ids.every((id) => messageOf(anns, id)), 'all');
    await Promise.all([
      bob.engine.edit(withAnn, ids[0]!, 'changed'),
      ann.engine.react(withBob, ids[0]!, '?'),
      bob.engine.react(withAnn, ids[0]!, '!'),
      bob.engine.deleteForEveryone(withAnn, [ids[1]!]),
      ann.engine.react(withBob, ids[1]!, '?'),
      ann.engine.react(withBob, ids[2]!, '1'),
      bob.engine.edit(withAnn, ids[2]!, 'one'),
      bob.engine.edit(withAnn, ids[2]!, 'two'),
      ann.engine.react(withBob, ids[2]!, '2'),
      ann.engine.markRead(withBob),
      bob.engine.deleteForEveryone(withAnn, [ids[3]!]),
    ]);
    await bob.engine.send(withAnn, 'end of bob');
    await ann.engine.send(withBob, 'end of ann');
    const ended = (view: typeof anns) =>
      until(view, ({ messages }) => messages.filter(({ text }) => text.startsWith('end of')).length === 2);
    await Promise.all([ended(anns), ended(bobs)]);
    const shown = (view: typeof anns) =>
      ids.map((id) => {
        const { text, deleted, edits, reactions } = messageOf(view, id)!;
        const given = (reactions ?? []).map(({ emoji, accounts }) => `${emoji} ${accounts.join()}`);
        return { text, deleted, edits: edits?.map((edit) => edit.text), given: given.toSorted() };
      });
    expect(shown(anns)).toEqual(shown(bobs));
    expect(shown(anns).map(({ text }) => text)).toEqual(['changed', '', 'two', '']);
  });
});

describe('a message that has not left', () => {
  it('is edited and taken back without a trace', async () => {
    const { ann, bob, withAnn, anns, bobs } = await meet(world, 'unsent');
    await bob.engine.close();
    // An engine without a network.
    bob.transport = { ...bob.transport, connect: () => idle };
    const idle = {
      send: () => false,
      post: () => false,
      ack: () => false,
      live: () => false,
      livePost: () => false,
      retry() {},
      close() {},
    };
    const { createEngine } = await import('@sotto/engine/engine');
    const offline = await createEngine({ store: bob.disk.open(), transport: bob.transport });
    const [kept, gone] = [newId(), newId()];
    await offline.send(withAnn, 'first', { id: kept });
    await offline.send(withAnn, 'never', { id: gone });
    await offline.edit(withAnn, kept, 'second');
    await offline.deleteForEveryone(withAnn, [gone]);
    await expect(offline.react(withAnn, kept, '!')).rejects.toMatchObject({ code: 'not-sent' });
    await offline.close();
    bobs.close();
    await bob.restart();
    await until(anns, () => messageOf(anns, kept)?.text === 'second', 'the edit');
    expect(messageOf(anns, gone)).toBeUndefined();
    expect(await ann.store.all('pending')).toEqual([]);
    const again = await viewOf(bob, withAnn);
    expect(messageOf(again, gone)).toBeUndefined();
  });
});
