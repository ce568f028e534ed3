import type { Audience } from '@sotto/contract/content';
import { createPresence, takeBackSeen } from '@sotto/engine/conversations/presence';
import { markSeen } from '@sotto/engine/conversations/reading';
import { answered } from '@sotto/engine/conversations/request';
import { settingsOf } from '@sotto/engine/conversations/settings';
import { openModel } from '@sotto/engine/model';
import type {
  ContactRow,
  ConversationRow,
  MessageRow,
  SelfRow,
  Settings,
  StoredSettings,
} from '@sotto/engine/rows';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import type { Transport } from '@sotto/engine/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, hears } from './circle.ts';
import { type idOf, meet } from './meeting.ts';
import { createWorld, type Resident, until, type World, type Wrap } from './world.ts';

const ME = 'm'.repeat(43);
const GROUP = 'AAAAAAAAAAAAAAAAAAAAAA';

/** A model of somebody who chose this, with these direct conversations. */
const modelOf = async (
  settings: Partial<StoredSettings>,
  conversations: readonly Partial<ConversationRow>[] = [],
) => {
  const store = createMemoryDisk().open();
  const self = { key: 'self', account: ME, device: 'd', name: 'Me', devices: [], blocked: ['blocked'] };
  await store.commit([
    { table: 'self', put: { ...self, settings: { ...settings, sentAt: 1 } } as unknown as SelfRow },
    ...conversations.map((row) => ({
      table: 'conversation' as const,
      put: { createdAt: 0, unread: 0, floors: {}, ...row } as ConversationRow,
    })),
  ]);
  return openModel(store);
};

it('what was chosen before there were audiences is read', () => {
  const all = { receipts: 'everyone', typing: 'everyone', presence: 'contacts', lastSeen: 'contacts' };
  expect(settingsOf({})).toEqual(all);
  expect(settingsOf({ settings: { receipts: true, typing: true, presence: true } })).toEqual(all);
  const none = { receipts: 'nobody', typing: 'nobody', presence: 'nobody', lastSeen: 'nobody' };
  expect(settingsOf({ settings: { receipts: false, typing: false, presence: false } })).toEqual(none);
  expect(settingsOf({ settings: { ...all, receipts: 'contacts' } as Settings })).toEqual({
    ...all,
    receipts: 'contacts',
  });
});

describe('that a message was read', () => {
  const AUTHORS = ['contact', 'member', 'stranger', 'blocked'];
  const DIRECT: Partial<ConversationRow>[] = [
    { id: 'contact' },
    { id: 'stranger', request: true },
    { id: 'blocked' },
  ];

  /** Who is sent a receipt once everything in a conversation has been seen. */
  const told = async (receipts: Audience | boolean, id: string, authors: readonly string[]) => {
    const group = { id: GROUP, group: { title: 'All', members: 5, role: 'member' } as never };
    const model = await modelOf({ receipts }, [...DIRECT, group]);
    await model.store.commit(
      authors.map((from, order) => {
        const row = {
          conversation: id,
          id: `of ${from}`,
          order,
          from,
          device: 'd',
          sentAt: 1,
          at: 1,
          text: '',
        };
        return { table: 'message', put: { ...row, status: 'delivered', unread: 1 } as MessageRow };
      }),
    );
    await model.change((draft) =>
      markSeen(draft, model.store, model.self!, model.conversations.get(id)!, { now: 1 }),
    );
    return [...model.outbox.values()].map(({ conversation, content }) => {
      expect(content).toMatchObject({ kind: 'receipt', status: 'read', messages: [`of ${conversation}`] });
      return conversation;
    });
  };

  it.each<[Audience | boolean, string[]]>([
    ['everyone', ['contact', 'member']],
    [true, ['contact', 'member']],
    ['contacts', ['contact']],
    ['nobody', []],
    [false, []],
  ])('for %s: in a group its author alone hears of it, and who is among them', async (chosen, hear) => {
    expect(await told(chosen, GROUP, AUTHORS)).toEqual(hear);
    const direct = await Promise.all(
      AUTHORS.map((one) => (one === 'member' ? [] : told(chosen, one, [one]))),
    );
    expect(direct.flat()).toEqual(hear.filter((one) => one !== 'member'));
  });

  it.each<[Audience, string]>([
    ['everyone', 'read'],
    ['contacts', 'read'],
    ['nobody', 'delivered'],
  ])('for %s: who is answered hears of what they wrote before that it was %s', async (receipts, status) => {
    const model = await modelOf({ receipts }, [{ id: 'stranger', request: true }]);
    const row = {
      conversation: 'stranger',
      id: 'a',
      order: 1,
      from: 'stranger',
      device: 'd',
      sentAt: 1,
      at: 1,
    };
    await model.store.commit([{ table: 'message', put: { ...row, text: '', status: 'read' } as MessageRow }]);
    const conversation = model.conversations.get('stranger')!;
    await model.change((draft) => answered(draft, model.store, model.self!, conversation));
    expect([...model.outbox.values()].map(({ content }) => content)).toEqual([
      { kind: 'receipt', status, messages: ['a'] },
    ]);
  });
});

