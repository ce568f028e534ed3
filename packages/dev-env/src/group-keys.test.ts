import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { ConversationId } from '@sotto/contract/ids';
import { toBase64url } from '@sotto/crypto/bytes';
import { createSenderKey } from '@sotto/crypto/sender-key';
import type { Clock } from '@sotto/engine/clock';
import type { Transport } from '@sotto/engine/ports';
import type { OutboxRow } from '@sotto/engine/rows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, people, sees, viewOf, words } from './circle.ts';
import { newId } from './meeting.ts';
import { postBy, puppet } from './puppet.ts';
import { createWorld, type Resident, until, type World, type Wrap } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

/** A minute passes within seconds. */
const hasty = (): Clock => {
  let ahead = 0;
  return {
    now: () => Date.now() + ahead,
    after(ms, task) {
      const isLong = ms === 60_000;
      const timer = setTimeout(
        () => {
          if (isLong) ahead += ms;
          task();
        },
        isLong ? 5_000 : ms,
      );
      return () => clearTimeout(timer);
    },
  };
};

/** Holds back what is of no group. */
const gate = () => {
  const stash: IncomingEnvelope[] = [];
  let isOpen = true;
  let deliver: ((envelopes: IncomingEnvelope[]) => void) | undefined;
  const transport = (inner: Transport): Transport => ({
    ...inner,
    connect(signer, listener) {
      deliver = (envelopes) => listener.deliver(envelopes);
      return inner.connect(signer, {
        ...listener,
        connected: (...args) => listener.connected(...args),
        deliver: (envelopes) => {
          const through = envelopes.filter((one) => isOpen || one.channel !== undefined);
          stash.push(...envelopes.filter((one) => !through.includes(one)));
          if (through.length > 0) listener.deliver(through);
        },
      });
    },
  });
  return {
    wrap: { transport } satisfies Wrap,
    shut: () => void (isOpen = false),
    /** What was held back is lost. */
    open: () => {
      isOpen = true;
      stash.length = 0;
    },
    /** The last first, each by itself. */
    release: () => {
      isOpen = true;
      for (const one of stash.splice(0).toReversed()) deliver!([one]);
    },
    waiting: () => stash.length,
  };
};

const isEncrypted = ({ envelopes }: OutboxRow): boolean => envelopes !== undefined;

const stateOf = async ({ store }: Resident, id: string) => (await store.get('group', id))!.state!;
const channelOf = async (one: Resident, id: string) => toBase64url((await stateOf(one, id)).channel);

describe('a channel key whose maker is gone', () => {
  const lost = async (name: string) => {
    const way = gate();
    const wraps = [{}, { ...way.wrap, clock: hasty() }, {}, {}];
    const { all, id } = await circle(world, name, wraps);
    const [ann, bob, cyd, dan] = all as [Resident, Resident, Resident, Resident];
    way.shut();
    await ann.engine.removeMembers(id, [accountOf(dan)]);
    await sees(cyd, id, 3);
    await until(ann.engine, ({ unsent }) => unsent === 0, 'handed over');
    await ann.engine.close();
    await expect.poll(way.waiting).toBeGreaterThan(0);
    way.open();
    await cyd.engine.send(id, 'can you read this?');
    await until(cyd.engine, ({ unsent }) => unsent === 0, 'sent');
    await expect.poll(async () => (await bob.store.all('held')).length).toBeGreaterThan(0);
    return { bob, cyd, id };
  };

  it('is had of another member, though nothing is written', async () => {
    const { bob, id } = await lost('maker');
    await hears(await viewOf(bob, id), 'can you read this?');
  });

  it('is replaced where nobody has it', async () => {
    const { bob, cyd, id } = await lost('nobody');
    const before = await channelOf(cyd, id);
    await cyd.engine.close();
    await expect.poll(async () => channelOf(bob, id)).not.toBe(before);
    await cyd.restart();
    await bob.engine.send(id, 'under another');
    await hears(await viewOf(cyd, id), 'under another');
  });
});

