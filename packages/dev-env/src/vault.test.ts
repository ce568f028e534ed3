import { type Store, StoreError, type Write } from '@sotto/engine/ports';
import { CLEAR, KEY_PATHS, type MessageRow, type TableName } from '@sotto/engine/rows';
import { openVault, readVault } from '@sotto/engine/vault';
import { describe, expect, it, vi } from 'vitest';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { message, put } from '@sotto/store-memory/store-case';
import { runStoreCase, STORE_CASES } from '@sotto/store-memory/store-suite';

const SECRET = 'squeamish ossifrage';
const BYTES = new TextEncoder().encode(SECRET);

/** A row of every sealed table, with the secret in every field that is not in the clear. */
const SECRETS = [
  {
    table: 'contact',
    put: { account: 'ann', handle: SECRET, name: SECRET, chain: [{ event: BYTES, seenAt: 1 }], devices: [] },
  },
  {
    table: 'conversation',
    put: { id: 'ann', createdAt: 1, unread: 2, floors: { [SECRET]: 3 }, last: { text: SECRET, id: SECRET } },
  },
  {
    table: 'message',
    put: message(1, 'm', { text: SECRET, newer: BYTES, edits: [{ text: SECRET, sentAt: 1 }] }),
  },
  {
    table: 'outbox',
    put: {
      seq: 1,
      conversation: SECRET,
      content: { text: SECRET },
      envelopes: [{ id: SECRET, body: BYTES }],
    },
  },
  { table: 'aside', put: { envelope: 'e', at: 1, reason: SECRET } },
  { table: 'unclaimed', put: { envelope: 'e', at: 1, accepted: 2, body: BYTES } },
  {
    table: 'pending',
    put: {
      conversation: 'ann',
      author: 'bob',
      id: 'm',
      at: 1,
      marks: { edits: [{ text: SECRET, sentAt: 1 }] },
    },
  },
  {
    table: 'group',
    put: {
      group: 'g',
      log: {},
      channels: [],
      state: { members: [{ account: SECRET, role: 'owner' }], fields: { title: BYTES } },
      texts: { title: { salt: SECRET, text: SECRET } },
      departed: { [SECRET]: 3 },
    },
  },
  {
    table: 'held',
    put: { group: 'g', envelope: 'e', at: 1, body: BYTES, from: { account: SECRET, device: SECRET } },
  },
  { table: 'segment', put: { id: 1, terms: SECRET, lengths: BYTES, postings: BYTES } },
  { table: 'listing', put: { id: 1, entries: [null, [SECRET, SECRET, 1, [2]]] } },
  {
    table: 'catalogue',
    put: { key: 'catalogue', nextDoc: 1, nextSegment: 1, spans: [[1, 2]], partitions: [[{ id: SECRET }]] },
  },
] as unknown as Write[];

/** Whether the secret is anywhere in a value, as text or as bytes. */
const shows = (value: unknown): boolean => {
  if (typeof value === 'string') return value.includes(SECRET);
  if (value instanceof Uint8Array) return new TextDecoder('latin1').decode(value).includes(SECRET);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, member]) => shows(key) || shows(member));
};

const rawRows = async (store: Store) => {
  const tables = Object.keys(KEY_PATHS) as TableName[];
  const rows = await Promise.all(tables.map(async (table) => [table, await store.all(table)] as const));
  return new Map<string, unknown[]>(rows);
};

/** A message as it lies on the disk, and a way to change it there. */
const atRest = async () => {
  const raw = createMemoryDisk().open();
  const store = await openVault(raw);
  await store.commit([put(message(1, 'm'))]);
  const row = (await raw.get('message', ['ann', 'm'])) as MessageRow & { sealed: Uint8Array<ArrayBuffer> };
  return { raw, store, row };
};

describe('a sealed store keeps the promises of a store', () => {
  for (const entry of STORE_CASES) {
    it(entry.name, () => {
      const disk = createMemoryDisk();
      return runStoreCase(entry, {
        open: () => openVault(disk.open()),
        reader: async () => readVault(disk.reader()),
      });
    });
  }
});

