import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { RelayError } from '@sotto/contract/errors';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { emptyPeer } from '@sotto/crypto/session-state';
import type { Clock } from '@sotto/engine/clock';
import { createGapWatch } from '@sotto/engine/inbox/gaps';
import { openModel } from '@sotto/engine/model';
import { rowDropped } from '@sotto/engine/outbox/dropped';
import { type ConnectionListener, StoreError, type Transport } from '@sotto/engine/ports';
import type { ConversationRow, PeerRow, SelfRow } from '@sotto/engine/rows';
import { openVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { addDevice } from './devices.ts';
import { meet, newId } from './meeting.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

const DAY = 24 * 60 * 60 * 1000;
let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const resident = (transport?: (inner: Transport) => Transport) =>
  world.resident(`someone_${++count}`, transport && { transport });
const arrives = ({ engine }: Resident, text: string) =>
  until(engine, ({ conversations }) => conversations.some(({ last }) => last?.text === text), text);

describe('a device that was not there for long', () => {
  it('is passed over by name while others go on, and is written to once it has new keys', async () => {
    const [ann, bob] = [await resident(), await resident()];
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    const second = await addDevice(world, ann);
    await bob.engine.send(withAnn, 'to both');
    await Promise.all([arrives(ann, 'to both'), arrives(second, 'to both')]);
    const { device } = (await second.store.get('self', 'self'))!;
    await bob.engine.close();
    const disk = await openVault(bob.disk.open());
    const contact = (await disk.get('contact', withAnn))!;
    const devices = contact.devices.map((entry) =>
      entry.device === device
        ? { ...entry, sealing: { ...entry.sealing!, createdAt: Date.now() - 60 * DAY } }
        : entry,
    );
    await disk.commit([{ table: 'contact', put: { ...contact, devices } }]);
    await bob.restart();
    await bob.engine.send(withAnn, 'to one');
    await arrives(ann, 'to one');
    const trouble = async () =>
      (await bob.store.get('contact', withAnn))!.devices.map((entry) => entry.trouble);
    expect(await trouble()).toEqual([undefined, 'overdue']);
    expect(second.engine.getSnapshot().conversations[0]!.last!.text).toBe('to both');
    // The relay has newer ones.
    await bob.engine.close();
    const again = await openVault(bob.disk.open());
    const known = (await again.get('contact', withAnn))!;
    await again.commit([{ table: 'contact', put: { ...known, fetchedAt: 0 } }]);
    await bob.restart();
    await bob.engine.send(withAnn, 'to both again');
    await arrives(second, 'to both again');
    expect(await trouble()).toEqual([undefined, undefined]);
  });

  it('sends nothing itself before the relay has new prekeys of it', async () => {
    let down = false;
    let refused = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      publishPrekeys: async (signer, request) => {
        if (down) {
          refused += 1;
          throw new RelayError('busy');
        }
        return inner.publishPrekeys(signer, request);
      },
    });
    const [ann, bob] = [await resident(), await resident(transport)];
    const withAnn = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    await bob.engine.send(withAnn, 'before');
    await arrives(ann, 'before');
    await bob.engine.close();
    const disk = await openVault(bob.disk.open());
    const rows = await disk.all('prekey');
    await disk.commit(
      rows.map((row) => ({ table: 'prekey', put: { ...row, createdAt: row.createdAt - 15 * DAY } })),
    );
    down = true;
    await bob.restart();
    await online(bob.engine);
    await bob.engine.send(withAnn, 'wait');
    // By then it has looked at everything that it looks at before it sends.
    await expect.poll(() => refused).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const row = [...(await bob.store.all('outbox'))].find(({ content }) => content.kind === 'text');
    expect(row).toBeDefined();
    expect(row!.envelopes).toBeUndefined();
    down = false;
    await bob.restart();
    await arrives(ann, 'wait');
  });
});