describe('that one is there, or was', () => {
  /** What somebody says who chose this, and to whom. */
  const said = async (chosen: Partial<Settings>, contacts: readonly string[] = ['contact']) => {
    const model = await modelOf(
      chosen as StoredSettings,
      contacts.map((id) => ({ id })),
    );
    const words: string[] = [];
    let encrypted = Promise.resolve();
    const timers = new Set<() => void>();
    const presence = createPresence({
      model,
      clock: {
        now: () => 0,
        after: (_, task) => {
          timers.add(task);
          return () => timers.delete(task);
        },
      },
      say: async (accounts, { online, seen }) => {
        await encrypted;
        words.push(`${accounts.join()} ${online ? 'here' : 'gone'}${seen ? '' : ', forget'}`);
        return true;
      },
    });
    return {
      ...presence,
      /** What was said since, once everything is. */
      words: async () => {
        await new Promise((resolve) => setTimeout(resolve));
        return words.splice(0);
      },
      /** What is said takes until the promise resolves. */
      encrypting: (until: Promise<void>) => void (encrypted = until),
      later: () => [...timers].forEach((task) => task()),
      choose: (next: Partial<Settings>) =>
        presence.follow({ ...model.self!, settings: { ...settingsOf(model.self!), ...next, sentAt: 2 } }),
    };
  };

  it.each<[Settings['presence'], Settings['lastSeen'], string[], string[]]>([
    ['contacts', 'contacts', ['contact here'], ['contact gone']],
    ['contacts', 'nobody', ['contact here, forget'], ['contact gone, forget']],
    ['nobody', 'contacts', [], ['contact gone']],
    ['nobody', 'nobody', [], []],
  ])('online for %s, last seen for %s', async (presence, lastSeen, here, gone) => {
    const person = await said({ presence, lastSeen });
    await person.present(true);
    expect(await person.words()).toEqual([]);
    person.connected();
    expect(await person.words()).toEqual(here);
    person.later();
    expect(await person.words()).toEqual(here);
    person.disconnected();
    person.connected();
    expect(await person.words()).toEqual(here);
    await person.present(false);
    expect(await person.words()).toEqual(gone);
    person.later();
    person.connected();
    await person.present(false);
    expect(await person.words()).toEqual([]);
    await person.present(true);
    expect(await person.words()).toEqual(here);
  });

  it('is to be forgotten by those who may have kept it, once it is shown to nobody', async () => {
    const model = await modelOf({});
    const contact = (account: string, row: Partial<ContactRow> = {}) => {
      const told = { introduced: true, token: 't', handle: account, chain: [], devices: [], verified: true };
      return model.store.commit([{ table: 'contact', put: { account, ...told, ...row } }]);
    };
    await contact('friend');
    await contact('untold', { introduced: false });
    await contact('blocked');
    const { token: _, ...row } = (await model.store.get('contact', 'friend'))!;
    await model.store.commit([{ table: 'contact', put: { ...row, account: 'unanswered' } }]);
    const reopened = await openModel(model.store);
    const choose = async (before: Settings['lastSeen'], after: Settings['lastSeen']) => {
      const of = (lastSeen: Settings['lastSeen']): SelfRow => ({
        ...model.self!,
        settings: { ...settingsOf(model.self!), lastSeen, sentAt: 2 },
      });
      await reopened.change((draft) =>
        takeBackSeen(draft, reopened, { before: of(before), after: of(after) }),
      );
      return [...reopened.outbox.values()].map(({ conversation, content }) => ({ conversation, content }));
    };
    expect(await choose('nobody', 'contacts')).toEqual([]);
    expect(await choose('nobody', 'nobody')).toEqual([]);
    expect(await choose('contacts', 'contacts')).toEqual([]);
    const content = { kind: 'presence', online: false, seen: false };
    expect(await choose('contacts', 'nobody')).toEqual([{ conversation: 'friend', content }]);
  });

  it('goes to those one talked to last', async () => {
    const everybody = Array.from({ length: 40 }, (_, at) => `contact${at}`);
    const person = await said({}, everybody);
    const reached = async (): Promise<number[]> =>
      (await person.words()).map((word) => word.split(',').length);
    await person.present(true);
    person.connected();
    expect(await reached()).toEqual([32]);
    person.choose({ presence: 'nobody' });
    expect(await reached()).toEqual([32]);
  });

  it('is taken back where it was shown, and shown where it was not', async () => {
    const person = await said({});
    person.connected();
    await person.present(true);
    await person.words();
    person.choose({ presence: 'nobody' });
    expect(await person.words()).toEqual(['contact gone']);
    person.later();
    expect(await person.words()).toEqual([]);
    person.choose({ presence: 'contacts' });
    expect(await person.words()).toEqual(['contact here']);
    person.choose({ lastSeen: 'nobody' });
    expect(await person.words()).toEqual(['contact here, forget']);
  });

  it('is said as it is at the end, however long it takes to say', async () => {
    const person = await said({});
    let done: (() => void) | undefined;
    person.connected();
    person.encrypting(new Promise((resolve) => (done = resolve)));
    const came = person.present(true);
    await person.words();
    person.encrypting(Promise.resolve());
    const went = person.present(false);
    expect(await person.words()).toEqual([]);
    done!();
    await Promise.all([came, went]);
    expect(await person.words()).toEqual(['contact here', 'contact gone']);
    person.later();
    expect(await person.words()).toEqual([]);
  });
});

