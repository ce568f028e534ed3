import type { GroupContent, SharedMessage } from '@sotto/contract/content';
import { RelayError } from '@sotto/contract/errors';
import type { ConversationId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { gatherHistory, takeEarly, takeHistory } from '@sotto/engine/groups/history';
import { openModel } from '@sotto/engine/model';
import type { Transport } from '@sotto/engine/ports';
import type { GroupRow, MessageRow, SelfRow } from '@sotto/engine/rows';
import type { ConversationView } from '@sotto/engine/views';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, notes, people, sees, viewOf, words } from './circle.ts';
import { messageOf, newId } from './meeting.ts';
import { createWorld, type Resident, until, type World, type Wrap } from './world.ts';

const DAY = 24 * 60 * 60 * 1000;
const [ME, ANN, EVE] = ['m', 'a', 'e'].map((letter) => letter.repeat(43)) as [string, string, string];
const GROUP = 'GGGGGGGGGGGGGGGGGGGGGA';

describe('what is gathered for a newcomer', () => {
  const gather = async (rows: readonly Partial<MessageRow>[], choice: 'none' | 'day' | 'last') => {
    const store = createMemoryDisk().open();
    const model = await openModel(store);
    await model.change((draft) => {
      for (const [n, row] of rows.entries()) {
        const id = `id${n}`;
        const whole = { conversation: GROUP, id, order: n, at: n, from: ANN, device: 'd', sentAt: n };
        draft.put('message', { ...whole, status: 'read', text: `${n}`, ...row } as MessageRow, [GROUP, id]);
      }
    });
    const parts = await gatherHistory(store, GROUP, { choice, before: 10 * DAY });
    return parts.map((part) => part.map(({ text }) => text));
  };
  const many = (count: number, over: Partial<MessageRow> = {}) => Array.from({ length: count }, () => over);

  it('is what was chosen, the oldest first', async () => {
    expect(await gather(many(250), 'none')).toEqual([]);
    const last = (await gather(many(250), 'last')).flat();
    expect([last.length, last[0], last.at(-1)]).toEqual([100, '150', '249']);
    const days = [{ order: 8 * DAY }, { order: 9 * DAY }, { order: 10 * DAY - 1 }, { order: 10 * DAY }];
    expect(await gather(days, 'day')).toEqual([['1', '2']]);
    expect((await gather(many(500, { order: 9.5 * DAY }), 'day')).flat()).toHaveLength(LIMITS.sharedInAll);
  });

  it('is nothing that was taken back, goes by itself, has not left, or is no text', async () => {
    const rows: Partial<MessageRow>[] = [
      { text: 'kept' },
      { text: '', deleted: { by: ANN, sentAt: 1 } },
      { timer: 60 },
      { status: 'waiting' },
      { status: 'failed' },
      { text: '', note: { kind: 'left' } },
      { newer: new Uint8Array(1) },
      { text: 'x'.repeat(40_000) },
    ];
    expect(await gather(rows, 'last')).toEqual([['kept']]);
  });

  it('comes in parts that can be sent, and has an end', async () => {
    const large = await gather(many(250, { text: 'x'.repeat(8_000) }), 'day');
    expect(large).toEqual([]);
    const parts = await gather(many(200, { text: 'x'.repeat(8_000), order: 9.5 * DAY }), 'day');
    expect(parts.length).toBeGreaterThan(10);
    for (const part of parts) expect(part.join('').length).toBeLessThanOrEqual(32 * 1024);
    expect(parts.flat().join('').length).toBeLessThan(560 * 1024);
  });
});