describe('the vault', () => {
  it('seals every table but those of keys and ids', () => {
    const open = Object.keys(KEY_PATHS).filter((table) => !(table in CLEAR));
    expect(open).toEqual(['self', 'prekey', 'peer', 'seen', 'gone', 'sender', 'dropped', 'vault']);
    expect(SECRETS.map(({ table }) => table)).toEqual(Object.keys(CLEAR));
  });

  it('leaves nothing readable of what it seals, and gives it back whole', async () => {
    const disk = createMemoryDisk();
    const store = await openVault(disk.open());
    expect(SECRETS.every((write) => shows(write))).toBe(true);
    await store.commit(SECRETS);
    const raw = await rawRows(disk.open());
    for (const write of SECRETS) {
      const clear: readonly string[] = CLEAR[write.table as keyof typeof CLEAR];
      const [row] = raw.get(write.table) as [Record<string, unknown>];
      expect(shows(row), write.table).toBe(false);
      expect(Object.keys(row).filter((field) => field !== 'sealed' && !clear.includes(field))).toEqual([]);
      expect(await store.all(write.table)).toEqual([(write as { put: unknown }).put]);
    }
    expect(shows([...raw.values()])).toBe(false);
  });

  it('keeps commits in their order, however long each takes to seal; one that fails holds none up', async () => {
    const store = await openVault(createMemoryDisk().open());
    const bad = put(message(1, 'bad', { newer: (() => undefined) as unknown as Uint8Array<ArrayBuffer> }));
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { subtle } = crypto;
    const encrypt = subtle.encrypt.bind(subtle);
    const spy = vi.spyOn(subtle, 'encrypt').mockImplementationOnce(async (...args) => {
      await held;
      return encrypt(...args);
    });
    const slow = store.commit([put(message(1, 'm'))]);
    const failed = expect(store.commit([bad])).rejects.toMatchObject({ code: 'failed' });
    const quick = store.commit([put(message(2, 'm'))]);
    await failed;
    setTimeout(release, 20);
    await Promise.all([slow, quick]);
    spy.mockRestore();
    expect(await store.get('message', ['ann', 'm'])).toEqual(message(2, 'm'));
  });

  it('gives back bytes, nested fields, odd texts and numbers as they were', async () => {
    const store = await openVault(createMemoryDisk().open());
    const row = message(2 ** 52 + 1, 'm', {
      text: `\0bytes "\\ \uD800 \u{1F600}`,
      newer: new Uint8Array([9, 0, 255, 9]).subarray(1, 3),
      reactions: { ann: { emoji: null, sentAt: -0.5 }, ['__proto__']: { emoji: '', sentAt: 2 ** 53 - 1 } },
      edits: [],
    });
    await store.commit([put(row)]);
    const read = (await store.get('message', ['ann', 'm']))!;
    expect(read).toEqual(row);
    expect(Object.keys(read.reactions!)).toEqual(['ann', '__proto__']);
    expect(read.newer!.buffer.byteLength).toBe(2);
    await store.commit([
      put(message(1, 'n', { newer: new Uint8Array(), timer: undefined as unknown as number })),
    ]);
    const bare = (await store.get('message', ['ann', 'n']))!;
    expect(bare.newer).toEqual(new Uint8Array());
    expect('timer' in bare).toBe(false);
  });

  it.each([
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['not a number', Number.NaN],
    ['what stands for bytes', { '\0bytes': [0, 1] }],
    ['other bytes', new Uint16Array(2)],
  ])('refuses to change %s in silence', async (_, value) => {
    const store = await openVault(createMemoryDisk().open());
    const row = message(1, 'm', { reply: value as unknown as { author: string; id: string } });
    await expect(store.commit([put(row)])).rejects.toMatchObject({ code: 'failed' });
    expect(await store.count('message')).toBe(0);
  });

  it('seals the same row otherwise each time', async () => {
    const { raw, store, row } = await atRest();
    await store.commit([put(message(1, 'm'))]);
    const again = (await raw.get('message', ['ann', 'm'])) as typeof row;
    expect(again.sealed).not.toEqual(row.sealed);
  });

  it('opens no row in the place of another', async () => {
    const { raw, store, row } = await atRest();
    await raw.commit([put({ ...row, id: 'n' }), put({ ...row, conversation: 'bob' })]);
    await raw.commit([{ table: 'aside', put: { envelope: 'ann', at: 1, sealed: row.sealed } as never }]);
    await expect(store.get('message', ['ann', 'n'])).rejects.toMatchObject({ code: 'sealed' });
    await expect(store.messages({ conversation: 'bob' }, { limit: 1 })).rejects.toMatchObject({
      code: 'sealed',
    });
    await expect(store.get('aside', 'ann')).rejects.toMatchObject({ code: 'sealed' });
    expect(await store.get('message', ['ann', 'm'])).toEqual(message(1, 'm'));
  });

  it('opens no row of another table that has the same key', async () => {
    const raw = createMemoryDisk().open();
    const store = await openVault(raw);
    await store.commit([{ table: 'aside', put: { envelope: 'x', at: 1, reason: 'r' } }]);
    const { sealed } = (await raw.get('aside', 'x')) as unknown as { sealed: Uint8Array };
    await raw.commit([{ table: 'conversation', put: { id: 'x', createdAt: 1, unread: 0, sealed } as never }]);
    await expect(store.all('conversation')).rejects.toMatchObject({ code: 'sealed' });
  });

  it('opens nothing that was changed, cut or never sealed', async () => {
    const { raw, store, row } = await atRest();
    const { sealed, ...plain } = row;
    const flipped = Array.from(sealed, (_, at) => {
      const copy = sealed.slice();
      copy[at]! ^= 1;
      return copy;
    });
    const bad = [
      ...flipped,
      sealed.subarray(0, -1),
      sealed.subarray(0, 13),
      new Uint8Array(),
      undefined,
      'text',
    ];
    for (const value of bad) {
      await raw.commit([put({ ...plain, text: 'forged', sealed: value } as unknown as MessageRow)]);
      const error = await store.get('message', ['ann', 'm']).catch((cause: unknown) => cause);
      expect(error).toBeInstanceOf(StoreError);
      expect(error).toMatchObject({ code: 'sealed' });
    }
  });

  it('makes one key, which nobody can read, and makes no other in the place of one that is lost', async () => {
    const disk = createMemoryDisk();
    const store = await openVault(disk.open());
    await store.commit([put(message(1, 'm')), { table: 'self', put: { key: 'self' } as never }]);
    await openVault(disk.open());
    const raw = disk.open();
    const keys = await raw.all('vault');
    expect(keys.map(({ id, key }) => [id, key.extractable])).toEqual([[1, false]]);
    await raw.commit([{ table: 'vault', remove: 1 }]);
    await expect(openVault(raw)).rejects.toMatchObject({ code: 'sealed' });
    await expect(readVault(disk.reader()).all('message')).rejects.toMatchObject({ code: 'sealed' });
    expect(await raw.count('vault')).toBe(0);
  });

  it('opens rows of every key that is there', async () => {
    const { raw, store, row } = await atRest();
    const algorithm = { name: 'AES-GCM', length: 256 };
    const key = (await crypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt'])) as CryptoKey;
    await raw.commit([{ table: 'vault', put: { id: 2, key } }]);
    const next = await openVault(raw);
    await next.commit([put(message(2, 'n'))]);
    expect(row.sealed[0]).toBe(1);
    expect(((await raw.get('message', ['ann', 'n'])) as typeof row).sealed[0]).toBe(2);
    expect(await next.all('message')).toEqual([message(1, 'm'), message(2, 'n')]);
    expect(await store.all('message')).toEqual([message(1, 'm'), message(2, 'n')]);
  });

  it('can be read by who came before its key', async () => {
    const disk = createMemoryDisk();
    const reader = readVault(disk.reader());
    expect(await reader.all('message')).toEqual([]);
    await (await openVault(disk.open())).commit([put(message(1, 'm'))]);
    expect(await reader.messages({ conversation: 'ann' }, { limit: 1 })).toEqual([message(1, 'm')]);
  });

  it('passes on what the store refuses', async () => {
    const disk = createMemoryDisk();
    const old = await openVault(disk.open());
    await openVault(disk.open());
    await expect(old.commit([put(message(1, 'm'))])).rejects.toMatchObject({ code: 'superseded' });
    const { raw, store } = await atRest();
    const taken = readVault({
      ...raw,
      get: (table, key) => {
        if (table === 'vault') throw new StoreError('closed');
        return raw.get(table, key);
      },
    });
    await expect(taken.all('message')).rejects.toMatchObject({ code: 'closed' });
    raw.close();
    await expect(store.all('message')).rejects.toMatchObject({ code: 'closed' });
  });
});
