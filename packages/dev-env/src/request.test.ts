import { RelayError } from '@sotto/contract/errors';
import type { ConversationId } from '@sotto/contract/ids';
import { openVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { maintainPrekeys } from '@sotto/engine/account/prekeys';
import { openModel } from '@sotto/engine/model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, online, type Resident, until, type World } from './world.ts';

const DAY = 24 * 60 * 60_000;

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const resident = () => world.resident(`asker_${++count}`);
const handleOf = ({ engine }: Resident) => engine.getSnapshot().me!.handle;
const idOf = ({ engine }: Resident) => engine.getSnapshot().me!.account as unknown as ConversationId;

const viewOf = async ({ engine }: Resident, id: ConversationId) => {
  await until(engine, ({ conversations }) => conversations.some((entry) => entry.id === id), 'it');
  return (await engine.openConversation(id))!;
};

describe('a stranger', () => {
  it('A13 hears nothing of what became of their messages until there is an answer', async () => {
    const [ann, bob] = [await resident(), await resident()];
    await Promise.all([online(ann.engine), online(bob.engine)]);
    const withAnn = await bob.engine.addContact({ handle: handleOf(ann) });
    await bob.engine.send(withAnn, 'do you know me?');
    await bob.engine.send(withAnn, 'from the train');
    const [anns, bobs] = [await viewOf(ann, idOf(bob)), await viewOf(bob, withAnn)];
    await until(anns, ({ messages }) => messages.length === 2, 'the request');
    await ann.engine.markRead(idOf(bob));
    // What would tell is in the outbox of whoever was asked.
    expect(await ann.store.all('outbox')).toEqual([]);
    expect(bobs.getSnapshot().messages.map(({ status }) => status)).not.toContain('delivered');

    await ann.engine.send(idOf(bob), 'yes');
    await until(
      bobs,
      ({ messages }) => messages.filter(({ status }) => status === 'read').length === 2,
      'read',
    );
    await bob.engine.send(withAnn, 'good');
    await until(bobs, ({ messages }) => messages.at(-1)!.status === 'delivered', 'delivered at once');
  });

  it('who is answered is no stranger: both have each other’s token', async () => {
    const [ann, bob] = [await resident(), await resident()];
    const withAnn = await bob.engine.addContact({ handle: handleOf(ann) });
    await bob.engine.send(withAnn, 'hello');
    await viewOf(ann, idOf(bob));
    await ann.engine.send(idOf(bob), 'hello yourself');
    const tokens = async (of: Resident, account: string) => (await of.store.get('contact', account))?.token;
    const bobs = await viewOf(bob, withAnn);
    await until(bobs, ({ messages }) => messages.length === 2, 'the answer');
    expect(await tokens(bob, idOf(ann))).toBe(ann.engine.getSnapshot().contact!.token);
    expect(await tokens(ann, idOf(bob))).toBe(bob.engine.getSnapshot().contact!.token);
  });
});

describe('a sealing key', () => {
  it('is replaced after 30 days, opens what was sealed before, and goes after 90 more', async () => {
    const ann = await resident();
    await online(ann.engine);
    const self = (await ann.store.get('self', 'self'))!;
    await ann.engine.close();
    const disk = createMemoryDisk();
    const store = disk.open();
    // A key made 31 days ago, as if this were then.
    const sealing = self.sealing.map((key) => ({ ...key, createdAt: Date.now() - 31 * DAY }));
    await store.commit([{ table: 'self', put: { ...self, sealing } }]);
    const model = await openModel(store);
    const sent: (number | undefined)[] = [];
    const transport = {
      ...ann.transport,
      publishPrekeys: async (_signer: unknown, request: { sealingKey?: { id: number } }) => {
        sent.push(request.sealingKey?.id);
        return { oneTime: 200, pqOneTime: 200 };
      },
    } as typeof ann.transport;
    const ids = async () => (await store.get('self', 'self'))!.sealing.map(({ id }) => id);
    await maintainPrekeys(model, transport, Date.now());
    expect(await ids()).toEqual([1, 2]);
    expect(sent[0]).toBe(2);
    await maintainPrekeys(model, transport, Date.now() + DAY);
    expect(sent.filter((id) => id === 2)).toHaveLength(1);
    await maintainPrekeys(model, transport, Date.now() + 89 * DAY);
    expect(await ids()).toContain(1);
    await maintainPrekeys(model, transport, Date.now() + 91 * DAY);
    expect(await ids()).not.toContain(1);
  });

  it('reaches contacts that wrote before it: they look again when what they have is old', async () => {
    const [ann, bob] = [await resident(), await resident()];
    await Promise.all([online(ann.engine), online(bob.engine)]);
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    await bob.engine.send(withAnn, 'before');
    const bobs = await viewOf(bob, withAnn);
    await until(bobs, ({ messages }) => messages[0]?.status === 'delivered', 'delivered');
    const MONTH = 31 * DAY;
    await ann.engine.close();
    const disk = ann.disk.open();
    const self = (await disk.get('self', 'self'))!;
    const sealing = self.sealing.map((key) => ({ ...key, createdAt: key.createdAt - MONTH }));
    await disk.commit([{ table: 'self', put: { ...self, sealing } }]);
    const anns = await ann.restart();
    await online(anns);
    const published = async () => {
      const keys = (await ann.store.get('self', 'self'))!.sealing;
      return keys.map(({ id, publishedAt }) => publishedAt !== undefined && id);
    };
    await expect.poll(published).toEqual([1, 2]);
    await bob.engine.close();
    const bobsDisk = await openVault(bob.disk.open());
    const contact = (await bobsDisk.get('contact', withAnn))!;
    await bobsDisk.commit([{ table: 'contact', put: { ...contact, fetchedAt: contact.fetchedAt! - MONTH } }]);
    const engine = await bob.restart();
    await engine.send(withAnn, 'after');
    await until(anns, ({ conversations }) => conversations[0]?.last?.text === 'after', 'the second');
    const known = (await bob.store.get('contact', withAnn))!;
    expect(known.devices[0]!.sealing?.id).toBe(2);
  });
});

describe('a session that is a month old', () => {
  it('goes on when its renewal cannot be had, or does not hold', async () => {
    let mode: 'as it is' | 'refused' | 'bent' = 'as it is';
    const ann = await resident();
    const bob = await world.resident(`asker_${++count}`, {
      transport: (inner) => ({
        ...inner,
        bundles: async (...args) => {
          if (mode === 'refused') throw new RelayError('too-many-requests');
          const { bundles } = await inner.bundles(...args);
          if (mode === 'as it is') return { bundles };
          return { bundles: bundles.map((one) => ({ ...one, signed: { ...one.signed, expiresAt: 1 } })) };
        },
      }),
    });
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    await bob.engine.send(withAnn, 'first');
    const anns = await viewOf(ann, idOf(bob));
    await ann.engine.send(idOf(bob), 'answer');
    await until(await viewOf(bob, withAnn), ({ messages }) => messages.length === 2, 'the answer');
    await until(anns, ({ messages }) => messages.length === 2, 'both');
    for (const next of ['refused', 'bent'] as const) {
      mode = next;
      await bob.engine.close();
      const disk = bob.disk.open();
      for (const row of await disk.all('peer')) {
        const sessions = row.state.sessions.map((one) => ({ ...one, createdAt: one.createdAt - 31 * DAY }));
        await disk.commit([{ table: 'peer', put: { ...row, state: { ...row.state, sessions } } }]);
      }
      const engine = await bob.restart();
      await engine.send(withAnn, next);
      await until(ann.engine, ({ conversations }) => conversations[0]?.last?.text === next, next);
    }
  });
});