describe('what is taken of it', () => {
  const item = (id: string, over: Partial<SharedMessage> = {}) =>
    ({ author: ANN, id, sentAt: 5, at: 50, text: id, ...over }) as SharedMessage;
  const content = (...history: SharedMessage[]) => ({ kind: 'group', group: GROUP, history }) as GroupContent;

  const taking = async (
    row: Partial<GroupRow>,
    steps: readonly [GroupContent, string][],
    { known = [], blocked = [] }: { known?: Partial<MessageRow>[]; blocked?: string[] } = {},
  ) => {
    const store = createMemoryDisk().open();
    const model = await openModel(store);
    const group = { title: '', members: 2, policy: 0 };
    await model.change((draft) => {
      draft.put(
        'self',
        { key: 'self', account: ME, device: 'm', devices: [], blocked } as never as SelfRow,
        'self',
      );
      draft.put('conversation', { id: GROUP, createdAt: 0, unread: 0, floors: {}, group }, GROUP);
      draft.put('group', { group: GROUP, channels: [], ...row } as never as GroupRow, GROUP);
      for (const one of known) {
        draft.put('message', { conversation: GROUP, order: 1, ...one } as MessageRow, [GROUP, one.id!]);
      }
    });
    for (const [said, from] of steps) {
      await model.change((draft) => takeHistory(draft, said, from, { me: ME, now: 1000 }));
    }
    return { store, model, messages: async () => store.messages({ conversation: GROUP }, { limit: 1000 }) };
  };
  const members = [ME, ANN].map((account) => ({ account, role: 'member' }));
  const state = { members } as GroupRow['state'] & object;
  const joined = { by: ANN, order: 100 };

  it('is marked as theirs, read, and stands before one came', async () => {
    const late = [item('b', { at: 110 }), item('c', { at: 120 })];
    const { messages, model } = await taking({ state, joined }, [[content(item('a'), ...late), ANN]]);
    const rows = await messages();
    expect(rows.map(({ id, order }) => [id, order]).toReversed()).toEqual([
      ['a', 29],
      ['b', 89],
      ['c', 99],
    ]);
    for (const row of rows) expect(row).toMatchObject({ shared: ANN, status: 'read', from: ANN });
    expect(rows.every(({ at }) => at! <= joined.order)).toBe(true);
    expect(model.conversations.get(GROUP)!.unread).toBe(0);
  });

  it('keeps its order within a millisecond', async () => {
    const { messages } = await taking({ state, joined }, [
      [content(...['c', 'a', 'b'].map((id) => item(id))), ANN],
    ]);
    expect((await messages()).map(({ id }) => id).toReversed()).toEqual(['c', 'a', 'b']);
  });

  it('A2 is of nobody but who brought one there, and changes nothing that is here', async () => {
    const { messages } = await taking(
      { state, joined },
      [
        [content(item('a')), EVE],
        [content(item('here', { text: 'forged' }), item('b')), ANN],
        [content(item('b', { text: 'again' })), ANN],
      ],
      { known: [{ id: 'here', from: EVE, text: 'real' }] },
    );
    const texts = (await messages()).map(({ id, text }) => [id, text]);
    expect(Object.fromEntries(texts)).toEqual({ here: 'real', b: 'b' });
  });

  it('A2 is nothing of who is a member no more, and of nobody without end', async () => {
    const alone = { members: members.slice(0, 1) } as typeof state;
    const late = await taking({ state: alone, joined }, [[content(item('a')), ANN]]);
    expect(await late.messages()).toEqual([]);
    const full = (part: number) => Array.from({ length: 100 }, (_, n) => item(`${part} ${n}`));
    const steps = Array.from({ length: 4 }, (_, part): [GroupContent, string] => [
      content(...full(part)),
      ANN,
    ]);
    const { messages } = await taking({ state, joined }, steps);
    expect(await messages()).toHaveLength(LIMITS.sharedInAll);
  });

  it('is nothing of those who are blocked', async () => {
    const { messages } = await taking(
      { state, joined },
      [[content(item('a', { author: EVE as never })), ANN]],
      {
        blocked: [EVE],
      },
    );
    expect(await messages()).toEqual([]);
  });

  it('waits for the log, within bounds, and then counts of who brought one there', async () => {
    const full = Array.from({ length: 100 }, (_, n) => item(`e${n}`));
    const steps: [GroupContent, string][] = [
      [content(item('a')), ANN],
      [content(item('x')), EVE],
      ...Array.from({ length: 4 }, (): [GroupContent, string] => [content(...full), EVE]),
    ];
    const { store, model, messages } = await taking({}, steps);
    expect(await messages()).toEqual([]);
    const row = (await store.get('group', GROUP))!;
    expect(row.early!.map(({ messages: all }) => all.length)).toEqual([1, 201]);
    const after = await model.change((draft) =>
      takeEarly(draft, { ...row, state, joined }, { me: ME, now: 1 }),
    );
    expect(after.early).toBeUndefined();
    expect((await messages()).map(({ id }) => id)).toEqual(['a']);
  });
});

