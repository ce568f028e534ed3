// Runs in a page of Chromium as `lab`: a member's engine, whose uploads are counted, and the bare calls beside it.
import type { ConversationId, Handle } from '../../packages/contract/src/ids.ts';
import type { Link } from '../../packages/contract/src/link.ts';
import { createEngine } from '../../packages/engine/src/engine.ts';
import { openModel } from '../../packages/engine/src/model.ts';
import type { Transport } from '../../packages/engine/src/ports.ts';
import { openVault } from '../../packages/engine/src/vault.ts';
import type { Engine, EngineSnapshot } from '../../packages/engine/src/views.ts';
import { openStore } from '../../packages/store-idb/src/open-store.ts';
import { createTransport } from '../../packages/transport/src/transport.ts';
import * as crypt from '../bare.ts';

const PATIENCE_MS = 300_000;
/** Envelopes that the engine encrypts and stores at once. */
const BATCH = 50;

type Contact = NonNullable<EngineSnapshot['contact']>;

export interface Sent {
  /** Envelopes and posts. */
  uploads: number;
  /** Of their bodies, and of entries of the log. */
  bytes: number;
}

/** What one thing took. */
export interface Took extends Sent {
  ms: number;
  /** Tasks of more than 50 ms, the longest. */
  longest: number;
}

let engine: Engine;
let sent: Sent = { uploads: 0, bytes: 0 };
let longest = 0;
new PerformanceObserver((list) => {
  for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
}).observe({ type: 'longtask' });

const count = (bodies: readonly { length: number }[]): void => {
  const bytes = bodies.reduce((sum, { length }) => sum + length, sent.bytes);
  sent = { uploads: sent.uploads + bodies.length, bytes };
};

/** The transport, with what goes up counted. */
const counted = (transport: Transport): Transport => ({
  ...transport,
  changeChannel(signer, channel, request) {
    count([{ length: (request.entry.length * 3) / 4 }]);
    return transport.changeChannel(signer, channel, request);
  },
  connect(signer, listener) {
    const connection = transport.connect(signer, listener);
    return {
      ...connection,
      send(envelopes) {
        count(envelopes.map(({ body }) => body));
        return connection.send(envelopes);
      },
      post(posts) {
        count(posts.map(({ body }) => body));
        return connection.post(posts);
      },
    };
  },
});

const until = (test: (snapshot: EngineSnapshot) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      if (!test(engine.getSnapshot())) return;
      clearTimeout(late);
      stop();
      resolve();
    };
    const late = setTimeout(() => reject(new Error('the engine did not get there')), PATIENCE_MS);
    const stop = engine.subscribe(look);
    look();
  });

const settled = () =>
  until(({ connection, catchingUp, unsent }) => connection === 'online' && !catchingUp && unsent === 0);

/** From what somebody asks for until the relay has all that follows. */
const take = async (work: () => Promise<unknown>): Promise<Took> => {
  sent = { uploads: 0, bytes: 0 };
  longest = 0;
  const start = performance.now();
  await work();
  await settled();
  const ms = performance.now() - start;
  await new Promise((resolve) => setTimeout(resolve, 100));
  return { ms, ...sent, longest };
};

/** Opens the engine in this page, with a new account where a link is given; how others reach it. */
export const open = async (link?: Link): Promise<Contact> => {
  const transport = counted(createTransport({ origin: location.origin }));
  engine = await createEngine({ store: await openStore(), transport });
  if (link?.invite) {
    const { invite } = link;
    await engine.register({ link: { invite }, handle: 'bench' as Handle, name: 'Bench' });
  }
  await settled();
  return engine.getSnapshot().contact!;
};

export const close = () => engine.close();

/** People that this account knows of, with whom there is no conversation. */
export const meet = async (contacts: readonly Contact[]): Promise<void> => {
  await engine.close();
  const model = await openModel(await openVault(await openStore()));
  await model.change((draft) => {
    for (const contact of contacts) {
      const row = { ...contact, verified: true, chain: [], devices: [], introduced: false };
      draft.put('contact', row, contact.account);
    }
  });
  model.store.close();
  await open();
};

export const befriend = (contact: Contact) => engine.addContact(contact);

export const make = (id: ConversationId, title: string, members: readonly Contact[]): Promise<Took> =>
  take(() => engine.createGroup({ id, title, members: members.map(({ account }) => account) }));

export const add = (id: ConversationId, { account }: Contact): Promise<Took> =>
  take(() => engine.addMembers(id, [account]));

export const remove = (id: ConversationId, { account }: Contact): Promise<Took> =>
  take(() => engine.removeMembers(id, [account]));

/** So many texts, each when the one before is with the relay. */
export const write = async (id: ConversationId, texts: number): Promise<Took> => {
  const all: Took = { ms: 0, uploads: 0, bytes: 0, longest: 0 };
  for (let n = 0; n < texts; n += 1) {
    sent = { uploads: 0, bytes: 0 };
    longest = 0;
    const start = performance.now();
    await engine.send(id, `text ${n} ${'.'.repeat(100)}`);
    await settled();
    all.ms += performance.now() - start;
    all.uploads += sent.uploads;
    all.bytes += sent.bytes;
    all.longest = Math.max(all.longest, longest);
  }
  return all;
};

/** Opens the engine and takes in all that waits; `count`: how many texts of a conversation. */
export const receive = async (id: ConversationId, texts: number): Promise<number> => {
  const transport = counted(createTransport({ origin: location.origin }));
  engine = await createEngine({ store: await openStore(), transport });
  await until(({ connection }) => connection === 'online');
  const start = performance.now();
  await until(({ conversations }) => {
    const row = conversations.find((one) => one.id === id);
    return (row?.unread ?? 0) >= texts;
  });
  return performance.now() - start;
};

const openBare = (): Promise<IDBDatabase> =>
  new Promise((resolve, reject) => {
    const request = indexedDB.open('bare', 1);
    request.addEventListener('upgradeneeded', () => request.result.createObjectStore('rows'));
    request.addEventListener('success', () => resolve(request.result));
    request.addEventListener('error', () => reject(request.error ?? new Error('no database')));
  });

const store = (db: IDBDatabase, rows: readonly Uint8Array[]): Promise<void> =>
  new Promise((resolve, reject) => {
    const transaction = db.transaction('rows', 'readwrite', { durability: 'strict' });
    for (const row of rows) transaction.objectStore('rows').put(row, crypto.randomUUID());
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('error', () => reject(transaction.error ?? new Error('not stored')));
  });

/**
 * So many hand-overs with nothing but the calls: a message of a ratchet and an HPKE seal for each, and the bytes stored
 * by fifties. In ms.
 */
export const bareHandOvers = async (handOvers: number): Promise<number> => {
  const db = await openBare();
  const pair = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits']);
  const peer = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const chain = await crypt.importHkdf();
  const start = performance.now();
  for (let from = 0; from < handOvers; from += BATCH) {
    const rows: Uint8Array[] = [];
    for (let at = from; at < Math.min(from + BATCH, handOvers); at += 1) {
      const { sealed } = await crypt.sendMessage(chain, crypt.random(1024));
      await crypt.hpkeSeal(peer, sealed);
      rows.push(sealed);
    }
    await store(db, rows);
  }
  const ms = performance.now() - start;
  db.close();
  return ms;
};
