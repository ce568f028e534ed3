import type { AccountId, ConversationId, Handle } from '@sotto/contract/ids';
import type { Connection, ConnectionListener, Transport } from '@sotto/engine/ports';
import type { ChatMessage, ConversationView, Engine } from '@sotto/engine/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, online, type Resident, until, type World, type Wrap } from './world.ts';

let world: World;
let count = 0;

beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const accountOf = (engine: Engine): AccountId => engine.getSnapshot().me!.account;
const asConversation = (account: AccountId) => account as unknown as ConversationId;
const texts = (view: ConversationView): string[] => view.getSnapshot().messages.map(({ text }) => text);
const last = (view: ConversationView): ChatMessage => view.getSnapshot().messages.at(-1)!;

/** Two people, the second of whom knows the first. */
const pair = async (transport?: Wrap['transport']): Promise<[Resident, Resident, ConversationId]> => {
  const number = ++count;
  const ann = await world.resident(`ann_${number}`);
  const bob = await world.resident(`bob_${number}`, transport && { transport });
  await Promise.all([online(ann.engine), online(bob.engine)]);
  return [ann, bob, await bob.engine.addContact(ann.engine.getSnapshot().contact!)];
};

const viewOf = async (engine: Engine, id: ConversationId): Promise<ConversationView> => {
  await until(
    engine,
    ({ conversations }) => conversations.some((entry) => entry.id === id),
    'the conversation',
  );
  return (await engine.openConversation(id))!;
};

/** A switch between an engine and the network. */
const createSwitch = () => {
  let open = true;
  let deaf = false;
  const live = new Set<{ connection: Connection; reopen: () => void }>();
  const wrap = (transport: Transport): Transport => ({
    ...transport,
    connect(signer, listener: ConnectionListener) {
      const hearing: ConnectionListener = {
        ...listener,
        accepted: (results) => {
          if (!deaf) listener.accepted(results);
        },
      };
      const entry = {
        connection: undefined as unknown as Connection,
        reopen: () => (entry.connection = transport.connect(signer, hearing)),
        down: () => listener.disconnected(),
      };
      entry.reopen();
      live.add(entry);
      return {
        send: (envelopes) => open && entry.connection.send(envelopes),
        post: (posts) => open && entry.connection.post(posts),
        ack: (ids) => open && entry.connection.ack(ids),
        live: (signals) => open && entry.connection.live(signals),
        livePost: (post) => open && entry.connection.livePost(post),
        retry: () => undefined,
        close: () => {
          live.delete(entry);
          entry.connection.close();
        },
      };
    },
  });
  return {
    wrap,
    loseAnswers(lose: boolean) {
      deaf = lose;
    },
    off() {
      open = false;
      for (const entry of live) {
        entry.connection.close();
        (entry as unknown as { down(): void }).down();
      }
    },
    on() {
      open = true;
      for (const entry of live) entry.reopen();
    },
  };
};

