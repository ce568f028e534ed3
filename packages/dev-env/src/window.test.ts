import type { ConversationId } from '@sotto/contract/ids';
import { createEngine } from '@sotto/engine/engine';
import { createBox } from '@sotto/engine/box';
import { systemClock } from '@sotto/engine/clock';
import { firstLive } from '@sotto/engine/live';
import { createLocalViews } from '@sotto/engine/local-views';
import { type Model, openModel } from '@sotto/engine/model';
import type { Transport } from '@sotto/engine/ports';
import type { ConversationRow, MessageRow, SelfRow } from '@sotto/engine/rows';
import { openVault } from '@sotto/engine/vault';
import type { ConversationView } from '@sotto/engine/views';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { describe, expect, it } from 'vitest';
import { until } from './world.ts';

const ME = 'm'.repeat(43);
const PEER = 'p'.repeat(43) as unknown as ConversationId;

const message = (at: number, more: Partial<MessageRow> = {}): MessageRow => ({
  conversation: PEER,
  id: `m${String(at).padStart(5, '0')}`,
  order: at,
  from: PEER,
  device: 'd',
  sentAt: at,
  at,
  status: 'read',
  text: `${at}`,
  ...more,
});

const self = { key: 'self', account: ME, device: 'd', handle: 'me', name: 'Me', devices: [], chain: [] };

/** A conversation of `count` messages, of which those from `unread` on have not been seen. */
const open = async (count: number, { unread = count } = {}) => {
  const disk = createMemoryDisk();
  const store = await openVault(disk.open());
  const row: ConversationRow = { id: PEER, createdAt: 0, unread: count - unread, floors: {} };
  await store.commit([
    { table: 'self', put: self as unknown as SelfRow },
    { table: 'conversation', put: row },
    ...Array.from({ length: count }, (_, at) => ({
      table: 'message' as const,
      put: message(at, at >= unread ? { unread: 1, status: 'delivered' } : {}),
    })),
  ]);
  const model = await openModel(store);
  const views = createLocalViews(model, createBox(firstLive(model.self)), systemClock);
  return { disk, model, views };
};

const put = (model: Model, row: MessageRow): Promise<void> =>
  model.change((draft) => draft.put('message', row, [row.conversation, row.id]));

const shown = (view: ConversationView): number[] =>
  view.getSnapshot().messages.map(({ text }) => Number(text));
const ends = (view: ConversationView): [number | undefined, number | undefined, number] => {
  const all = shown(view);
  return [all[0], all.at(-1), all.length];
};
/** Nothing missing between the first and the last. */
const expectWhole = (view: ConversationView): void => {
  const all = shown(view);
  expect(all).toEqual(all.map((_, at) => all[0]! + at));
};

describe('a conversation is opened', () => {
  it('at its end, at its first unread message, and around any other', async () => {
    const { views } = await open(1000, { unread: 700 });
    const last = (await views.openConversation(PEER))!;
    expect(ends(last)).toEqual([950, 999, 50]);
    expect(last.getSnapshot()).toMatchObject({ hasOlder: true, hasNewer: false, firstUnread: 'm00700' });
    const unread = (await views.openConversation(PEER, { at: 'unread' }))!;
    expect(ends(unread)).toEqual([675, 725, 51]);
    expect(unread.getSnapshot()).toMatchObject({ hasOlder: true, hasNewer: true });
    const around = (await views.openConversation(PEER, { at: 'm00003' }))!;
    expect(ends(around)).toEqual([0, 28, 29]);
    expect(around.getSnapshot()).toMatchObject({ hasOlder: false, hasNewer: true });
    await around.show('last');
    expect(ends(around)).toEqual([950, 999, 50]);
    await around.show('not there');
    expect(ends(around)).toEqual([950, 999, 50]);
  });

  it('at its first unread message, though another comes while that is looked for', async () => {
    const { model, views } = await open(1000, { unread: 700 });
    const { messages } = model.store;
    let release: (() => void) | undefined;
    Object.assign(model.store, {
      messages: async (...query: Parameters<typeof messages>) => {
        const rows = await messages(...query);
        if ('unread' in query[0] && !release) await new Promise<void>((resolve) => (release = resolve));
        return rows;
      },
    });
    const opening = views.openConversation(PEER, { at: 'unread' });
    await expect.poll(() => release).toBeDefined();
    await model.change((draft) => {
      const newest = message(1000, { unread: 1, status: 'delivered' });
      draft.put('message', newest, [PEER, newest.id]);
      draft.put('conversation', { ...model.conversations.get(PEER)!, unread: 301 }, PEER);
    });
    release!();
    const view = (await opening)!;
    expect(ends(view)).toEqual([675, 725, 51]);
    expect(view.getSnapshot().firstUnread).toBe('m00700');
  });

  it('with nothing in it, or nothing unread', async () => {
    const { views } = await open(0);
    const view = (await views.openConversation(PEER, { at: 'unread' }))!;
    expect(view.getSnapshot()).toMatchObject({ messages: [], hasOlder: false, hasNewer: false });
    expect(await views.openConversation('x'.repeat(43) as ConversationId)).toBeUndefined();
  });
});

