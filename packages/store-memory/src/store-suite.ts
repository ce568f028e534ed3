import { type Store, StoreError } from '@sotto/engine/ports';
import type { ContactRow, MessageRow } from '@sotto/engine/rows';
import { afterEach, describe, expect, it } from 'vitest';

const message = (order: number, id: string, conversation = 'ann'): MessageRow => ({
  conversation,
  id,
  order,
  from: 'ann',
  sentAt: order,
  text: `text ${id}`,
  status: 'sent',
});

const contact = (account: string): ContactRow => ({
  account,
  handle: account,
  verified: false,
  chain: [{ event: new Uint8Array([1, 2, 3]), seenAt: 0 }],
  devices: [],
  introduced: false,
});

/** What every store must do. `open` opens the same database again; `fresh` names a new one. */
export const storeSuite = (name: string, fresh: () => { open: () => Promise<Store> }): void => {
  describe(`${name} keeps the store's promises`, () => {
    const opened: Store[] = [];
    const disk = () => {
      const { open } = fresh();
      return async () => {
        const store = await open();
        opened.push(store);
        return store;
      };
    };
    afterEach(() => {
      for (const store of opened.splice(0)) store.close();
    });

    it('reads back what was committed, also after opening again', async () => {
      const open = disk();
      const store = await open();
      await store.commit([
        { table: 'contact', put: contact('bob') },
        { table: 'contact', put: contact('ann') },
        { table: 'message', put: message(1, 'm1') },
      ]);
      store.close();
      const again = await open();
      expect(await again.get('contact', 'ann')).toEqual(contact('ann'));
      expect(await again.get('contact', 'eve')).toBeUndefined();
      expect((await again.all('contact')).map((row) => row.account)).toEqual(['ann', 'bob']);
      expect(await again.get('message', ['ann', 'm1'])).toEqual(message(1, 'm1'));
    });

    it('orders numeric keys by number', async () => {
      const store = await disk()();
      const content = { kind: 'profile' as const, name: 'Ann' };
      for (const seq of [10, 9, 100]) {
        await store.commit([{ table: 'outbox', put: { seq, conversation: 'ann', content } }]);
      }
      expect((await store.all('outbox')).map((row) => row.seq)).toEqual([9, 10, 100]);
    });

    it('commits all or nothing', async () => {
      const store = await disk()();
      const bad = { ...contact('bad'), name: (() => 'not a value') as unknown as string };
      await expect(
        store.commit([
          { table: 'contact', put: contact('ann') },
          { table: 'message', put: message(1, 'm1') },
          { table: 'contact', put: bad },
        ]),
      ).rejects.toThrow();
      expect(await store.all('contact')).toEqual([]);
      expect(await store.messages('ann', { limit: 10 })).toEqual([]);
    });

    it('applies the changes of one commit in their order', async () => {
      const store = await disk()();
      await store.commit([
        { table: 'contact', put: contact('ann') },
        { table: 'contact', remove: 'ann' },
        { table: 'contact', put: { ...contact('ann'), name: 'Ann' } },
      ]);
      expect((await store.get('contact', 'ann'))?.name).toBe('Ann');
    });

    it('pages messages from the newest, ties by id, one conversation at a time', async () => {
      const store = await disk()();
      const rows = [
        message(5, 'b'),
        message(5, 'a'),
        message(9, 'c'),
        message(1, 'd'),
        message(7, 'x', 'bob'),
      ];
      await store.commit(rows.map((put) => ({ table: 'message' as const, put })));
      const first = await store.messages('ann', { limit: 2 });
      expect(first.map((row) => row.id)).toEqual(['c', 'b']);
      const rest = await store.messages('ann', { before: first.at(-1)!, limit: 10 });
      expect(rest.map((row) => row.id)).toEqual(['a', 'd']);
      expect(await store.messages('ann', { before: rest.at(-1)!, limit: 10 })).toEqual([]);
    });

    it('moves a message when its order changes', async () => {
      const store = await disk()();
      await store.commit([
        { table: 'message', put: message(1, 'a') },
        { table: 'message', put: message(2, 'b') },
      ]);
      await store.commit([{ table: 'message', put: message(3, 'a') }]);
      expect((await store.messages('ann', { limit: 5 })).map((row) => row.id)).toEqual(['a', 'b']);
    });

    it('hands out copies', async () => {
      const store = await disk()();
      const row = contact('ann');
      await store.commit([{ table: 'contact', put: row }]);
      row.chain[0]!.event[0] = 99;
      const read = (await store.get('contact', 'ann'))!;
      expect(read.chain[0]!.event[0]).toBe(1);
      read.handle = 'changed';
      expect((await store.get('contact', 'ann'))?.handle).toBe('ann');
    });

    it('keeps a key that cannot be exported, and it still works', async () => {
      const open = disk();
      const store = await open();
      const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, false, [
        'sign',
        'verify',
      ]);
      const keys = { publicKey: new Uint8Array(65), privateKey: pair.privateKey };
      await store.commit([
        {
          table: 'self',
          put: {
            key: 'self',
            account: 'ann',
            device: 'd',
            handle: 'ann',
            name: 'Ann',
            createdAt: 0,
            chain: [],
            signing: keys,
            identity: keys,
            sealing: [],
            delivery: '',
            prekeyIds: { signed: 0, 'one-time': 0, 'pq-last-resort': 0, 'pq-one-time': 0 },
          },
        },
      ]);
      store.close();
      const { signing } = (await (await open()).get('self', 'self'))!;
      expect(signing.privateKey.extractable).toBe(false);
      const algorithm = { name: 'ECDSA', hash: 'SHA-256' };
      const signature = await crypto.subtle.sign(algorithm, signing.privateKey, new Uint8Array(3));
      expect(await crypto.subtle.verify(algorithm, pair.publicKey, signature, new Uint8Array(3))).toBe(true);
    });

    it('F15 refuses the commits of whoever opened it before', async () => {
      const open = disk();
      const old = await open();
      const next = await open();
      await expect(old.commit([{ table: 'contact', put: contact('old') }])).rejects.toMatchObject({
        code: 'superseded',
      });
      await next.commit([{ table: 'contact', put: contact('new') }]);
      expect((await next.all('contact')).map((row) => row.account)).toEqual(['new']);
    });

    it('refuses work after it was closed', async () => {
      const store = await disk()();
      store.close();
      await expect(store.all('contact')).rejects.toBeInstanceOf(StoreError);
      await expect(store.commit([])).rejects.toMatchObject({ code: 'closed' });
    });
  });
};