describe('that one writes', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  });
  afterAll(() => world.close());

  /** Counts what leaves a device live. */
  const tap = () => {
    const left = { envelopes: 0, posts: 0 };
    const wrap: Wrap = {
      transport: (inner: Transport): Transport => ({
        ...inner,
        connect(signer, listener) {
          const connection = inner.connect(signer, listener);
          return {
            ...connection,
            live(signals) {
              left.envelopes += signals.length;
              return connection.live(signals);
            },
            livePost(post) {
              left.posts += 1;
              return connection.livePost(post);
            },
          };
        },
      }),
    };
    const count = async (work: () => Promise<void>) => {
      const before = { ...left };
      await work();
      return { envelopes: left.envelopes - before.envelopes, posts: left.posts - before.posts };
    };
    return { wrap, count };
  };

  const write = async ({ engine }: Resident, id: ReturnType<typeof idOf>): Promise<void> => {
    await engine.typing(id, true);
    await engine.typing(id, false);
  };

  it('goes to one person as it was chosen', async () => {
    const { wrap, count } = tap();
    const { bob, withAnn } = await meet(world, 'direct', { bob: wrap });
    for (const [typing, envelopes] of [
      ['everyone', 2],
      ['nobody', 0],
      ['contacts', 2],
    ] as const) {
      await bob.engine.setSettings({ typing });
      expect(await count(() => write(bob, withAnn)), typing).toEqual({ envelopes, posts: 0 });
    }
  });

  it('goes to a group only where everybody there may hear of it', async () => {
    const { wrap, count } = tap();
    const { all, id, views } = await circle(world, 'all', [{}, wrap, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    // The key that proves it goes out with the first message.
    await bob.engine.send(id, 'first');
    await Promise.all(views.map((view) => hears(view, 'first')));
    const writes = async (typing: Audience): Promise<number> => {
      await bob.engine.setSettings({ typing });
      const { envelopes, posts } = await count(() => write(bob, id));
      expect(envelopes).toBe(0);
      return posts;
    };
    expect(await writes('everyone')).toBe(2);
    expect(await writes('nobody')).toBe(0);
    expect(await writes('contacts')).toBe(0);
    await bob.engine.openDirect(accountOf(ann));
    expect(await writes('contacts')).toBe(0);
    const withCyd = await bob.engine.openDirect(accountOf(cyd));
    expect(await writes('contacts')).toBe(2);
    await bob.engine.block(withCyd);
    expect(await writes('contacts')).toBe(0);
    expect(await writes('everyone')).toBe(0);
    await bob.engine.unblock(withCyd);
    await bob.engine.typing(id, true);
    await until(views[0]!, ({ typing }) => typing.length === 1, 'who writes');
  });
});