describe('the window', () => {
  it('goes both ways without a hole and holds some hundreds', async () => {
    const { views } = await open(1200);
    const view = (await views.openConversation(PEER, { at: 'm00600' }))!;
    while (view.getSnapshot().hasOlder) await Promise.all([view.loadOlder(), view.loadOlder()]);
    expectWhole(view);
    expect(ends(view)).toEqual([0, 399, 400]);
    while (view.getSnapshot().hasNewer) {
      await view.loadNewer();
      expect(shown(view).length).toBeLessThanOrEqual(400);
      expectWhole(view);
    }
    expect(ends(view)).toEqual([800, 1199, 400]);
    expect(view.getSnapshot().hasOlder).toBe(true);
  });

  it('shows what comes in at its end alone, and never more than it holds', async () => {
    const { model, views } = await open(100);
    const end = (await views.openConversation(PEER))!;
    const middle = (await views.openConversation(PEER, { at: 'm00050' }))!;
    await put(model, message(100));
    expect(ends(end)).toEqual([50, 100, 51]);
    expect(ends(middle)).toEqual([25, 75, 51]);
    for (let at = 101; at < 600; at += 1) await put(model, message(at));
    expect(ends(end)).toEqual([200, 599, 400]);
    expect(end.getSnapshot().hasOlder).toBe(true);
    await end.loadOlder();
    expectWhole(end);
    while (middle.getSnapshot().hasNewer) await middle.loadNewer();
    expectWhole(middle);
    expect(ends(middle)[1]).toBe(599);
  });

  it('misses nothing that is stored or taken away while it reads', async () => {
    const { model, views } = await open(300);
    const view = (await views.openConversation(PEER))!;
    const reading = view.loadOlder();
    await Promise.all([
      put(model, message(300)),
      put(model, message(230, { text: '-1' })),
      model.change((draft) => draft.remove('message', [PEER, 'm00220'])),
      reading,
    ]);
    const all = shown(view);
    expect(all.at(-1)).toBe(300);
    expect(all).toContain(-1);
    expect(all).not.toContain(220);
    expect(all).not.toContain(230);
  });

  it('does not show a message whose time has run out, whether it was taken away or not', async () => {
    const { model, views } = await open(3);
    await put(model, message(1, { expiresAt: Date.now() - 1 }));
    await put(model, message(2, { reply: { author: PEER, id: 'm00001' } }));
    const view = (await views.openConversation(PEER))!;
    expect(shown(view)).toEqual([0, 2]);
    expect(view.getSnapshot().messages[1]!.reply).toEqual({ id: 'm00001', from: PEER, mine: false });
  });
});

describe('what a message answers', () => {
  it('is shown with it, from wherever it stands, as it is now', async () => {
    const { model, views } = await open(500);
    await put(model, message(500, { reply: { author: PEER, id: 'm00010' } }));
    await put(model, message(501, { reply: { author: ME, id: 'm00010' } }));
    const view = (await views.openConversation(PEER))!;
    const quoted = (at: number) => view.getSnapshot().messages.at(at)!.reply;
    expect(quoted(-2)).toMatchObject({ id: 'm00010', text: '10' });
    // Who says that another wrote it is not believed.
    expect(quoted(-1)!.text).toBeUndefined();
    await put(model, message(10, { text: 'changed' }));
    expect(quoted(-2)!.text).toBe('changed');
    await put(model, message(502, { reply: { author: PEER, id: 'm00011' } }));
    await until(view, () => quoted(-1)!.text === '11', 'the quote');
    await put(model, message(10, { text: '', deleted: { by: PEER, sentAt: 1 } }));
    expect(quoted(-3)!.text).toBeUndefined();
    await model.change((draft) => draft.remove('message', [PEER, 'm00011']));
    expect(quoted(-1)!.text).toBeUndefined();
  });
});

describe('reading', () => {
  const offline = {
    connect: () => ({ send: () => false, ack: () => false, live: () => false, retry() {}, close() {} }),
  } as unknown as Transport;

  it('goes up to a message, counts what is left and says which is the first', async () => {
    const { disk } = await open(250, { unread: 20 });
    const engine = await createEngine({ store: disk.open(), transport: offline });
    const view = (await engine.openConversation(PEER))!;
    const unread = () => engine.getSnapshot().conversations[0]!.unread;
    await engine.markRead(PEER, 'm00149');
    expect(unread()).toBe(100);
    await until(view, ({ firstUnread }) => firstUnread === 'm00150', 'the first');
    await engine.markRead(PEER, 'm00100');
    await engine.markRead(PEER, 'not there');
    expect(unread()).toBe(100);
    await engine.markRead(PEER);
    expect(unread()).toBe(0);
    await until(view, ({ firstUnread }) => firstUnread === undefined, 'none');
    const outbox = await disk.reader().count('outbox');
    // 130 and 100 messages, up to 100 in each receipt.
    expect(outbox).toBe(3);
    await engine.close();
  });
});
