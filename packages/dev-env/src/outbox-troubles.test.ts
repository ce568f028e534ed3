import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import { type ErrorCode, RelayError } from '@sotto/contract/errors';
import type { SendResult } from '@sotto/contract/events/relay';
import type { ConversationId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { type Clock, systemClock } from '@sotto/engine/clock';
import type { Connection, Store, Transport, Write } from '@sotto/engine/ports';
import type { OutboxRow } from '@sotto/engine/rows';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { idOf, meet, messageOf, newId, texts, viewOf } from './meeting.ts';
import { createWorld, online, type Resident, until, type World, type Wrap } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const DAY = 24 * 60 * 60 * 1000;

/** A transport whose parts can be taken over while it runs. */
const takenOver = () => {
  const over: {
    /** Nothing leaves. */
    cut?: boolean;
    account?: (account: string) => Promise<void>;
    send?: (send: Connection['send'], envelopes: readonly OutgoingEnvelope[]) => boolean;
    accepted?: (tell: () => void, results: readonly SendResult[]) => void;
    problem?: (code: ErrorCode) => void;
    tell?: (results: readonly SendResult[]) => void;
    /** The connection breaks, and is there again. */
    lose?: () => void;
    regain?: () => void;
    /** The relay has no prekeys of it. */
    withoutBundles?: string;
  } & Partial<Pick<Transport, 'publishPrekeys'>> = {};
  const transport = (inner: Transport): Transport => ({
    ...inner,
    async account(signer, account) {
      await over.account?.(account);
      return inner.account(signer, account);
    },
    bundles: (signer, account, devices) =>
      over.withoutBundles === account
        ? Promise.resolve({ bundles: [] })
        : inner.bundles(signer, account, devices),
    publishPrekeys: (...args) => (over.publishPrekeys ?? inner.publishPrekeys)(...args),
    connect(signer, listener) {
      over.problem = listener.problem.bind(listener);
      over.tell = listener.accepted.bind(listener);
      over.lose = () => listener.disconnected();
      over.regain = () => listener.connected();
      const connection = inner.connect(signer, {
        ...listener,
        connected: () => listener.connected(),
        accepted(results) {
          const tell = () => listener.accepted(results);
          if (over.accepted) over.accepted(tell, results);
          else tell();
        },
      });
      const send: Connection['send'] = (envelopes) => connection.send(envelopes);
      return {
        ...connection,
        send: (envelopes) => !over.cut && (over.send?.(send, envelopes) ?? send(envelopes)),
      };
    },
  });
  return { over, transport };
};

const hears = async (who: Resident, conversation: ConversationId, text: string): Promise<void> => {
  const view = await viewOf(who, conversation);
  await until(view, () => texts(view).includes(text), text);
  view.close();
};

const rowsOf = ({ store }: Resident): Promise<OutboxRow[]> => store.all('outbox');

/** Somebody that `by` has the link of and whose keys it could not get yet. */
const unknown = async (by: Resident, over: ReturnType<typeof takenOver>['over'], wrap?: Wrap) => {
  const eve = await world.resident(
    `eve_${newId()
      .slice(0, 6)
      .replaceAll(/[^a-z0-9]/gu, 'x')}`,
    wrap,
  );
  const account = eve.engine.getSnapshot().me!.account as string;
  over.account = async (asked) => {
    if (asked === account) throw new RelayError('internal');
  };
  const id = await by.engine.addContact(eve.engine.getSnapshot().contact!);
  return { eve, id, account };
};

describe('what holds up nobody else', () => {
  it('is a message for many devices that is larger than a frame', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, withBob } = await meet(world, 'large', { ann: { transport } });
    for (let added = 1; added < 12; added += 1) await addDevice(world, bob);
    const frames: number[] = [];
    over.send = (send, envelopes) => {
      frames.push(envelopes.reduce((sum, { body }) => sum + body.length, 0));
      return send(envelopes);
    };
    const view = await viewOf(ann, withBob);
    await ann.engine.send(withBob, `x${'\u0001'.repeat(LIMITS.textCharacters - 2)}x`);
    await ann.engine.send(withBob, 'small');
    await until(view, ({ messages }) => messages.every(({ status }) => status !== 'waiting'), 'sent');
    expect(await rowsOf(ann)).toEqual([]);
    expect(frames.reduce((sum, bytes) => sum + bytes, 0)).toBeGreaterThan(LIMITS.frameBytes / 2);
    expect(Math.max(...frames)).toBeLessThanOrEqual(LIMITS.frameBytes / 2);
    await hears(bob, idOf(ann), 'small');
  });

  it('are fifty messages for somebody whose keys cannot be had', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, withAnn, withBob } = await meet(world, 'fifty', { ann: { transport } });
    const { id } = await unknown(ann, over);
    over.cut = true;
    await Promise.all(Array.from({ length: 55 }, (_, at) => ann.engine.send(id, `${at}`)));
    await ann.engine.send(withBob, 'behind fifty');
    over.cut = false;
    await ann.restart();
    await hears(bob, withAnn, 'behind fifty');
  });

  it('is an answer about somebody that never comes', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, withAnn, withBob } = await meet(world, 'hang', { ann: { transport } });
    const { id, account } = await unknown(ann, over);
    let asked = 0;
    over.account = (about) => {
      if (about !== account) return Promise.resolve();
      asked += 1;
      return new Promise(() => undefined);
    };
    await ann.engine.send(id, 'for nobody');
    await expect.poll(() => asked).toBe(1);
    await ann.engine.send(withBob, 'for bob');
    await hears(bob, withAnn, 'for bob');
  });

  it('are prekeys that the relay does not take', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, withAnn, withBob } = await meet(world, 'prekeys', { ann: { transport } });
    over.cut = true;
    await ann.engine.send(withBob, 'waits');
    await expect.poll(async () => (await rowsOf(ann)).some(({ envelopes }) => envelopes)).toBe(true);
    const [prekey] = await ann.store.all('prekey');
    await ann.store.commit([{ table: 'prekey', put: { ...prekey!, published: false } }]);
    let refused = 0;
    over.publishPrekeys = () => {
      refused += 1;
      return Promise.reject(new RelayError('busy'));
    };
    over.cut = false;
    await ann.restart();
    await hears(bob, withAnn, 'waits');
    // It is tried again without anything that asks for it.
    await expect.poll(() => refused).toBeGreaterThan(1);
  });

  it('is something that has no bytes', async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'bytes');
    const content = {
      kind: 'edit',
      message: newId(),
      sentAt: 2 ** 53,
      text: 'never',
    } as OutboxRow['content'];
    await ann.store.commit([{ table: 'outbox', put: { seq: 1_000_000, conversation: withBob, content } }]);
    await ann.restart();
    await ann.engine.send(withBob, 'after it');
    await hears(bob, withAnn, 'after it');
    await expect.poll(() => rowsOf(ann)).toEqual([]);
  });

  it('is that in a group either', async () => {
    const { ann, bob, withBob, anns } = await meet(world, 'group_bytes');
    const group = await ann.engine.createGroup({ title: 'bytes', members: [withBob] as never });
    const id = newId();
    await ann.engine.send(group, 'hello all of you', { id });
    await hears(bob, group, 'hello all of you');
    const there = (await ann.engine.openConversation(group))!;
    await until(there, () => messageOf(there, id)?.status !== 'waiting', 'sent');
    // Half of a character.
    await ann.engine.react(group, id, '\ud83d');
    await ann.engine.send(group, 'after it');
    await ann.engine.send(withBob, 'and to Bob');
    await hears(bob, group, 'after it');
    await until(anns, ({ messages }) => messages.at(-1)!.status !== 'waiting', 'to Bob');
    await expect.poll(() => rowsOf(ann)).toEqual([]);
  });

  it('is that where it was just written: it stands last, as what could not be sent', async () => {
    const { ann, withBob } = await meet(world, 'half');
    const half = { account: withBob, start: 0.5, length: 1 } as never;
    await ann.engine.send(withBob, 'half', { mentions: [half] });
    const last = () => ann.engine.getSnapshot().conversations.find(({ id }) => id === withBob)!.last;
    await until(ann.engine, () => last()?.status === 'failed', 'it fails');
    expect(last()).toMatchObject({ text: 'half' });
  });
});