describe('a channel key that is on its way still', () => {
  it('is waited for before somebody is added, who gets it', async () => {
    const way = gate();
    const { all, id } = await circle(world, 'adding', [{}, way.wrap, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    const [eve] = await people(world, 'added', [{}]);
    await bob.engine.addContact(eve!.engine.getSnapshot().contact!);
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    await until(bob.engine, () => groupOf(bob, id)?.role === 'admin', 'the role');
    way.shut();
    await ann.engine.removeMembers(id, [accountOf(cyd)]);
    await sees(bob, id, 2);
    const added = bob.engine.addMembers(id, [accountOf(eve!)]);
    await until(ann.engine, ({ unsent }) => unsent === 0, 'handed over');
    // Time enough to hand over what is not there.
    await Promise.race([added, new Promise((resolve) => setTimeout(resolve, 2_000))]);
    await until(bob.engine, ({ unsent }) => unsent === 0, 'handed over');
    way.release();
    await added;
    await sees(eve!, id, 3);
    await until(eve!.engine, () => groupOf(eve!, id)?.title === 'adding', 'the title');
    await bob.engine.send(id, 'welcome');
    await hears(await viewOf(eve!, id), 'welcome');
  });
});

describe('what is written to a group', () => {
  it('is encrypted once the keys that it needs have left', async () => {
    let isCut = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        const connection = inner.connect(signer, { ...listener, connected: () => listener.connected() });
        return { ...connection, send: (envelopes) => !isCut && connection.send(envelopes) };
      },
    });
    const { all, id } = await circle(world, 'ahead', [{ transport }, {}]);
    const [ann] = all as [Resident];
    const [eve] = await people(world, 'behind', [{}]);
    await ann.engine.addContact(eve!.engine.getSnapshot().contact!);
    await ann.engine.send(id, 'before');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'sent');
    isCut = true;
    await ann.engine.addMembers(id, [accountOf(eve!)]);
    const rows = () => ann.store.all('outbox');
    await expect.poll(async () => (await rows()).some(({ hand }) => hand)).toBe(true);
    await ann.engine.send(id, 'after');
    await expect.poll(async () => (await rows()).filter(({ hand }) => hand).every(isEncrypted)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect((await rows()).some(({ hand }) => hand?.sender)).toBe(true);
    const text = (await rows()).find(({ content }) => content.kind === 'text')!;
    expect(text.post).toBeUndefined();
    isCut = false;
    await ann.restart();
    await sees(eve!, id, 3);
    await eve!.engine.accept(id);
    await hears(await viewOf(eve!, id), 'after');
  });
});

describe('a group that somebody was put into by strangers', () => {
  it('asks nobody for keys before it is accepted', async () => {
    const relay = puppet();
    const [ann, bob] = (await people(world, 'strangers', [{}, {}])) as [Resident, Resident];
    const eve = await world.resident('eve_strangers', { transport: relay.wrap });
    const id = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id, title: 'strangers', members: [accountOf(bob)] });
    await sees(bob, id, 2);
    await bob.engine.send(id, 'who is eve?');
    await hears(await viewOf(ann, id), 'who is eve?');
    const { account, device } = (await bob.store.get('self', 'self'))!;
    // Ann knows of Eve what the directory says.
    const { handle, account: of } = eve.engine.getSnapshot().contact!;
    await ann.engine.addContact({ handle, account: of } as never);
    await ann.engine.addMembers(id, [accountOf(eve)]);
    // What she posts comes under a state that she knows.
    await sees(bob, id, 3);
    const view = await viewOf(eve, id);
    await expect.poll(async () => eve.store.get('contact', account)).toBeDefined();
    expect(groupOf(eve, id)).toBeDefined();
    const isRequest = () =>
      eve.engine.getSnapshot().conversations.find((one) => one.id === id)?.request === true;
    expect(isRequest()).toBe(true);
    const said = { kind: 'text', id: newId(), sentAt: Date.now(), text: 'under a key of its own' };
    // Under a sender key that nobody has handed her.
    const state = await stateOf(bob, id);
    const other = await createSenderKey({ state, owner: { account, device }, now: Date.now() });
    relay.hand(await postBy(bob, id, said, state, other), id);
    await expect.poll(async () => (await eve.store.all('held')).some(({ from }) => from)).toBe(true);
    const asked = async () => (await eve.store.get('peer', [account, device]))?.repairs.handshakes ?? [];
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await asked()).toEqual([]);
    await eve.engine.accept(id);
    await expect.poll(asked).toHaveLength(1);
    expect(words(view)).not.toContain('under a key of its own');
  });
});

describe('what a newcomer is told of a group before its keys come', () => {
  it('is there once they have', async () => {
    const way = gate();
    const [ann, bob] = (await people(world, 'early', [{}, way.wrap])) as [Resident, Resident];
    const id = newId() as unknown as ConversationId;
    await ann.engine.createGroup({ id, title: 'early', members: [] });
    await ann.engine.send(id, 'before');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'sent');
    way.shut();
    await ann.engine.addMembers(id, [accountOf(bob)], { history: 'last' });
    await expect.poll(way.waiting).toBeGreaterThan(2);
    await until(ann.engine, ({ unsent }) => unsent === 0, 'handed over');
    way.release();
    await sees(bob, id, 2);
    await until(bob.engine, () => groupOf(bob, id)?.title === 'early', 'the title');
    await hears(await viewOf(bob, id), 'before');
  });
});
