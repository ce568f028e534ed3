import { RelayError } from '@sotto/contract/errors';
import { CryptoError } from '@sotto/crypto/errors';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBox } from '../box.ts';
import { EngineError } from '../errors.ts';
import { type Reader, StoreError } from '../ports.ts';
import type { Engine, View } from '../views.ts';
import type { Message } from './channel.ts';
import { connect } from './client.ts';
import { COMMANDS } from './commands.ts';
import { createDispatcher, Gone } from './dispatcher.ts';
import { type Port, serve } from './host.ts';
import { applyPatch, diff } from './patch.ts';
import { openMember } from './member.ts';
import { type OpenedEngine, openWriter } from './writer.ts';

const PATIENCE = { timeout: 15_000 };

interface Shown {
  list: readonly { id: string; text: string }[];
  peer: { name: string };
  note?: string;
}

interface Thing extends View<Shown> {
  add(id: string): Promise<number>;
  fail(error: Error): Promise<void>;
  open(
    id: string,
  ): Promise<(View<{ id: string; count: number }> & { more(): Promise<void>; close(): void }) | undefined>;
}

const ports: MessagePort[] = [];
afterEach(() => {
  for (const port of ports.splice(0)) port.close();
});

/** A thing and its client, with a port between them. */
const pair = async (hold?: (deliver: () => void) => void) => {
  const { port1, port2 } = new MessageChannel();
  ports.push(port1, port2);
  port1.start();
  port2.start();
  const box = createBox<Shown>({ list: [{ id: 'a', text: 'A' }], peer: { name: 'Ann' } });
  const inner = createBox({ id: 'x', count: 0 });
  const closed = vi.fn(() => undefined);
  let error: Error | undefined;
  const thing: Thing = {
    ...box,
    async add(id) {
      const { list } = box.getSnapshot();
      // Two changes: the second is made while the first is under way.
      box.set({ ...box.getSnapshot(), note: `adding ${id}` });
      box.set({ ...box.getSnapshot(), list: [...list, { id, text: id }] });
      return list.length + 1;
    },
    async fail() {
      throw error!;
    },
    open: async (id) =>
      id === 'none'
        ? undefined
        : {
            ...inner,
            async more() {
              inner.set({ id, count: inner.getSnapshot().count + 1 });
            },
            close: closed,
          },
  };
  const sent: { kind: string }[] = [];
  serve(
    {
      postMessage: (message) => {
        sent.push(message as { kind: string });
        port1.postMessage(message);
      },
      addEventListener: port1.addEventListener.bind(port1) as unknown as Port['addEventListener'],
    },
    Promise.resolve(thing),
  );
  const client = await connect<Thing>({
    postMessage: (message) => port2.postMessage(message),
    addEventListener: (type, listener) =>
      port2.addEventListener(type, (event) => (hold ? hold(() => listener(event)) : listener(event))),
  });
  return { box, inner, client, sent, closed, refuse: (next: Error) => (error = next) };
};

describe('a patch', () => {
  const base = {
    list: ['a', 'b', 'c', 'd'].map((id) => ({ id, text: id })),
    peer: { name: 'Ann' },
    note: 'n',
  };

  it('is nothing when nothing changed, also of other objects', () => {
    expect(diff(base, structuredClone(base))).toBeUndefined();
  });

  it.each([
    ['an entry moves to the front', ['d', 'a', 'b', 'c']],
    ['entries leave', ['b', 'd']],
    ['entries come at both ends', ['z', 'a', 'b', 'c', 'd', 'e']],
    ['all is other', ['x', 'y']],
    ['all leaves', []],
    ['everything turns round', ['d', 'c', 'b', 'a']],
  ])('makes the next of the one before: %s', (_name, ids) => {
    const known = new Map(base.list.map((item) => [item.id, item]));
    const next = { ...base, list: ids.map((id) => known.get(id) ?? { id, text: id }) };
    const made = applyPatch(base, structuredClone(diff(base, next)!));
    expect(made).toEqual(next);
    for (const item of made.list) if (known.has(item.id)) expect(item).toBe(known.get(item.id));
    expect(made.peer).toBe(base.peer);
  });

  it('replaces what changed and drops what is gone', () => {
    const { note: _, ...rest } = base;
    const next = { ...rest, peer: { name: 'Eve' }, list: base.list.with(1, { id: 'b', text: 'B' }) };
    const patch = diff(base, next)!;
    expect(patch.lists['list']!.put).toEqual([{ id: 'b', text: 'B' }]);
    const made = applyPatch(base, patch);
    expect(made).toEqual(next);
    expect(made.list[0]).toBe(base.list[0]);
  });
});