describe('own devices', () => {
  it('hear what was written after the clock was put back', async () => {
    let shift = 0;
    const clock: Clock = { ...systemClock, now: () => Date.now() + shift };
    const { ann, withBob } = await meet(world, 'back', { ann: { clock } });
    const second = await addDevice(world, ann);
    await ann.engine.send(withBob, 'one');
    await hears(second, withBob, 'one');
    await ann.engine.send(withBob, 'two');
    await expect
      .poll(async () => (await rowsOf(ann)).some(({ notBefore }) => notBefore !== undefined), { interval: 5 })
      .toBe(true);
    shift = -DAY;
    await ann.engine.send(withBob, 'three');
    await hears(second, withBob, 'three');
    await expect.poll(() => rowsOf(ann)).toEqual([]);
  });

  it('that are not there are owed what was sent, for a week', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, withAnn, withBob } = await meet(world, 'owed', { ann: { transport } });
    const own = idOf(ann) as string;
    const second = await addDevice(world, ann);
    await second.engine.close();
    for (const row of await ann.store.all('peer')) {
      if (row.account === own) await ann.store.commit([{ table: 'peer', remove: [own, row.device] }]);
    }
    over.withoutBundles = own;
    await ann.restart();
    await ann.engine.send(withBob, 'to both');
    await hears(bob, withAnn, 'to both');
    await expect
      .poll(async () => (await rowsOf(ann)).map(({ owed, content }) => [content.kind, owed !== undefined]))
      .toEqual([['sync', true]]);
    const [row] = await rowsOf(ann);
    await ann.store.commit([{ table: 'outbox', put: { ...row!, owed: Date.now() - 8 * DAY } }]);
    await ann.restart();
    await expect.poll(() => rowsOf(ann)).toEqual([]);
  });
});

