import { RelayError } from '@sotto/contract/errors';
import type { AccountId, ConversationId, Handle } from '@sotto/contract/ids';
import type { ConnectionListener, Transport } from '@sotto/engine/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, online, until, type World, type Wrap } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const resident = (transport?: Wrap['transport']) =>
  world.resident(`someone_${++count}`, transport && { transport });

describe('an outbox with one thing that cannot go', () => {
  it('A9 keeps sending to everybody else while one contact’s keys cannot be had', async () => {
    const [ann, eve] = [await resident(), await resident()];
    let broken: AccountId | undefined = eve.engine.getSnapshot().me!.account;
    const bob = await resident((inner) => ({
      ...inner,
      account: async (signer, account) => {
        if (account === broken) throw new RelayError('internal');
        return inner.account(signer, account);
      },
    }));
    await online(bob.engine);
    const withEve = await bob.engine.addContact(eve.engine.getSnapshot().contact!);
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    for (let index = 0; index < 60; index += 1) await bob.engine.send(withEve, `to eve ${index}`);
    await bob.engine.send(withAnn, 'to ann');
    const [eves, anns] = [
      (await bob.engine.openConversation(withEve))!,
      (await bob.engine.openConversation(withAnn))!,
    ];
    await until(anns, ({ messages }) => messages[0]?.status === 'delivered', 'delivered');
    expect(new Set(eves.getSnapshot().messages.map(({ status }) => status))).toEqual(new Set(['waiting']));
    broken = undefined;
    await until(eves, ({ messages }) => messages.every(({ status }) => status === 'delivered'), 'the rest');
  });

  it('does not take the end of a connection for the fate of what was under way', async () => {
    let refuse = true;
    const bob = await resident((inner: Transport) => ({
      ...inner,
      connect(signer, listener: ConnectionListener) {
        const connection = inner.connect(signer, listener);
        return {
          ...connection,
          send(envelopes) {
            if (!refuse) return connection.send(envelopes);
            listener.problem('token-expired');
            return true;
          },
        };
      },
    }));
    const ann = await resident();
    await online(bob.engine);
    const id = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    await bob.engine.send(id, 'patience');
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    refuse = false;
    const engine = await bob.restart();
    const view = (await engine.openConversation(id))!;
    await until(view, ({ messages }) => messages[0]?.status === 'delivered', 'delivered');
    await until(
      ann.engine,
      ({ conversations }) => conversations[0]?.peer.name === engine.getSnapshot().me!.name,
      'the name',
    );
  });
});

describe('a link', () => {
  it('that names somebody else beside its account is refused, online and at the first message', async () => {
    const [ann, eve] = [await resident(), await resident()];
    const claim = {
      handle: ann.engine.getSnapshot().me!.handle,
      account: eve.engine.getSnapshot().me!.account,
    };
    let down = false;
    const bob = await resident((inner) => ({
      ...inner,
      account: async (signer, account) => {
        if (down) throw new RelayError('unreachable');
        return inner.account(signer, account);
      },
    }));
    await online(bob.engine);
    await expect(bob.engine.addContact(claim)).rejects.toMatchObject({ code: 'other-handle' });

    const carol = await resident((inner) => ({
      ...inner,
      account: async (signer, account) => {
        if (down) throw new RelayError('unreachable');
        return inner.account(signer, account);
      },
    }));
    await online(carol.engine);
    down = true;
    const id: ConversationId = await carol.engine.addContact(claim);
    await carol.engine.send(id, 'for ann');
    down = false;
    const view = (await carol.engine.openConversation(id))!;
    const { messages, peer } = await until(
      view,
      (snapshot) => snapshot.messages[0]?.status === 'failed',
      'the refusal',
    );
    expect(messages[0]!.problem).toBe('other-handle');
    expect(peer.handle).toBe(eve.engine.getSnapshot().me!.handle);
    await carol.engine.send(id, 'also for ann');
    await until(view, (snapshot) => snapshot.messages.at(-1)?.status === 'failed', 'the next refusal');
    expect(eve.engine.getSnapshot().conversations).toEqual([]);
    await carol.engine.addContact({ handle: peer.handle });
    await carol.engine.send(id, 'for eve');
    await until(
      eve.engine,
      ({ conversations }) => conversations[0]?.last?.text === 'for eve',
      'what is for eve',
    );
  });
});

describe('a name', () => {
  it('is cleaned of what cannot be seen, and refused when nothing is left', async () => {
    const newcomer = await world.newcomer();
    const link = await world.invite();
    const join = (name: string) =>
      newcomer.engine.register({ link, handle: `someone_${++count}` as Handle, name });
    await expect(join(' \u200b\u202e\n ')).rejects.toMatchObject({ code: 'bad-name' });
    await expect(join('x'.repeat(65))).rejects.toMatchObject({ code: 'bad-name' });
    await join(' Gi\ud800na\u202e ');
    expect(newcomer.engine.getSnapshot().me!.name).toBe('Gi\ufffdna');
  });
});

describe('a session that one side has lost', () => {
  it('is begun anew by itself, and what could not be read comes again, once', async () => {
    const [ann, bob] = [await resident(), await resident()];
    await Promise.all([online(ann.engine), online(bob.engine)]);
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    const withBob = bob.engine.getSnapshot().me!.account as unknown as ConversationId;
    await bob.engine.send(withAnn, 'before');
    await until(ann.engine, ({ conversations }) => conversations[0]?.unread === 1, 'the first');
    await ann.engine.send(withBob, 'answer');
    const bobs = (await bob.engine.openConversation(withAnn))!;
    await until(bobs, ({ messages }) => messages.length === 2, 'the answer');

    await ann.engine.close();
    const store = ann.disk.open();
    for (const { account: of, device } of await store.all('peer')) {
      await store.commit([{ table: 'peer', remove: [of, device] }]);
    }
    await bob.engine.send(withAnn, 'lost at first');
    await until(bobs, ({ messages }) => messages.at(-1)?.status === 'sent', 'sent');
    const engine = await ann.restart();
    await until(
      engine,
      ({ conversations }) => conversations[0]?.last?.text === 'lost at first',
      'the lost one',
    );
    await until(bobs, ({ messages }) => messages.at(-1)?.status === 'delivered', 'delivered');
    await bob.engine.send(withAnn, 'after');
    await until(bobs, ({ messages }) => messages.at(-1)?.status === 'delivered', 'delivered');
    await engine.send(withBob, 'and back');
    await until(bobs, ({ messages }) => messages.at(-1)?.text === 'and back', 'the way back');
    const anns = (await engine.openConversation(withBob))!;
    const texts = ['before', 'answer', 'lost at first', 'after', 'and back'];
    expect(anns.getSnapshot().messages.map(({ text }) => text)).toEqual(texts);
    expect(bobs.getSnapshot().messages.map(({ text }) => text)).toEqual(texts);
  });
});
