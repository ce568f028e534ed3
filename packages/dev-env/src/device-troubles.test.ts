import { RelayError } from '@sotto/contract/errors';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { emptyPeer } from '@sotto/crypto/session-state';
import { createGapWatch } from '@sotto/engine/inbox/gaps';
import { openModel } from '@sotto/engine/model';
import type { Transport } from '@sotto/engine/ports';
import { openVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
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
  it('is asked for after a minute, once, and of its device alone', async () => {
    const store = createMemoryDisk().open();
    const model = await openModel(store);
    const peer = { account: 'ann', device: 'phone', repairs: NO_REPAIRS, renew: false };
    const state = emptyPeer(peer);
    await store.commit([{ table: 'peer', put: { ...peer, state, missing: 2 } }]);
    const timers: [number, () => void][] = [];
    const clock = {
      now: () => 1e12,
      after: (ms: number, task: () => void) => (timers.push([ms, task]), () => undefined),
    };
    let stored = 0;
    const watch = createGapWatch(
      model,
      clock,
      () => (stored += 1),
      () => undefined,
    );
    const look = async () => {
      watch.note([['ann', 'phone']]);
      const before = stored;
      timers.at(-1)![1]();
      await expect.poll(() => stored).toBe(before + 1);
    };
    await look();
    expect(timers[0]![0]).toBe(60_000);
    expect(await store.all('outbox')).toMatchObject([
      { conversation: 'ann', to: 'phone', content: { kind: 'repair' } },
    ]);
    expect(await store.get('peer', ['ann', 'phone'])).toMatchObject({ asked: 2, renew: true });
    await store.commit([{ table: 'peer', put: { ...peer, state, missing: 2, asked: 2 } }]);
    await look();
    expect(await store.all('outbox')).toHaveLength(1);
  });
});