describe('what the relay says', () => {
  it('of something else fails nothing that is under way', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, anns, withAnn, withBob } = await meet(world, 'else', { ann: { transport } });
    await expect.poll(() => rowsOf(ann)).toEqual([]);
    for (const code of ['unknown-event', 'bad-request'] as const) {
      let told: (() => void) | undefined;
      over.accepted = (tell) => (told = tell);
      await ann.engine.send(withBob, code);
      await expect.poll(() => told).toBeDefined();
      delete over.accepted;
      const states: unknown[] = [];
      const stop = anns.subscribe(() => states.push(anns.getSnapshot().messages.at(-1)!.status));
      over.problem!(code);
      await new Promise((resolve) => {
        setTimeout(resolve, 200);
      });
      told!();
      await hears(bob, withAnn, code);
      await until(anns, ({ messages }) => !['waiting', 'failed'].includes(messages.at(-1)!.status), 'sent');
      stop();
      expect(states).not.toContain('failed');
    }
  });

  it('too late counts, and what is sent again waits for longer', async () => {
    const { over, transport } = takenOver();
    const waits: number[] = [];
    const expire: (() => void)[] = [];
    const clock: Clock = {
      ...systemClock,
      after(ms, task) {
        if (ms % 20_000 !== 0 || ms > 160_000 || ms === 60_000) return systemClock.after(ms, task);
        waits.push(ms);
        expire.push(task);
        return () => undefined;
      },
    };
    const { ann, anns, withBob } = await meet(world, 'late', { ann: { transport, clock } });
    await expect.poll(() => rowsOf(ann)).toEqual([]);
    waits.length = 0;
    const told: (() => void)[] = [];
    over.accepted = (tell) => told.push(tell);
    await ann.engine.send(withBob, 'slowly');
    await expect.poll(() => told.length).toBe(1);
    expire.at(-1)!();
    await expect.poll(() => waits).toEqual([20_000, 40_000]);
    told[0]!();
    await until(anns, ({ messages }) => messages.at(-1)!.status !== 'waiting', 'sent');
  });
});