describe('a new member', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld();
  }, 60_000);
  afterAll(() => world.close());

  const talk = async (name: string, wrap: Wrap = {}) => {
    const { all, id, views } = await circle(world, name, [wrap, {}]);
    const [ann, bob] = all as [Resident, Resident];
    const gone = newId();
    await ann.engine.send(id, 'first');
    await hears(views[1]!, 'first');
    await bob.engine.send(id, 'second', { id: newId() });
    await bob.engine.send(id, 'regretted', { id: gone });
    await hears(views[0]!, 'regretted');
    await bob.engine.deleteForEveryone(id, [gone]);
    await until(views[0]!, () => messageOf(views[0]!, gone)?.deleted === true, 'gone');
    const [cyd] = await people(world, `new_${name}`, [{}]);
    return { ann, bob, cyd: cyd!, id, views };
  };
  const sharedBy = (view: ConversationView) =>
    view.getSnapshot().messages.flatMap(({ note, sharedBy: who }) => (note ? [] : [who]));

  it('is sent what was written before, by who added them, and is told so', async () => {
    const { ann, bob, cyd, id, views } = await talk('told');
    await ann.engine.addContact(cyd.engine.getSnapshot().contact!);
    await ann.engine.addMembers(id, [accountOf(cyd)], { history: 'last' });
    const cyds = await viewOf(cyd, id);
    await hears(cyds, 'second');
    await ann.engine.send(id, 'third');
    for (const view of [...views, cyds]) await hears(view, 'third');
    expect(words(cyds)).toEqual(['first', 'second', 'third']);
    expect(notes(cyds)).toEqual(['added']);
    const all = cyds.getSnapshot().messages;
    expect(all.findIndex(({ note }) => note?.kind === 'added')).toBe(2);
    expect(sharedBy(cyds)).toEqual([accountOf(ann), accountOf(ann), undefined]);
    expect(cyds.getSnapshot().messages[1]!.from).toBe(accountOf(bob));
    expect(cyds.getSnapshot().unread).toBe(1);
    // Its author still takes it back.
    const second = all.find(({ text }) => text === 'second')!.id;
    await bob.engine.deleteForEveryone(id, [second]);
    await until(cyds, () => messageOf(cyds, second)?.deleted === true, 'taken back');
    expect((await ann.store.get('group', id))!.sharing).toBeUndefined();
  });

  it('keeps it, and the name, where the group changed before they were there', async () => {
    const { all, id, views } = await circle(world, 'changing', [{}, {}, {}]);
    const [ann, bob, yan] = all as [Resident, Resident, Resident];
    await bob.engine.send(id, 'first');
    await hears(views[0]!, 'first');
    const [cyd] = await people(world, 'away', [{}]);
    await ann.engine.addContact(cyd!.engine.getSnapshot().contact!);
    await cyd!.engine.close();
    await ann.engine.addMembers(id, [accountOf(cyd!)], { history: 'last' });
    await sees(bob, id, 4);
    await bob.engine.send(id, 'between');
    await hears(views[0]!, 'between');
    await ann.engine.removeMembers(id, [accountOf(yan)]);
    await until(ann.engine, ({ unsent }) => unsent === 0, 'its keys with everybody');
    await sees(bob, id, 3);
    await until(bob.engine, ({ unsent }) => unsent === 0, 'nothing left');
    await cyd!.restart();
    const cyds = await viewOf(cyd!, id);
    await hears(cyds, 'between');
    await hears(cyds, 'first');
    expect(words(cyds)).toEqual(['first', 'between']);
    expect(groupOf(cyd!, id)!.title).toBe('changing');
  });

  it('is sent nothing where nothing was chosen', async () => {
    const { ann, cyd, id } = await talk('nothing');
    await ann.engine.addContact(cyd.engine.getSnapshot().contact!);
    await ann.engine.addMembers(id, [accountOf(cyd)]);
    const cyds = await viewOf(cyd, id);
    await ann.engine.send(id, 'third');
    await hears(cyds, 'third');
    expect(words(cyds)).toEqual(['third']);
  });

  it('F1 is sent it once, where the answer was lost and who adds them died', async () => {
    let cut = false;
    const lossy = (transport: Transport): Transport => ({
      ...transport,
      async changeChannel(...request) {
        const answer = await transport.changeChannel(...request);
        if (cut) throw new RelayError('unreachable');
        return answer;
      },
    });
    const { ann, cyd, id } = await talk('died', { transport: lossy });
    await ann.engine.addContact(cyd.engine.getSnapshot().contact!);
    cut = true;
    const adding = ann.engine.addMembers(id, [accountOf(cyd)], { history: 'day' });
    await expect(adding).rejects.toMatchObject({ code: 'unreachable' });
    cut = false;
    await ann.restart();
    const cyds = await viewOf(cyd, id);
    await hears(cyds, 'second');
    await sees(ann, id, 3);
    await ann.engine.send(id, 'third');
    await hears(cyds, 'third');
    expect(words(cyds)).toEqual(['first', 'second', 'third']);
  });

  it('who came by the link is sent what the link says', async () => {
    const { ann, cyd, id } = await talk('linked');
    await ann.engine.setGroupLink(id, { approval: false, history: 'last' });
    const view = (await ann.engine.openGroup(id))!;
    await until(view, () => view.getSnapshot().link !== undefined, 'the link');
    const { link } = view.getSnapshot().link!;
    await expect
      .poll(() =>
        cyd.engine.joinGroup(link).then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    const cyds = await viewOf(cyd, id as ConversationId);
    await hears(cyds, 'second');
    expect(sharedBy(cyds)).toEqual([accountOf(ann), accountOf(ann)]);
  });
});
