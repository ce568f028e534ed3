import type { Clock } from '@sotto/engine/clock';
import { createSightings } from '@sotto/engine/conversations/sightings';
import { openModel } from '@sotto/engine/model';
import type { Transport } from '@sotto/engine/ports';
import type { ContactRow } from '@sotto/engine/rows';
import { openVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { type idOf, type Meeting, meet } from './meeting.ts';
import { createWorld, type Resident, until, type World, type Wrap } from './world.ts';

const MINUTE = 60_000;
/** How long a word of being there is good for, and how often it is repeated. */
const RUNS_OUT = 100_000;
const REPEATS = 45_000;
const no = () => false;

describe('when somebody was there', () => {
  it('is written once a minute at most as they come and go, and every ten minutes while they stay', async () => {
    const store = createMemoryDisk().open();
    await store.commit([{ table: 'contact', put: { account: 'bob' } as ContactRow }]);
    const model = await openModel(store);
    let writes = 0;
    model.onChange(() => (writes += 1));
    const sightings = createSightings(model, (error) => expect.fail(String(error)));
    const hear = async (online: boolean, now: number, seen = true): Promise<number | undefined> => {
      sightings.heard('bob', { kind: 'presence', online, seen }, now);
      await sightings.kept();
      return (await store.get('contact', 'bob'))!.lastSeen;
    };
    const start = 100 * 10 * MINUTE;
    for (let at = start; at < start + MINUTE; at += 1000) {
      expect(await hear(true, at)).toBe(start);
      expect(await hear(false, at)).toBe(start);
    }
    expect(writes).toBe(1);
    for (let minute = 1; minute <= 20; minute += 0.5) await hear(true, start + minute * MINUTE);
    // When they came again, and two times since.
    expect(writes).toBe(4);
    expect(await hear(true, start + 20 * MINUTE)).toBe(start + 20 * MINUTE);
    expect(await hear(true, start + 29 * MINUTE)).toBe(start + 20 * MINUTE);
    sightings.lost('bob');
    sightings.lost('bob');
    await sightings.kept();
    expect((await store.get('contact', 'bob'))!.lastSeen).toBe(start + 29 * MINUTE);
    expect(await hear(true, start + 40 * MINUTE, false)).toBeUndefined();
    sightings.lostAll();
    await sightings.kept();
    expect(await hear(false, start + 41 * MINUTE, false)).toBeUndefined();
    expect(writes).toBe(6);
  });
});

describe('last seen', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  /** Everybody's time, moved at will; what waits for others to be heard, or is repeated, waits for `pass`. */
  const createTime = () => {
    // A multiple of ten minutes has just begun.
    let shift = 10 * MINUTE - (Date.now() % (10 * MINUTE));
    const held = new Set<{ ms: number; task: () => void }>();
    const clock: Clock = {
      now: () => Date.now() + shift,
      after(ms, task) {
        if (ms !== RUNS_OUT && ms !== REPEATS) {
          const timer = setTimeout(task, ms);
          return () => clearTimeout(timer);
        }
        const entry = { ms, task };
        held.add(entry);
        return () => held.delete(entry);
      },
    };
    return {
      clock,
      move: (ms: number) => (shift += ms),
      pass(ms: number) {
        const due = Array.from(held).filter((entry) => entry.ms === ms);
        for (const entry of due) {
          if (held.delete(entry)) entry.task();
        }
      },
    };
  };

  const listed = ({ engine }: Resident, id: ReturnType<typeof idOf>) =>
    engine.getSnapshot().conversations.find((entry) => entry.id === id)!;

  /** Ann and Bob, who has just come: what Ann has of him. */
  const watch = async (name: string, ann: Wrap = {}, bob: Wrap = {}) => {
    const time = createTime();
    const { clock } = time;
    const met = await meet(world, name, { ann: { ...ann, clock }, bob: { ...bob, clock } });
    const seen = (): number | undefined => listed(met.ann, met.withBob).lastSeen;
    const stored = async () => (await met.ann.store.get('contact', met.withBob))!.lastSeen;
    const sees = (test: (at: number | undefined, online: boolean) => boolean, what: string) =>
      until(met.ann.engine, () => test(seen(), listed(met.ann, met.withBob).online), what);
    return { ...met, ...time, seen, stored, sees };
  };

  /** Everything that Bob said before has been heard. */
  const heard = async ({ bob, anns, withAnn }: Meeting): Promise<void> => {
    await bob.engine.typing(withAnn, true);
    await until(anns, ({ typing }) => typing.length === 1, 'what came after');
    await bob.engine.typing(withAnn, false);
    await until(anns, ({ typing }) => typing.length === 0, 'the end');
  };

  it('is kept as they come and go, and is there after a restart', async () => {
    const { ann, bob, clock, move, seen, sees } = await watch('kept');
    expect(seen()).toBeUndefined();
    const before = clock.now();
    await bob.engine.present(true);
    await sees((at, online) => online && at !== undefined, 'Bob');
    expect(seen()).toBeGreaterThanOrEqual(before);
    move(2 * MINUTE);
    const left = clock.now();
    await bob.engine.present(false);
    await sees((at, online) => !online && at !== undefined && at >= left, 'when he left');
    const last = seen();
    expect(last).toBeLessThanOrEqual(clock.now());
    await ann.engine.close();
    await ann.restart();
    expect(seen()).toBe(last);
  });

  it('of who does not show that they are there is when they left', async () => {
    const met = await watch('leaving');
    const { bob, seen, sees } = met;
    await bob.engine.setSettings({ presence: 'nobody' });
    await bob.engine.present(true);
    await heard(met);
    expect(seen()).toBeUndefined();
    await bob.engine.present(false);
    await sees((at, online) => !online && at !== undefined, 'when he left');
  });

  it('is not kept where it may not be, and forgotten when that is said', async () => {
    const met = await watch('forgotten');
    const { bob, seen, sees, stored, move } = met;
    await bob.engine.present(true);
    await sees((at) => at !== undefined, 'Bob');
    await bob.engine.setSettings({ lastSeen: 'nobody' });
    await sees((at, online) => online && at === undefined, 'nothing of before');
    expect(await stored()).toBeUndefined();
    move(2 * MINUTE);
    await bob.engine.present(false);
    await sees((_, online) => !online, 'that he left');
    await heard(met);
    expect(seen()).toBeUndefined();
    await bob.engine.setSettings({ lastSeen: 'contacts' });
    await bob.engine.present(true);
    await sees((at) => at !== undefined, 'that it may be known again');
    await bob.engine.setSettings({ lastSeen: 'nobody', presence: 'nobody' });
    await sees((at, online) => !online && at === undefined, 'neither');
    expect(await stored()).toBeUndefined();
  });

  it('is forgotten by who was away when that was chosen, without a connection and before a restart', async () => {
    let down = false;
    const deaf = { send: no, post: no, ack: no, live: no, livePost: no, retry: no, close: no };
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect: (signer, listener) => (down ? deaf : inner.connect(signer, listener)),
    });
    const { ann, bob, sees, stored } = await watch('away', {}, { transport });
    await bob.engine.present(true);
    await bob.engine.present(false);
    await sees((at, online) => !online && at !== undefined, 'Bob');
    await ann.engine.close();
    await bob.engine.close();
    down = true;
    await bob.restart();
    await bob.engine.setSettings({ lastSeen: 'nobody' });
    await bob.engine.close();
    down = false;
    await bob.restart();
    await ann.restart();
    await sees((at) => at === undefined, 'that it is forgotten');
    expect(await stored()).toBeUndefined();
  });

  it('is taken back by the device that showed it, on whichever that was chosen', async () => {
    const { bob, sees } = await watch('either');
    await bob.engine.present(true);
    await bob.engine.present(false);
    await sees((at, online) => !online && at !== undefined, 'Bob');
    // This one has told Ann nothing.
    const second = await addDevice(world, bob);
    await second.engine.setSettings({ lastSeen: 'nobody' });
    await sees((at) => at === undefined, 'that it is forgotten');
  });

  it('is forgotten also where the last that was heard is that they are there', async () => {
    let lost = false;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        const connection = inner.connect(signer, listener);
        return { ...connection, live: (signals) => lost || connection.live(signals) };
      },
    });
    const { ann, bob, move, pass, sees, seen, stored } = await watch('unheard', {}, { transport });
    await bob.engine.present(true);
    await sees((at, online) => online && at !== undefined, 'Bob');
    lost = true;
    await bob.engine.setSettings({ lastSeen: 'nobody', presence: 'nobody' });
    await sees((at) => at === undefined, 'that it is forgotten');
    move(2 * MINUTE);
    pass(RUNS_OUT);
    await sees((_, online) => !online, 'that he is not heard any more');
    // What was heard last would be written by now.
    await ann.engine.setSettings({ typing: 'nobody' });
    expect(seen()).toBeUndefined();
    expect(await stored()).toBeUndefined();
  });

  it('is when they were last heard where they go without a word', async () => {
    const met = await watch('silent');
    const { bob, clock, move, pass, seen, sees } = met;
    await bob.engine.present(true);
    await sees((at) => at !== undefined, 'Bob');
    move(3 * MINUTE);
    const last = clock.now();
    pass(REPEATS);
    await heard(met);
    await bob.engine.close();
    move(2 * MINUTE);
    pass(RUNS_OUT);
    await sees((at, online) => !online && at! >= last, 'when he was heard');
    expect(seen()).toBeLessThan(last + MINUTE);
  });

  it('is when they were last heard where one’s own connection is lost, or the engine closed', async () => {
    let lose: (() => void) | undefined;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        lose = () => listener.disconnected();
        return inner.connect(signer, listener);
      },
    });
    const met = await watch('lost', { transport });
    const { ann, bob, clock, move, pass, seen, sees } = met;
    const stays = async (): Promise<number> => {
      move(2 * MINUTE);
      const last = clock.now();
      pass(REPEATS);
      await heard(met);
      move(2 * MINUTE);
      return last;
    };
    await bob.engine.present(true);
    await sees((at) => at !== undefined, 'Bob');
    const first = await stays();
    lose!();
    await sees((at, online) => !online && at! >= first, 'when he was heard');
    expect(seen()).toBeLessThan(first + MINUTE);

    await ann.restart();
    await until(ann.engine, ({ catchingUp, connection }) => connection === 'online' && !catchingUp, 'Ann');
    const anns = (await ann.engine.openConversation(met.withBob))!;
    pass(REPEATS);
    await sees((_, online) => online, 'Bob again');
    move(2 * MINUTE);
    const second = clock.now();
    pass(REPEATS);
    await heard({ ...met, anns });
    move(2 * MINUTE);
    await ann.engine.close();
    await ann.restart();
    expect(seen()).toBeGreaterThanOrEqual(second);
    expect(seen()).toBeLessThan(second + MINUTE);
  });

  it('is shown neither of who is blocked nor of who only asks to talk', async () => {
    const { ann, bob, withBob, seen, sees } = await watch('hidden');
    await bob.engine.present(true);
    await sees((at) => at !== undefined, 'Bob');
    await ann.engine.block(withBob);
    expect(seen()).toBeUndefined();
    await ann.engine.unblock(withBob);
    expect(seen()).toBeDefined();
    await ann.engine.close();
    const store = await openVault(ann.disk.open());
    const row = (await store.get('conversation', withBob))!;
    await store.commit([{ table: 'conversation', put: { ...row, request: true } }]);
    await ann.restart();
    expect(seen()).toBeUndefined();
  });
});