describe('what is written while there is a connection', () => {
  it('is encrypted in the commit that stores it, to one person, to a group and to one’s own devices', async () => {
    const { over, transport } = takenOver();
    const { ann, withBob, bob } = await meet(world, 'once', { ann: { transport } });
    const group = await ann.engine.createGroup({ title: 'once', members: [idOf(bob)] as never });
    await ann.engine.send(group, 'hello all of you');
    await addDevice(world, ann);
    const self = await ann.engine.noteToSelf();
    for (const id of [withBob, group, self]) await ann.engine.send(id, 'to begin with');
    await expect.poll(() => rowsOf(ann)).toEqual([]);
    over.cut = true;
    await ann.engine.send(withBob, 'once');
    await ann.engine.send(self, 'to myself');
    const made = (await rowsOf(ann)).map(({ conversation, envelopes }) => [conversation, envelopes?.length]);
    // A copy for the other device follows once the relay has what it is a copy of.
    expect(made).toEqual([
      [withBob, 1],
      [self, 1],
    ]);
    await ann.engine.send(group, 'to all');
    expect((await rowsOf(ann)).filter(({ post }) => post)).toHaveLength(1);
  });

  it('waits for no new sender key, which is a row for every member', async () => {
    const commits: (readonly Write[])[] = [];
    const store = (inner: Store): Store => ({
      ...inner,
      commit(writes) {
        commits.push(writes);
        return inner.commit(writes);
      },
    });
    const { ann, bob, withBob } = await meet(world, 'due', { ann: { store } });
    const group = await ann.engine.createGroup({ title: 'due', members: [withBob] as never });
    commits.length = 0;
    await ann.engine.send(group, 'the first');
    const puts = commits.map((writes) => writes.flatMap((write) => ('put' in write ? [write.table] : [])));
    const stored = puts.find((tables) => tables.includes('message') && tables.includes('outbox'))!;
    // How one is called, the message, and nothing that hands over keys.
    expect(stored.filter((table) => table === 'outbox')).toHaveLength(2);
    await hears(bob, group, 'the first');
  });
});

describe('what answers the first message of somebody', () => {
  it('goes by the way in that came with it', async () => {
    const { over, transport } = takenOver();
    const ann = await world.resident('first_ann');
    const bob = await world.resident('first_bob', { transport });
    await Promise.all([online(ann.engine), online(bob.engine)]);
    // He knows her keys, and not what lets into her inbox.
    const withAnn = await bob.engine.addContact({ handle: ann.engine.getSnapshot().me!.handle });
    const sent: OutgoingEnvelope[] = [];
    over.send = (send, envelopes) => {
      sent.push(...envelopes);
      return send(envelopes);
    };
    const withBob = await ann.engine.addContact({ handle: bob.engine.getSnapshot().me!.handle });
    await ann.engine.send(withBob, 'hello');
    await hears(bob, withAnn, 'hello');
    await until(await viewOf(ann, withBob), ({ messages }) => messages.at(-1)!.status === 'delivered', 'it');
    const { token } = (await bob.store.get('contact', withAnn))!;
    expect(token).toBeDefined();
    expect(sent.map((envelope) => envelope.token)).toEqual(sent.map(() => token));
  });
});

describe('a message taken off a device before the relay has answered', () => {
  it('does not come up on the others', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, withAnn, withBob } = await meet(world, 'taken', { ann: { transport } });
    const second = await addDevice(world, ann);
    await viewOf(second, withBob);
    await expect.poll(() => rowsOf(ann)).toEqual([]);
    const told: (() => void)[] = [];
    over.accepted = (tell) => told.push(tell);
    const [gone, never] = [newId(), newId()];
    await ann.engine.send(withBob, 'under way', { id: gone });
    await expect.poll(() => told.length).toBe(1);
    over.lose!();
    await ann.engine.send(withBob, 'never left', { id: never });
    await ann.engine.deleteForMe(withBob, [gone, never]);
    delete over.accepted;
    over.regain!();
    for (const tell of told) tell();
    await ann.engine.send(withBob, 'after');
    await hears(bob, withAnn, 'after');
    await hears(second, withBob, 'after');
    const [there, bobs] = [await viewOf(second, withBob), await viewOf(bob, withAnn)];
    expect(texts(there)).not.toContain('under way');
    expect(texts(bobs)).toContain('under way');
    expect(texts(bobs)).not.toContain('never left');
    // What nobody has is not spoken of.
    expect(await second.store.get('gone', [withBob, gone])).toBeDefined();
    expect(await second.store.get('gone', [withBob, never])).toBeUndefined();
  });
});

