import { pack, unpack } from './pack.ts';
import { type Reader, type Store, StoreError, type Write } from './ports.ts';
import { CLEAR, KEY_PATHS, type Row, type TableName, type VaultRow } from './rows.ts';

const IV_BYTES = 12;

/** A row at rest: `sealed` holds the number of the key, the initialisation vector and the ciphertext. */
type AtRest = Record<string, unknown> & { sealed: Uint8Array<ArrayBuffer> };

type SealedTable = keyof typeof CLEAR;
const isSealed = (table: TableName): table is SealedTable => table in CLEAR;

const ENCODER = new TextEncoder();

const keyOf = (table: TableName, row: object): unknown => {
  const path: string | readonly string[] = KEY_PATHS[table];
  const fields = row as Record<string, unknown>;
  return typeof path === 'string' ? fields[path] : path.map((part) => fields[part]);
};

/** What a sealed row is bound to: it opens nowhere else. */
const parameters = (table: TableName, row: object, iv: Uint8Array<ArrayBuffer>) => ({
  name: 'AES-GCM',
  iv,
  additionalData: ENCODER.encode(JSON.stringify([table, keyOf(table, row)])),
});

/** Random vectors under one key do for 2^32 rows. */
const sealRow = async (table: SealedTable, row: object, { id, key }: VaultRow): Promise<AtRest> => {
  const clear: readonly string[] = CLEAR[table];
  const entries = Object.entries(row);
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const inner = pack(Object.fromEntries(entries.filter(([field]) => !clear.includes(field))));
  const ciphertext = await crypto.subtle.encrypt(parameters(table, row, iv), key, inner);
  const sealed = new Uint8Array(1 + IV_BYTES + ciphertext.byteLength);
  sealed.set([id]);
  sealed.set(iv, 1);
  sealed.set(new Uint8Array(ciphertext), 1 + IV_BYTES);
  return { ...Object.fromEntries(entries.filter(([field]) => clear.includes(field))), sealed };
};

/**
 * What `reader` holds, opened.
 *
 * @throws StoreError `sealed` for a row that does not open: nothing is ever shown in its place
 */
export const readVault = (reader: Reader): Reader => {
  /** Read once each, however many rows ask for it at the same time. One that is not there is looked for again. */
  const keys = new Map<number, Promise<CryptoKey | undefined>>();

  const keyOfRow = (id: number): Promise<CryptoKey | undefined> => {
    const known = keys.get(id);
    if (known) return known;
    const reading = reader.get('vault', id).then((row) => row?.key);
    keys.set(id, reading);
    const forget = (key?: CryptoKey) => void (key ?? keys.delete(id));
    reading.then(forget, () => forget());
    return reading;
  };

  const openRow = async <T extends TableName>(table: T, row: Row<T>): Promise<Row<T>> => {
    if (!isSealed(table)) return row;
    const { sealed, ...clear } = row as unknown as AtRest;
    try {
      const key = await keyOfRow(sealed[0]!);
      const parts = parameters(table, row, sealed.slice(1, 1 + IV_BYTES));
      const inner = await crypto.subtle.decrypt(parts, key!, sealed.subarray(1 + IV_BYTES));
      return { ...clear, ...(unpack(new Uint8Array(inner)) as object) } as unknown as Row<T>;
    } catch (cause) {
      throw cause instanceof StoreError ? cause : new StoreError('sealed', { cause });
    }
  };

  return {
    ...reader,
    async get(table, key) {
      const row = await reader.get(table, key);
      return row && openRow(table, row);
    },
    async getMany(table, keys) {
      const rows = await reader.getMany(table, keys);
      return Promise.all(rows.map((row) => row && openRow(table, row)));
    },
    async all(table) {
      const rows = await reader.all(table);
      return Promise.all(rows.map((row) => openRow(table, row)));
    },
    async messages(query, page) {
      const rows = await reader.messages(query, page);
      return Promise.all(rows.map((row) => openRow('message', row)));
    },
  };
};

/** The key that rows are sealed under, made when there is none. */
const currentKey = async (store: Store): Promise<VaultRow> => {
  const known = (await store.all('vault')).at(-1);
  if (known) return known;
  // Rows without their key: a new one would open none of them.
  if ((await store.count('self')) > 0) throw new StoreError('sealed');
  const algorithm = { name: 'AES-GCM', length: 256 };
  const key = (await crypto.subtle.generateKey(algorithm, false, ['encrypt', 'decrypt'])) as CryptoKey;
  await store.commit([{ table: 'vault', put: { id: 1, key } }]);
  return { id: 1, key };
};

/**
 * A store whose rows are sealed at rest, under a key that script cannot read: all tables in CLEAR, but for the fields
 * that it names. The crypto is done before the transaction opens.
 *
 * An app lock will make the next key, store it wrapped by what the passcode gives, seal every row anew (each says under
 * which key it is) and delete the key before it.
 *
 * @throws StoreError `sealed` for a store that has lost its key
 */
export const openVault = async (store: Store): Promise<Store> => {
  const current = await currentKey(store);
  const seal = async (write: Write): Promise<Write> => {
    if (!('put' in write) || !isSealed(write.table)) return write;
    try {
      return { ...write, put: await sealRow(write.table, write.put, current) } as unknown as Write;
    } catch (cause) {
      throw new StoreError('failed', { cause });
    }
  };
  /** Resolves when the store has been given what was committed before, whichever of both is sealed first. */
  let given: Promise<void> = Promise.resolve();
  return {
    ...readVault(store),
    generation: store.generation,
    async commit(writes) {
      const sealing = Promise.all(writes.map(seal));
      const before = given;
      const ready = Promise.all([sealing, before]).then(([sealed]) => ({ stored: store.commit(sealed) }));
      given = Promise.allSettled([ready, before]).then(() => undefined);
      const { stored } = await ready;
      await stored;
    },
  };
};