describe('what others have overtaken', () => {
  const MINUTE = 60_000;
  type Short = Pick<PeerRow, 'account' | 'missing' | 'asked'>;

  const watched = async (...short: Short[]) => {
    const store = createMemoryDisk().open();
    const put = (row: Short) => {
      const peer = { account: row.account, device: 'phone', repairs: NO_REPAIRS, renew: false };
      return store.commit([{ table: 'peer', put: { ...peer, ...row, state: emptyPeer(peer) } }]);
    };
    for (const row of short) await put(row);
    await store.commit([
      { table: 'self', put: { key: 'self', account: 'me', blocked: ['eve'] } as unknown as SelfRow },
    ]);
    const row = { createdAt: 0, unread: 0, floors: {} };
    await store.commit([{ table: 'conversation', put: { ...row, id: 'ann' } }]);
    /** A group that `account` is in, and what the list has of it. */
    const putGroup = (account: string, conversation?: Partial<ConversationRow>) =>
      store.commit([
        {
          table: 'group',
          put: { group: `of ${account}`, state: { members: [{ account, role: 'member' }] } } as never,
        },
        ...(conversation
          ? [{ table: 'conversation' as const, put: { ...row, id: `of ${account}`, ...conversation } }]
          : []),
      ]);
    await putGroup('member', { group: { role: 'member' } as never });
    await putGroup('inviter', { group: { role: 'member' } as never, request: true });
    await putGroup('declined');
    await putGroup('former', { group: {} as never });
    const model = await openModel(store);
    let now = 1e12;
    const timers = new Set<{ at: number; task: () => void }>();
    const clock: Clock = {
      now: () => now,
      after(ms, task) {
        const timer = { at: now + ms, task };
        timers.add(timer);
        return () => timers.delete(timer);
      },
    };
    const problems: unknown[] = [];
    const watch = createGapWatch(
      model,
      clock,
      () => undefined,
      (error) => problems.push(error),
    );
    /** Whose devices have been asked by so many ms from now. */
    const after = async (ms: number) => {
      now += ms;
      for (const timer of timers) {
        if (timer.at > now) continue;
        timers.delete(timer);
        timer.task();
      }
      // What was begun is stored one after the other.
      await model.change(() => undefined);
      expect(problems).toEqual([]);
      return (await store.all('outbox')).map(({ conversation }) => conversation);
    };
    /** What waits in the outbox goes to nobody. */
    const drop = () =>
      model.change(async (draft) => {
        const self = (await draft.get('self', 'self'))!;
        for (const row of await store.all('outbox')) await rowDropped(draft, row, { self });
      });
    return { store, put, watch, after, drop };
  };

  it('is asked for after a minute, once, and of its device alone', async () => {
    const { store, put, watch, after } = await watched({ account: 'ann', missing: 2 });
    watch.note([['ann', 'phone']]);
    expect(await after(MINUTE - 1)).toEqual([]);
    expect(await after(1)).toEqual(['ann']);
    expect(await store.all('outbox')).toMatchObject([{ to: 'phone', content: { kind: 'repair' } }]);
    expect(await store.get('peer', ['ann', 'phone'])).toMatchObject({ asked: 2, renew: true });
    await put({ account: 'ann', missing: 2, asked: 2 });
    watch.note([['ann', 'phone']]);
    expect(await after(MINUTE)).toEqual(['ann']);
  });

  it('is given its whole minute, whoever else is waited for', async () => {
    const { watch, after } = await watched({ account: 'ann', missing: 1 }, { account: 'bob', missing: 1 });
    watch.note([['bob', 'phone']]);
    expect(await after(MINUTE - 1)).toEqual([]);
    watch.note([['ann', 'phone']]);
    expect(await after(1)).toEqual(['bob']);
    expect(await after(MINUTE - 2)).toEqual(['bob']);
    expect(await after(1)).toEqual(['bob', 'ann']);
  });

  it('is asked for when this device is back, where it ended before the minute was over', async () => {
    const { watch, after } = await watched(
      { account: 'ann', missing: 1 },
      // Nobody this account has to do with, and who is blocked.
      { account: 'bob', missing: 1 },
      { account: 'eve', missing: 1 },
    );
    await watch.caughtUp();
    expect(await after(0)).toEqual(['ann']);
  });

  it('is asked for of members of the groups that one is in, and not of those one declined or left', async () => {
    const { watch, after } = await watched(
      ...['member', 'inviter', 'declined', 'former'].map((account) => ({ account, missing: 1 })),
    );
    await watch.caughtUp();
    expect(await after(0)).toEqual(['member']);
  });

  it('is asked for the next time where the store could not be read', async () => {
    const { store, watch, after } = await watched({ account: 'ann', missing: 1 });
    vi.spyOn(store, 'all').mockRejectedValueOnce(new StoreError('failed'));
    await expect(watch.caughtUp()).rejects.toThrow(StoreError);
    await watch.caughtUp();
    expect(await after(0)).toEqual(['ann']);
  });

  it('is not asked for where the connection breaks before what may bring it is taken in', async () => {
    let listener: ConnectionListener | undefined;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, told) {
        listener = told;
        return inner.connect(signer, { ...told, ...(isBack && { caughtUp: () => undefined }) });
      },
    });
    let isBack = false;
    const { ann, bob } = await meet(world, 'breaks', { ann: { transport } });
    await ann.engine.close();
    const { account, device } = (await bob.store.get('self', 'self'))!;
    const disk = await openVault(ann.disk.open());
    const row = (await disk.get('peer', [account, device]))!;
    await disk.commit([{ table: 'peer', put: { ...row, missing: 1, asked: 0 } }]);
    isBack = true;
    await ann.restart();
    await until(ann.engine, ({ connection }) => connection === 'online', 'a connection');
    const asked = async () => (await ann.store.get('peer', [account, device]))!.repairs.handshakes.length;
    listener!.deliver([{ id: newId(), at: Date.now(), body: new Uint8Array(8) } as IncomingEnvelope]);
    listener!.caughtUp();
    listener!.disconnected();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await asked()).toBe(0);
    listener!.connected();
    listener!.caughtUp();
    await expect.poll(asked).toBe(1);
  });

  it('is not asked for of who was blocked within the minute', async () => {
    const { watch, after } = await watched({ account: 'eve', missing: 1 });
    watch.note([['eve', 'phone']]);
    expect(await after(MINUTE)).toEqual([]);
  });

  it('is asked for again where the request was never sent', async () => {
    const { store, watch, after, drop } = await watched({ account: 'ann', missing: 2 });
    watch.note([['ann', 'phone']]);
    await after(MINUTE);
    await drop();
    expect(await store.get('peer', ['ann', 'phone'])).toMatchObject({ missing: 2, asked: 0 });
  });
});
