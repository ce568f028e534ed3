import { followModel, noticesOf, openModel } from '@sotto/engine/model';
import { type Store, StoreError, type Write } from '@sotto/engine/ports';
import type { ConversationRow } from '@sotto/engine/rows';
import { openVault, readVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { message, put } from '@sotto/store-memory/store-case';
import { describe, expect, it, vi } from 'vitest';

const conversation = (id: string, unread = 0): ConversationRow => ({ id, createdAt: 1, unread, floors: {} });

const putConversation = (row: ConversationRow): Write => ({ table: 'conversation', put: row });

/** A writer and a follower of one disk; `heard` is what the follower's views were told. */
const pair = async (wrap: (store: Store) => Store = (store) => store) => {
  const disk = createMemoryDisk();
  const model = await openModel(await openVault(wrap(disk.open())));
  const follower = await followModel(readVault(disk.reader()));
  const heard: Write[] = [];
  follower.onChange((writes) => heard.push(...writes));
  const committed: Write[] = [];
  model.onChange((writes) => committed.push(...writes));
  return { disk, model, follower, heard, committed };
};

describe('the model of the writer', () => {
  it('lets go of what an attempt drafted that failed, and of nothing else', async () => {
    const { model } = await pair();
    const failed = new Error('half-way');
    await model.change(async (draft) => {
      draft.put('conversation', conversation('a'), 'a');
      draft.put('conversation', conversation('c'), 'c');
      const attempt = draft.attempt(async () => {
        draft.put('conversation', conversation('b'), 'b');
        draft.put('conversation', conversation('a', 7), 'a');
        draft.remove('conversation', 'c');
        expect(draft.putOf('conversation').map(({ id }) => id)).toEqual(['a', 'b']);
        throw failed;
      });
      await expect(attempt).rejects.toBe(failed);
      expect(draft.putOf('conversation').map(({ id }) => id)).toEqual(['a', 'c']);
    });
    expect([...model.conversations.values()]).toEqual([conversation('a'), conversation('c')]);
  });

  it('reads what it has stored and not what the store refused, with and without looking there', async () => {
    let reads = 0;
    let refuses = false;
    const { model } = await pair((store) => ({
      ...store,
      get: (table, key) => {
        if (table === 'message') reads += 1;
        return store.get(table, key);
      },
      commit: async (writes) => {
        if (refuses) throw new StoreError('full');
        return store.commit(writes);
      },
    }));
    const key: [string, string] = ['ann', 'm'];
    const textOf = (): Promise<string | undefined> =>
      model.change(async (draft) => (await draft.get('message', key))?.text);
    const write = (text: string): Promise<void> =>
      model.change((draft) => draft.put('message', message(1, 'm', { text }), key));
    expect([await textOf(), await textOf()]).toEqual([undefined, undefined]);
    await write('first');
    expect(await textOf()).toBe('first');
    refuses = true;
    await expect(write('second')).rejects.toMatchObject({ code: 'full' });
    refuses = false;
    expect(await textOf()).toBe('first');
    await model.change((draft) => draft.remove('message', key));
    expect(await textOf()).toBeUndefined();
    expect(reads).toBe(1);
    // Others have been used since.
    for (let at = 0; at < 100; at += 1) await model.change((draft) => draft.get('message', ['c', `${at}`]));
    await write('third');
    for (let at = 0; at < 100; at += 1) await model.change((draft) => draft.get('message', ['c', `${at}`]));
    expect(await textOf()).toBe('third');
    expect(reads).toBe(202);
  });

  it('runs changes one at a time: none is lost', async () => {
    const { model, disk } = await pair();
    await model.change((draft) => draft.put('conversation', conversation('c'), 'c'));
    const add = () =>
      model.change(async (draft) => {
        const row = (await draft.get('conversation', 'c'))!;
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
        draft.put('conversation', { ...row, unread: row.unread + 1 }, 'c');
      });
    await Promise.all(Array.from({ length: 20 }, add));
    expect(model.conversations.get('c')?.unread).toBe(20);
    expect((await readVault(disk.reader()).get('conversation', 'c'))?.unread).toBe(20);
  });

  it('has committed what a listener fails over, and tells the others', async () => {
    const { model } = await pair();
    const later = vi.spyOn(globalThis, 'queueMicrotask').mockImplementation(() => undefined);
    const told = vi.fn();
    model.onChange(() => {
      throw new Error('of a listener');
    });
    model.onChange(told);
    await model.change((draft) => draft.put('conversation', conversation('c'), 'c'));
    expect(later).toHaveBeenCalledOnce();
    later.mockRestore();
    expect(told).toHaveBeenCalledOnce();
  });

  it('shows nothing of what was not committed, and goes on', async () => {
    let full = false;
    const { model, committed } = await pair((store) => ({
      ...store,
      commit: async (writes) => {
        if (full) throw new StoreError('full');
        await store.commit(writes);
      },
    }));
    full = true;
    const change = model.change((draft) => draft.put('conversation', conversation('c'), 'c'));
    await expect(change).rejects.toMatchObject({ code: 'full' });
    expect([model.conversations.size, committed.length]).toEqual([0, 0]);
    full = false;
    await model.change((draft) => draft.put('conversation', conversation('d'), 'd'));
    expect([...model.conversations.keys()]).toEqual(['d']);
  });
});

describe('the model of a follower', () => {
  it('shows what the writer committed once it has the notice, and tells the same', async () => {
    const { model, follower, heard, committed } = await pair();
    await model.change((draft) => {
      draft.put('conversation', conversation('c', 1), 'c');
      draft.put('message', message(1, 'm'), ['ann', 'm']);
      draft.put('seen', { envelope: 'e', at: 1 }, 'e');
    });
    expect(follower.conversations.size).toBe(0);
    const notices = noticesOf(committed);
    expect(notices).toEqual([
      { table: 'conversation', key: 'c' },
      { table: 'message', key: ['ann', 'm'] },
    ]);
    await follower.follow(structuredClone(notices));
    expect(follower.conversations.get('c')).toEqual(conversation('c', 1));
    expect(heard).toEqual([putConversation(conversation('c', 1)), put(message(1, 'm'))]);
  });

  it('hears of what was removed', async () => {
    const { model, follower, heard, committed } = await pair();
    await model.change((draft) => draft.put('conversation', conversation('c'), 'c'));
    await follower.follow(noticesOf(committed));
    await model.change((draft) => {
      draft.remove('conversation', 'c');
      draft.remove('message', ['ann', 'm']);
    });
    await follower.follow(noticesOf(committed.slice(1)));
    expect(follower.conversations.size).toBe(0);
    expect(heard.slice(1)).toEqual([
      { table: 'conversation', remove: 'c' },
      { table: 'message', remove: ['ann', 'm'] },
    ]);
  });

  it('takes notices late, twice and at once', async () => {
    const { disk, model, follower, committed } = await pair();
    for (let unread = 0; unread < 5; unread += 1) {
      await model.change((draft) => draft.put('conversation', conversation('c', unread), 'c'));
    }
    const notices = noticesOf(committed);
    const late = await followModel(readVault(disk.reader()));
    await Promise.all([...notices, ...notices].map((notice) => late.follow([notice])));
    await follower.follow(notices);
    expect(late.conversations.get('c')?.unread).toBe(4);
    expect(follower.conversations.get('c')?.unread).toBe(4);
  });

  it('goes on after a reading that failed', async () => {
    const disk = createMemoryDisk();
    const model = await openModel(await openVault(disk.open()));
    const reader = readVault(disk.reader());
    let broken = true;
    const follower = await followModel({
      ...reader,
      get: async (table, key) => {
        if (broken) throw new StoreError('failed');
        return reader.get(table, key);
      },
    });
    await model.change((draft) => draft.put('conversation', conversation('c'), 'c'));
    const notice = { table: 'conversation', key: 'c' } as const;
    await expect(follower.follow([notice])).rejects.toMatchObject({ code: 'failed' });
    broken = false;
    await follower.follow([notice]);
    expect(follower.conversations.size).toBe(1);
  });

  it('reads everything anew when it may have missed something', async () => {
    const { model, follower } = await pair();
    let resyncs = 0;
    follower.onResync(() => {
      resyncs += 1;
    });
    await model.change((draft) => {
      draft.put('conversation', conversation('old'), 'old');
      draft.put('conversation', conversation('c'), 'c');
    });
    await follower.resync();
    await model.change((draft) => {
      draft.remove('conversation', 'old');
      draft.put('conversation', conversation('c', 7), 'c');
    });
    await follower.resync();
    expect([...follower.conversations.values()]).toEqual([conversation('c', 7)]);
    expect(resyncs).toBe(2);
  });
});