describe('a conversation', () => {
  it('carries text, names and sent, delivered, read both ways', async () => {
    const [ann, bob, withAnn] = await pair();
    await bob.engine.send(withAnn, 'hello');
    const bobs = await viewOf(bob.engine, withAnn);
    await until(bobs, () => last(bobs).status === 'delivered', 'delivered');

    const withBob = asConversation(accountOf(bob.engine));
    const anns = await viewOf(ann.engine, withBob);
    expect(texts(anns)).toEqual(['hello']);
    const listed = () => ann.engine.getSnapshot().conversations[0]!;
    expect(listed()).toMatchObject({
      unread: 1,
      peer: { name: bob.engine.getSnapshot().me!.name, verified: false },
    });
    expect(bob.engine.getSnapshot().conversations[0]!.peer.verified).toBe(true);

    await ann.engine.markRead(withBob);
    expect(listed().unread).toBe(0);
    await until(bobs, () => last(bobs).status === 'read', 'read');
    expect(bob.engine.getSnapshot().conversations[0]!.last?.status).toBe('read');

    await ann.engine.send(withBob, 'hello yourself');
    await until(bobs, () => texts(bobs).length === 2, 'the answer');
    expect(texts(bobs)).toEqual(texts(anns));
    await until(anns, () => last(anns).status !== 'waiting', 'sent');
    expect(last(bobs).time).toBe(last(anns).time);
    expect(bob.engine.getSnapshot().conversations[0]!.peer.name).toBe(ann.engine.getSnapshot().me!.name);
  });

  it('finds somebody by handle, and says when there is nobody', async () => {
    const [ann, bob] = await pair();
    const handle = bob.engine.getSnapshot().me!.handle;
    expect(await ann.engine.addContact({ handle })).toBe(accountOf(bob.engine));
    await expect(ann.engine.addContact({ handle: 'nobody_here' as Handle })).rejects.toMatchObject({
      code: 'account-unknown',
    });
    await expect(
      ann.engine.addContact({ handle: ann.engine.getSnapshot().me!.handle }),
    ).rejects.toMatchObject({
      code: 'yourself',
    });
  });

  it('takes messages while offline and sends them later, once, in order, across a restart', async () => {
    const network = createSwitch();
    const [ann, bob, withAnn] = await pair(network.wrap);
    network.off();
    for (const text of ['one', 'two']) await bob.engine.send(withAnn, text);
    await bob.restart();
    network.off();
    await bob.engine.send(withAnn, 'three');
    const bobs = await viewOf(bob.engine, withAnn);
    expect(bobs.getSnapshot().messages.map(({ status }) => status)).toEqual([
      'waiting',
      'waiting',
      'waiting',
    ]);

    network.on();
    const anns = await viewOf(ann.engine, asConversation(accountOf(bob.engine)));
    await until(anns, () => texts(anns).length === 3, 'three messages');
    await until(
      bobs,
      () => bobs.getSnapshot().messages.every(({ status }) => status === 'delivered'),
      'ticks',
    );
    expect(texts(anns)).toEqual(['one', 'two', 'three']);
    expect(texts(bobs)).toEqual(['one', 'two', 'three']);
  });

  it('shows a message in its place as soon as it is written', async () => {
    const network = createSwitch();
    const [, bob, withAnn] = await pair(network.wrap);
    network.off();
    const bobs = await viewOf(bob.engine, withAnn);
    await bob.engine.send(withAnn, 'waits');
    expect(last(bobs)).toMatchObject({ text: 'waits', status: 'waiting', mine: true });
    expect(bob.engine.getSnapshot().conversations[0]!.last).toMatchObject({
      text: 'waits',
      status: 'waiting',
    });
  });

  it('pages back through history without holes or repeats', async () => {
    const [ann, bob, withAnn] = await pair();
    const expected = Array.from({ length: 130 }, (_, index) => `message ${index}`);
    for (const text of expected) await bob.engine.send(withAnn, text);
    const bobs = await viewOf(bob.engine, withAnn);
    await until(bobs, () => last(bobs).status === 'delivered', 'delivered');
    const anns = await viewOf(ann.engine, asConversation(accountOf(bob.engine)));
    expect(texts(anns)).toEqual(expected.slice(-50));
    await Promise.all([anns.loadOlder(), anns.loadOlder()]);
    expect(texts(anns)).toEqual(expected.slice(-100));
    await anns.loadOlder();
    await anns.loadOlder();
    expect(texts(anns)).toEqual(expected);
    expect(anns.getSnapshot().hasOlder).toBe(false);
  });

  it('refuses what cannot be sent', async () => {
    const [, bob, withAnn] = await pair();
    await expect(bob.engine.send(withAnn, ' \n')).rejects.toMatchObject({ code: 'empty' });
    await expect(bob.engine.send(withAnn, 'x'.repeat(8001))).rejects.toMatchObject({ code: 'too-long' });
    const stranger = Buffer.alloc(32, 1).toString('base64url') as ConversationId;
    await expect(bob.engine.send(stranger, 'x')).rejects.toMatchObject({ code: 'no-conversation' });
  });

  it('carries every character, and the longest text there may be', async () => {
    const [ann, bob, withAnn] = await pair();
    const sent = [
      '\u0000'.repeat(8000).replace(/^./, 'a').replace(/.$/, 'z'),
      'é\u{1f600}‮\n"\\',
      'half \ud800 pair',
    ];
    for (const text of sent) await bob.engine.send(withAnn, text);
    const anns = await viewOf(ann.engine, asConversation(accountOf(bob.engine)));
    await until(anns, () => texts(anns).length === 3, 'three messages');
    expect(texts(anns)).toEqual([sent[0], sent[1], 'half \ufffd pair']);
  });
});

it('leaves no hole where a message settles far above the end', async () => {
  const network = createSwitch();
  const [ann, bob, withAnn] = await pair(network.wrap);
  const withBob = asConversation(accountOf(bob.engine));
  await bob.engine.send(withAnn, 'hello');
  const anns = await viewOf(ann.engine, withBob);
  // Accepted by the relay, but the answer is lost.
  network.loseAnswers(true);
  await bob.engine.send(withAnn, 'early');
  await until(anns, () => texts(anns).length === 2, 'the early one');
  network.off();
  const expected = ['hello', 'early'];
  for (let index = 0; index < 120; index += 1) {
    expected.push(`message ${index}`);
    await ann.engine.send(withBob, `message ${index}`);
  }
  await until(anns, () => anns.getSnapshot().messages.at(-1)?.status === 'sent', 'sent');
  network.loseAnswers(false);
  network.on();
  const bobs = await viewOf(bob.engine, withAnn);
  await until(bob.engine, ({ conversations }) => conversations[0]?.unread === 120, 'all of them');
  while (bobs.getSnapshot().hasOlder) await bobs.loadOlder();
  await until(bobs, () => texts(bobs).length === expected.length, 'every message');
  expect(texts(bobs)).toEqual(expected);
});