describe('who is blocked', () => {
  it('gets nothing that waited; it fails, and can be sent again', async () => {
    const { over, transport } = takenOver();
    const { ann, bob, anns, withAnn, withBob } = await meet(world, 'block', { ann: { transport } });
    await expect.poll(() => rowsOf(ann)).toEqual([]);
    over.lose!();
    await ann.engine.send(withBob, 'stuck');
    await ann.engine.block(withBob);
    over.regain!();
    await until(anns, ({ messages }) => messages.at(-1)!.status === 'failed', 'failed');
    await ann.engine.unblock(withBob);
    await bob.engine.send(withAnn, 'newer');
    await until(anns, ({ messages }) => messages.at(-1)!.text === 'newer', 'the newer');
    expect(ann.engine.getSnapshot().conversations.find(({ id }) => id === withBob)!.last!.text).toBe('newer');
    const { id } = anns.getSnapshot().messages.find(({ text }) => text === 'stuck')!;
    await ann.engine.edit(withBob, id, 'stuck for a while');
    await ann.engine.send(withBob, 'written since');
    await hears(bob, withAnn, 'written since');
    await ann.engine.retry(withBob, id);
    await hears(bob, withAnn, 'stuck for a while');
    const order = ['newer', 'written since', 'stuck for a while'];
    const bobs = (await bob.engine.openConversation(withAnn))!;
    expect(texts(bobs).slice(-3)).toEqual(order);
    await until(anns, ({ messages }) => messages.at(-1)!.status !== 'waiting', 'sent');
    expect(texts(anns).slice(-3)).toEqual(order);
    expect(bobs.getSnapshot().messages.at(-1)!.edits).toMatchObject([{ text: 'stuck' }]);
  });
});

describe('an answer that comes when its frame was given up', () => {
  it('counts, though nothing is sent again: the relay was asked something else that it refused', async () => {
    const { over, transport } = takenOver();
    const { ann, bobs, withBob } = await meet(world, 'given', { ann: { transport } });
    over.accepted = (tell) => {
      over.problem!('busy');
      tell();
    };
    await ann.engine.send(withBob, 'answered');
    await until(bobs, () => texts(bobs).includes('answered'), 'answered');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'an empty outbox');
    expect(await rowsOf(ann)).toEqual([]);
  });

  it('waits for the one before it in its conversation: they keep their order', async () => {
    const { over, transport } = takenOver();
    const { ann, anns, withBob } = await meet(world, 'behind', { ann: { transport } });
    await expect.poll(() => rowsOf(ann)).toEqual([]);
    let results: readonly SendResult[] = [];
    over.accepted = (_tell, given) => (results = given);
    await ann.engine.send(withBob, 'ahead');
    await expect.poll(() => results.length).toBe(1);
    // Written while something is under way, they leave in one frame.
    for (const text of ['first', 'second']) await ann.engine.send(withBob, text);
    await expect.poll(async () => (await rowsOf(ann)).filter(({ envelopes }) => envelopes).length).toBe(3);
    over.tell!(results);
    await expect.poll(() => results.length).toBe(2);
    const rows = await rowsOf(ann);
    const answerOf = ({ envelopes }: OutboxRow) =>
      results.filter(({ id }) => envelopes!.some((one) => one.id === id));
    // The frame is given up, and what goes again is refused for the moment.
    over.send = () => true;
    over.problem!('busy');
    over.tell!(answerOf(rows[1]!));
    await new Promise((resolve) => {
      setTimeout(resolve, 200);
    });
    expect(await rowsOf(ann)).toHaveLength(2);
    over.tell!(answerOf(rows[0]!));
    await until(ann.engine, ({ unsent }) => unsent === 0, 'an empty outbox');
    expect(texts(anns).slice(-2)).toEqual(['first', 'second']);
  });
});
