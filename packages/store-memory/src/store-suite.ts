import type { Reader, Store, Write } from '@sotto/engine/ports';
import type { MessageRow } from '@sotto/engine/rows';
import { equal, refuses } from './check.ts';
import { MESSAGE_CASES } from './store-suite-messages.ts';
import { message, put, type StoreCase, type StoreDisk } from './store-case.ts';

const seen = (envelope: string, at: number): Write => ({ table: 'seen', put: { envelope, at } });

const CASES: readonly StoreCase[] = [
  {
    name: 'reads back what was committed, also after opening again',
    async run(disk) {
      const store = await disk.open();
      const row = message(1, 'm1', {
        newer: new Uint8Array([0, 255]),
        edits: [{ text: '\u{1F600}', sentAt: 1 }],
      });
      await store.commit([seen('b', 1), seen('a', 2), put(row)]);
      store.close();
      const again = await disk.open();
      equal(await again.get('message', ['ann', 'm1']), row);
      equal(await again.get('message', ['ann', 'm2']), undefined);
      equal(await again.all('message'), [row]);
      equal(
        (await again.all('seen')).map(({ envelope }) => envelope),
        ['a', 'b'],
      );
      equal([await again.count('seen'), await again.count('outbox')], [2, 0]);
    },
  },
  {
    name: 'orders keys part by part, numbers by number',
    async run(disk) {
      const store = await disk.open();
      const content = { kind: 'profile' as const, name: 'Ann' };
      for (const seq of [10, 9, 100]) {
        await store.commit([{ table: 'outbox', put: { seq, conversation: 'ann', content } }]);
      }
      equal(
        (await store.all('outbox')).map(({ seq }) => seq),
        [9, 10, 100],
      );
      await store.commit(
        [
          ['b', 'a'],
          ['a,', 'z'],
          ['a', 'b'],
        ].map(([conversation, id]) => put(message(1, id!, { conversation: conversation! }))),
      );
      equal(
        (await store.all('message')).map(({ id }) => id),
        ['b', 'z', 'a'],
      );
    },
  },
  {
    name: 'commits all or nothing',
    async run(disk) {
      const store = await disk.open();
      const bad = message(2, 'm2', { text: (() => 'not a value') as unknown as string });
      await refuses(store.commit([seen('a', 1), put(message(1, 'm1')), put(bad)]), 'failed');
      equal(await store.all('seen'), []);
      equal(await store.all('message'), []);
      equal(await store.messages({ conversation: 'ann' }, { limit: 10 }), []);
      await store.commit([seen('a', 1)]);
      equal(await store.count('seen'), 1);
    },
  },
  {
    name: 'applies the changes of one commit in their order',
    async run(disk) {
      const store = await disk.open();
      await store.commit([
        seen('a', 1),
        { table: 'seen', remove: 'a' },
        seen('a', 2),
        seen('b', 1),
        { table: 'seen', remove: 'b' },
      ]);
      equal(await store.all('seen'), [{ envelope: 'a', at: 2 }]);
    },
  },
  {
    name: 'takes commits that come at once',
    async run(disk) {
      const store = await disk.open();
      await Promise.all(
        Array.from({ length: 20 }, (_, at) => store.commit([seen(`e${at}`, at), put(message(at, 'same'))])),
      );
      equal(await store.count('seen'), 20);
      equal(await store.get('message', ['ann', 'same']), message(19, 'same'));
    },
  },
  {
    name: 'hands out copies',
    async run(disk) {
      const store = await disk.open();
      const row: MessageRow = message(1, 'm', { newer: new Uint8Array([1, 2]) });
      await store.commit([put(row)]);
      row.newer![0] = 99;
      const read = (await store.get('message', ['ann', 'm']))!;
      equal(read.newer, new Uint8Array([1, 2]));
      read.text = 'changed';
      equal((await store.get('message', ['ann', 'm']))?.text, 'text m');
    },
  },
  {
    name: 'reads many rows at once',
    async run(disk) {
      const store = await disk.open();
      await store.commit([put(message(1, 'a')), put(message(2, 'b'))]);
      const keys: [string, string][] = ['b', 'x', 'a', 'b'].map((id) => ['ann', id]);
      const rows = await store.getMany('message', keys);
      equal(
        rows.map((row) => row?.text),
        ['text b', undefined, 'text a', 'text b'],
      );
      equal(await store.getMany('message', []), []);
      rows[2]!.text = 'changed';
      equal((await store.getMany('message', [['ann', 'a']]))[0]?.text, 'text a');
    },
  },
  {
    name: 'says of many keys which are there',
    async run(disk) {
      const store = await disk.open();
      await store.commit([seen('b', 1), seen('a', 1)]);
      equal(await store.has('seen', ['a', 'x', 'b', 'a']), [true, false, true, true]);
      equal(await store.has('aside', ['a']), [false]);
      equal(await store.has('seen', []), []);
    },
  },
  {
    name: 'finds the oldest rows of a table',
    async run(disk) {
      const store = await disk.open();
      await store.commit([seen('d', 30), seen('b', 10), seen('c', 20), seen('a', 20)]);
      equal(await store.older('seen', 30, 10), ['b', 'a', 'c']);
      equal(await store.older('seen', Number.POSITIVE_INFINITY, 2), ['b', 'a']);
      equal(await store.older('seen', 10, 10), []);
      equal(await store.older('seen', 99, 0), []);
      await store.commit([{ table: 'gone', put: { conversation: 'ann', id: 'x', at: 5 } }]);
      equal(await store.older('gone', 6, 1), [['ann', 'x']]);
    },
  },
  {
    name: 'keeps a key that cannot be exported, and it still works',
    async run(disk) {
      const store = await disk.open();
      const usages = ['encrypt', 'decrypt'] as const;
      const key = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, [...usages]);
      const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12) };
      const ciphertext = await crypto.subtle.encrypt(algorithm, key, new Uint8Array([7]));
      await store.commit([{ table: 'vault', put: { id: 200, key } }]);
      store.close();
      const kept = (await (await disk.open()).get('vault', 200))!.key;
      equal(kept.extractable, false);
      equal(new Uint8Array(await crypto.subtle.decrypt(algorithm, kept, ciphertext)), new Uint8Array([7]));
    },
  },
  {
    name: 'F15 refuses the commits of whoever opened it before',
    async run(disk) {
      const old = await disk.open();
      await old.commit([seen('first', 1)]);
      const next = await disk.open();
      equal(next.generation, old.generation + 1, 'the generation');
      await refuses(old.commit([seen('old', 1), { table: 'seen', remove: 'first' }]), 'superseded');
      await refuses(old.commit([]), 'superseded');
      await next.commit([seen('new', 1)]);
      equal(
        (await next.all('seen')).map(({ envelope }) => envelope),
        ['first', 'new'],
      );
      equal(await old.count('seen'), 2, 'what the old one reads');
    },
  },
  {
    name: 'lets others read, who see what the writer commits and replace nobody',
    async run(disk) {
      const store = await disk.open();
      const reader = await disk.reader();
      equal(await reader.all('message'), []);
      await store.commit([put(message(1, 'm', { starred: 1 })), seen('e', 1)]);
      equal(await reader.get('message', ['ann', 'm']), message(1, 'm', { starred: 1 }));
      equal(await reader.messages({ starred: true }, { limit: 1 }), [message(1, 'm', { starred: 1 })]);
      equal([await reader.count('seen'), await reader.older('seen', 2, 1)], [1, ['e']]);
      const next = await disk.open();
      await next.commit([{ table: 'message', remove: ['ann', 'm'] }]);
      equal(await reader.all('message'), []);
      reader.close();
      await refuses(reader.all('message'), 'closed');
      await next.commit([seen('still', 1)]);
    },
  },
  {
    name: 'refuses work after it was closed',
    async run(disk) {
      const store = await disk.open();
      store.close();
      await refuses(store.all('seen'), 'closed');
      await refuses(store.get('seen', 'a'), 'closed');
      await refuses(store.messages({ conversation: 'ann' }, { limit: 1 }), 'closed');
      await refuses(store.commit([]), 'closed');
    },
  },
];

/** What every store must do. Nothing but the platform is needed to run it, so that it runs in any browser too. */
export const STORE_CASES: readonly StoreCase[] = [...CASES, ...MESSAGE_CASES];

/** Runs a case on a disk of its own and closes what it opened. */
export const runStoreCase = async ({ run }: StoreCase, disk: StoreDisk): Promise<void> => {
  const opened: Reader[] = [];
  const note = <S extends Reader | Store>(store: S): S => {
    opened.push(store);
    return store;
  };
  try {
    await run({
      open: async () => note(await disk.open()),
      reader: async () => note(await disk.reader()),
    });
  } finally {
    for (const store of opened) store.close();
  }
};