describe('a client', () => {
  it('shows what the host shows; what did not change stays the same object', async () => {
    const { box, client } = await pair();
    const before = client.getSnapshot();
    expect(before).toEqual(box.getSnapshot());
    const heard = new Promise<void>((resolve) => client.subscribe(resolve));
    box.set({ ...box.getSnapshot(), list: [...box.getSnapshot().list, { id: 'b', text: 'B' }] });
    await heard;
    const after = client.getSnapshot();
    expect(after.list.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(after.list[0]).toBe(before.list[0]);
    expect(after.peer).toBe(before.peer);
  });

  it('has seen what a call changed when the call resolves', async () => {
    const { client } = await pair();
    expect(await client.add('b')).toBe(2);
    expect(client.getSnapshot().list).toHaveLength(2);
  });

  it('is sent at once what changes of several views in one go', async () => {
    const { box, client, sent, inner } = await pair();
    const view = (await client.open('y'))!;
    sent.length = 0;
    const heard = new Promise<void>((resolve) => view.subscribe(resolve));
    box.set({ ...box.getSnapshot(), note: 'one' });
    inner.set({ id: 'y', count: 5 });
    box.set({ ...box.getSnapshot(), note: 'two' });
    await heard;
    // All of it is there when the first of them is told.
    expect([client.getSnapshot().note, view.getSnapshot().count]).toEqual(['two', 5]);
    expect(sent).toHaveLength(1);
  });

  it('is sent one change at a time, and then the sum of what it missed', async () => {
    const held: (() => void)[] = [];
    let holding = false;
    const { box, client, sent } = await pair((deliver) => (holding ? held.push(deliver) : deliver()));
    holding = true;
    for (let count = 0; count < 100; count += 1) {
      box.set({ ...box.getSnapshot(), note: `note ${count}` });
      await new Promise((resolve) => setTimeout(resolve));
    }
    const patches = () => sent.filter(({ kind }) => kind === 'patches').length;
    expect(patches()).toBe(1);
    holding = false;
    for (const deliver of held) deliver();
    await vi.waitFor(() => expect(client.getSnapshot().note).toBe('note 99'), PATIENCE);
    expect(patches()).toBe(2);
  });

  it.each([
    new RelayError('too-many-requests', 'slow down', { retryAfter: 7 }),
    new StoreError('full'),
    new CryptoError('chain-fork'),
    new EngineError('yourself'),
  ])('gets errors as what they are: $name', async (raised) => {
    const { client, refuse } = await pair();
    refuse(raised);
    const got: unknown = await client.fail(new Error('x')).catch((failure: unknown) => failure);
    expect(got).toBeInstanceOf(raised.constructor);
    const { name, message, code } = raised;
    expect(got).toMatchObject({ name, message, code });
    if (raised instanceof RelayError) expect((got as RelayError).retryAfter).toBe(7);
  });

  it('uses the views that calls answer with, until they are closed', async () => {
    const { client, closed } = await pair();
    expect(await client.open('none')).toBeUndefined();
    const view = (await client.open('y'))!;
    await view.more();
    expect(view.getSnapshot()).toEqual({ id: 'y', count: 1 });
    view.close();
    view.close();
    await vi.waitFor(() => expect(closed).toHaveBeenCalledOnce(), PATIENCE);
  });

  it('hears why nothing opened', async () => {
    const { port1, port2 } = new MessageChannel();
    ports.push(port1, port2);
    port1.start();
    port2.start();
    serve(port1 as unknown as Port, Promise.reject(new StoreError('full')));
    await expect(connect(port2 as unknown as Port)).rejects.toMatchObject({
      name: 'StoreError',
      code: 'full',
    });
  });
});

describe('a command whose writer went away', () => {
  const run = async (method: 'send' | 'offerDevice') => {
    const dispatcher = createDispatcher();
    const calls: string[] = [];
    dispatcher.set(async () => {
      calls.push('first');
      dispatcher.set(undefined);
      throw new Gone();
    });
    const done = dispatcher.run(method, []);
    await Promise.resolve();
    dispatcher.set(async () => {
      calls.push('second');
      return 'done';
    });
    const outcome = await done.catch((failure: unknown) => (failure as EngineError).code);
    return { calls, outcome };
  };

  it('is given to the next one where doing it twice is doing it once', async () => {
    expect(COMMANDS.send).toBe('again');
    expect(await run('send')).toEqual({ calls: ['first', 'second'], outcome: 'done' });
  });

  it('fails by name where it is not', async () => {
    expect(COMMANDS.offerDevice).toBe('once');
    expect(await run('offerDevice')).toEqual({ calls: ['first'], outcome: 'interrupted' });
  });

  it('fails when there will be no writer any more', async () => {
    const dispatcher = createDispatcher();
    const waiting = dispatcher.run('send', []);
    dispatcher.close();
    await expect(waiting).rejects.toMatchObject({ code: 'closed' });
  });
});

describe('a writer', () => {
  const open = async (outcome: () => Promise<unknown>) => {
    const said: Message[] = [];
    let hear = (_: Message): void => undefined;
    const writer = await openWriter({
      channel: {
        postMessage: (message) => void said.push(message),
        addEventListener: (_, listener) => {
          hear = (data) => listener({ data });
        },
        close: () => undefined,
      },
      openEngine: async () => ({
        engine: { send: outcome, close: async () => undefined } as unknown as Engine,
        term: 7,
      }),
    });
    const ask = async (term: number, method = 'send') => {
      hear({ kind: 'call', id: 'c', term, method, args: [] });
      await new Promise((resolve) => setTimeout(resolve));
      return said.filter(({ kind }) => kind === 'answer');
    };
    return { ask, hear: (message: Message) => hear(message), said, writer };
  };

  it('does what it is asked, and gives a sign of life until it closes', async () => {
    const { ask, hear, said, writer } = await open(async () => 'sent');
    expect(await ask(7)).toEqual([{ kind: 'answer', id: 'c', term: 7, value: 'sent' }]);
    hear({ kind: 'ping' });
    expect(said.at(-1)).toEqual({ kind: 'pong' });
    await writer.close();
    const before = said.length;
    hear({ kind: 'ping' });
    expect(said).toHaveLength(before);
  });

  it('does nothing that another writer was asked, and nothing that is no command', async () => {
    const work = vi.fn(async () => 'sent');
    const { ask } = await open(work);
    expect(await ask(6)).toEqual([]);
    expect(await ask(7, 'close')).toMatchObject([{ error: { name: 'TypeError' } }]);
    expect(work).not.toHaveBeenCalled();
  });

  it('says nothing of a store that has another writer: that one is asked again', async () => {
    const { ask } = await open(() => Promise.reject(new StoreError('superseded')));
    expect(await ask(7)).toEqual([]);
  });
});

describe('a member', () => {
  /** Alone on its store. `open`: how an engine comes; `loadEngine`: what is done before. */
  const alone = async (
    open: (engine: OpenedEngine) => Promise<OpenedEngine> = async (engine) => engine,
    loadEngine = async () => undefined,
  ) => {
    const stop = vi.fn(async () => undefined);
    const release = vi.fn();
    const openEngine = vi.fn(() => open({ engine: { close: stop } as unknown as Engine, term: 1 }));
    const acquire = vi.fn(async (_: { steal?: boolean; signal?: AbortSignal }) => ({
      lost: new Promise<void>(() => undefined),
      release,
    }));
    const all = vi.fn(async () => []);
    const alarms: (() => void)[] = [];
    let lose = (): void => undefined;
    const member = await openMember({
      lock: { acquire, tryAcquire: async () => undefined },
      channel: { postMessage: () => undefined, addEventListener: () => undefined, close: () => undefined },
      async openReader(onLost) {
        lose = onLost;
        return { all, close: () => undefined } as unknown as Reader;
      },
      loadEngine,
      openEngine,
      clock: { now: () => 0, after: (_, task) => (alarms.push(task), () => undefined) },
    });
    const settle = () => new Promise((resolve) => setTimeout(resolve));
    return {
      member,
      acquire,
      all,
      openEngine,
      stop,
      release,
      settle,
      lose: () => lose(),
      async passTime() {
        for (const task of alarms.splice(0)) task();
        await settle();
      },
    };
  };

  it('leaves no engine behind when it cannot read what that one found', async () => {
    const { member, all, openEngine, stop, settle, passTime } = await alone();
    all.mockRejectedValue(new StoreError('failed'));
    await settle();
    expect(member.getSnapshot().storeProblem).toBe('failed');
    expect(openEngine).toHaveBeenCalledOnce();
    expect(stop).toHaveBeenCalledOnce();
    all.mockResolvedValue([]);
    await passTime();
    expect(openEngine).toHaveBeenCalledTimes(2);
    expect(stop).toHaveBeenCalledOnce();
  });

  it('opens no engine any more once the store was taken away', async () => {
    const { member, all, openEngine, stop, release, settle, lose, passTime } = await alone();
    all.mockRejectedValue(new StoreError('closed'));
    await settle();
    lose();
    await passTime();
    await passTime();
    expect(openEngine).toHaveBeenCalledOnce();
    expect(stop).toHaveBeenCalled();
    expect(release).toHaveBeenCalled();
    expect(member.getSnapshot().storeProblem).toBe('closed');
    await expect(member.retry('x' as never, 'y')).rejects.toMatchObject({ code: 'closed' });
  });

  it('asks for the lock when the engine is loaded, and steals it from nobody who was not asked', async () => {
    let give = (): void => undefined;
    const loaded = new Promise<undefined>((resolve) => {
      give = () => resolve(undefined);
    });
    const { member, acquire, openEngine, settle, passTime } = await alone(undefined, () => loaded);
    await member.setVisible(true);
    for (let round = 0; round < 10; round += 1) await passTime();
    expect(acquire).not.toHaveBeenCalled();
    give();
    await settle();
    expect(acquire).toHaveBeenCalledOnce();
    const [{ steal, signal }] = acquire.mock.calls[0]!;
    expect({ steal, aborted: signal?.aborted }).toEqual({ aborted: false });
    expect(openEngine).toHaveBeenCalledOnce();
  });

  it('closes an engine that was on its way when it was closed itself', async () => {
    let give = (): void => undefined;
    const given = new Promise<void>((resolve) => {
      give = resolve;
    });
    const { member, stop, release, settle } = await alone(async (engine) => {
      await given;
      return engine;
    });
    await settle();
    const closing = member.close();
    await settle();
    expect(release).not.toHaveBeenCalled();
    give();
    await closing;
    expect(stop).toHaveBeenCalledOnce();
    expect(release).toHaveBeenCalledOnce();
  });
});
