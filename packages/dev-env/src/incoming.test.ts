import type { ConversationId } from '@sotto/contract/ids';
import { incoming } from '@sotto/engine/incoming';
import type { Engine } from '@sotto/engine/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idOf, meet, newId, texts } from './meeting.ts';
import { createWorld, until, type World } from './world.ts';

let world: World;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const unread = (engine: Engine, id: ConversationId): number =>
  engine.getSnapshot().conversations.find((entry) => entry.id === id)?.unread ?? 0;

describe('incoming messages', () => {
  it('come in their order, are seen when the next is asked for, and are answered once', async () => {
    const { ann, bob, withAnn, withBob, bobs } = await meet(world, 'in');
    for (const text of ['one', 'two', 'three']) await bob.engine.send(withAnn, text);
    await until(ann.engine, () => unread(ann.engine, withBob) === 3, 'three messages');

    const feed = incoming(ann.engine);
    const first = (await feed.next()).value!;
    expect([first.message.text, first.conversation, first.from.account]).toEqual(['one', withBob, idOf(bob)]);
    await first.reply('1');
    expect(unread(ann.engine, withBob)).toBe(3);
    const second = (await feed.next()).value!;
    expect(second.message.text).toBe('two');
    expect(unread(ann.engine, withBob)).toBe(2);
    await second.reply('2a');

    // It ends between a reply and what would have said that the message is dealt with.
    await ann.restart();
    const again = incoming(ann.engine);
    const repeated = (await again.next()).value!;
    expect(repeated.message.text).toBe('two');
    await repeated.reply('2a');
    await repeated.reply('2b');
    const third = (await again.next()).value!;
    expect(third.message.text).toBe('three');
    await third.reply('3');
    const next = again.next();
    await bob.engine.send(withAnn, 'four');
    const fourth = (await next).value!;
    expect(fourth.message.text).toBe('four');
    await fourth.reply('4');
    const end = again.next();
    await until(bobs, () => texts(bobs).includes('4'), 'the last reply');
    expect(texts(bobs).filter((text) => /^\d/.test(text))).toEqual(['1', '2a', '2b', '3', '4']);
    await ann.engine.close();
    expect((await end).done).toBe(true);
  });

  it('pass over what has no text and who is blocked', async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'in');
    const id = newId();
    await bob.engine.send(withAnn, 'taken back', { id });
    await until(ann.engine, () => unread(ann.engine, withBob) === 1, 'the message');
    await bob.engine.deleteForEveryone(withAnn, [id]);
    const anns = (await ann.engine.openConversation(withBob))!;
    await until(anns, ({ messages }) => messages.at(-1)!.deleted === true, 'taken back');
    await bob.engine.send(withAnn, 'kept');
    await bob.engine.send(withAnn, 'more');
    await until(ann.engine, ({ conversations }) => conversations[0]?.last?.text === 'more', 'the others');
    const feed = incoming(ann.engine);
    expect((await feed.next()).value!.message.text).toBe('kept');
    await ann.engine.block(withBob);
    const next = feed.next();
    const carl = await world.resident('in_carl');
    await carl.engine.send(await carl.engine.addContact(ann.engine.getSnapshot().contact!), 'from carl');
    expect((await next).value!.message.text).toBe('from carl');
  });

  it('are marked as seen one by one: what comes late before them is not passed over', async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'in');
    const ids = [newId(), newId(), newId()];
    for (const id of ids) await bob.engine.send(withAnn, id, { id });
    await until(ann.engine, () => unread(ann.engine, withBob) === 3, 'three messages');
    await ann.engine.markRead(withBob, [ids[2]!, ids[2]!, 'not there']);
    expect(unread(ann.engine, withBob)).toBe(2);
    expect((await incoming(ann.engine).next()).value!.message.text).toBe(ids[0]);
    await ann.engine.markRead(withBob, []);
    expect(unread(ann.engine, withBob)).toBe(2);
  });

  it('get no second reply when the first was deleted here meanwhile', async () => {
    const { ann, withBob, bobs } = await meet(world, 'in');
    const id = newId();
    await ann.engine.send(withBob, 'once', { id });
    await until(bobs, () => texts(bobs).includes('once'), 'the message');
    await ann.engine.deleteForMe(withBob, [id]);
    await ann.engine.send(withBob, 'once', { id });
    const anns = (await ann.engine.openConversation(withBob))!;
    expect(texts(anns)).not.toContain('once');
    await ann.engine.send(withBob, 'last');
    await until(bobs, () => texts(bobs).includes('last'), 'the last message');
    expect(texts(bobs).filter((text) => text === 'once')).toHaveLength(1);
  });
});
