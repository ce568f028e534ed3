// Runs in a page of Chromium as `lab`: makes the store, and measures the app's worker without the app's page.
import type { Link } from '../../packages/contract/src/link.ts';
import type { AccountId, ConversationId, Handle } from '../../packages/contract/src/ids.ts';
import { createEngine } from '../../packages/engine/src/engine.ts';
import { openModel } from '../../packages/engine/src/model.ts';
import type { Write } from '../../packages/engine/src/ports.ts';
import { connect } from '../../packages/engine/src/remote/client.ts';
import { indexSome } from '../../packages/engine/src/search/indexing.ts';
import { openVault } from '../../packages/engine/src/vault.ts';
import type { Engine, EngineSnapshot } from '../../packages/engine/src/views.ts';
import { openStore } from '../../packages/store-idb/src/open-store.ts';
import { createTransport } from '../../packages/transport/src/transport.ts';
import * as crypt from '../bare.ts';
import { median } from '../measure.ts';
import {
  bareBack,
  bareLast,
  bareList,
  bareRows,
  bareUnread,
  clearBare,
  openBare,
  writeBare,
} from './bare.ts';
import { COMMON, makeRows, newId, newText, RARE, type Size } from './rows.ts';

const CHUNK = 2000;
const INDEXED_AT_ONCE = 5000;
const BACK_PAGES = 20;
const PATIENCE_MS = 60_000;

let engine: Engine | undefined;

const until = (from: Engine, test: (snapshot: EngineSnapshot) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const look = (): void => {
      if (!test(from.getSnapshot())) return;
      clearTimeout(late);
      stop();
      resolve();
    };
    const late = setTimeout(() => {
      const { conversations, ...rest } = from.getSnapshot();
      reject(
        new Error(`the engine stays at ${JSON.stringify({ ...rest, conversations: conversations.length })}`),
      );
    }, PATIENCE_MS);
    const stop = from.subscribe(look);
    look();
  });

/** Opens the engine in this page, with a new account where a link is given; who others write to. */
export const open = async (link?: Link): Promise<NonNullable<EngineSnapshot['contact']>> => {
  const transport = createTransport({ origin: location.origin });
  engine = await createEngine({ store: await openStore(), transport });
  if (link?.invite) {
    const { invite } = link;
    await engine.register({ link: { invite }, handle: 'receiver' as Handle, name: 'Receiver' });
  }
  await until(engine, ({ connection, catchingUp }) => connection === 'online' && !catchingUp);
  return engine.getSnapshot().contact!;
};

/** Answers everybody who has written, so that their sessions stand. */
export const answer = async (accounts: readonly AccountId[]): Promise<void> => {
  const ids = accounts as unknown as ConversationId[];
  await until(engine!, ({ conversations }) => {
    const known = new Set(conversations.filter(({ last }) => last).map(({ id }) => id));
    return ids.every((id) => known.has(id));
  });
  for (const id of ids) {
    await engine!.markRead(id);
    await engine!.send(id, 'welcome');
  }
};

export const close = async (): Promise<void> => {
  await until(engine!, ({ unsent }) => unsent === 0);
  await engine!.close();
};

/** Puts the rows into the sealed store and the bare database; in ms what each took, and the index. */
export const fill = async (size: Size): Promise<{ sealed: number; bare: number; indexed: number }> => {
  const store = await openVault(await openStore());
  const model = await openModel(store);
  const { account, device } = model.self!;
  await clearBare();
  const db = await openBare();
  const { contacts, conversations, messages } = makeRows({ account, device }, size, Date.now());
  const took = { sealed: 0, bare: 0, indexed: 0 };
  const timed = async (what: keyof typeof took, work: () => Promise<unknown>): Promise<void> => {
    const start = performance.now();
    await work();
    took[what] += performance.now() - start;
  };
  await store.commit([
    ...contacts.map((put): Write => ({ table: 'contact', put })),
    ...conversations.map((put): Write => ({ table: 'conversation', put })),
  ]);
  await writeBare(db, { contact: contacts, conversation: conversations });
  const all = messages[Symbol.iterator]();
  for (;;) {
    const chunk = Array.from({ length: CHUNK }, () => all.next().value!).filter(Boolean);
    if (chunk.length === 0) break;
    await timed('sealed', () => store.commit(chunk.map((put): Write => ({ table: 'message', put }))));
    await timed('bare', () => writeBare(db, { message: chunk }));
  }
  await timed('indexed', async () => {
    while (await indexSome(model, INDEXED_AT_ONCE));
  });
  store.close();
  db.close();
  return took;
};

let worker: Worker | undefined;

/** The relay's policy takes no plain text for a script, and a policy of no other name. */
const { trustedTypes } = globalThis as unknown as {
  trustedTypes: { createPolicy(name: string, rules: object): { createScriptURL(url: string): string } };
};
const policy = trustedTypes.createPolicy('sotto', { createScriptURL: (url: string) => url });

/** The app's own worker, as its page starts it. */
const start = async (url: string): Promise<Engine> => {
  worker = new Worker(policy.createScriptURL(url), { type: 'module', name: 'engine' });
  const opened = await connect<Engine>(worker);
  await until(opened, ({ catchingUp, connection }) => connection === 'online' && !catchingUp);
  return opened;
};

const timeOf = async (work: () => Promise<unknown>): Promise<number> => {
  const before = performance.now();
  await work();
  return performance.now() - before;
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** In ms: Sotto's and the reference's. */
export type Times = Record<string, { value: number; reference: number }>;

const byTurns = async (
  rounds: number,
  ours: (round: number) => Promise<number>,
  theirs: (round: number) => Promise<number>,
) => {
  const values: number[] = [];
  const references: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    values.push(await ours(round));
    references.push(await theirs(round));
  }
  return { value: median(values), reference: median(references) };
};

/** The median time of reading the rows of the list. */
export const listReference = async (rounds: number): Promise<number> => {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) times.push(await timeOf(bareList));
  return median(times);
};

/** Opening conversations and reading back, through the worker. */
export const reads = async (url: string, rounds: number): Promise<Times> => {
  const opened = await start(url);
  await pause(1500);
  const db = await openBare();
  // Both have the same conversations.
  const { conversations } = await bareList();
  const ids = conversations.map(({ id }) => id as ConversationId);
  const large = conversations.toSorted((a, b) => b.unread - a.unread)[0]!.id as ConversationId;
  const unread = conversations.filter((row) => row.unread > 0).map(({ id }) => id as ConversationId);
  const openAt = (id: ConversationId, at: 'last' | 'unread') => async () => {
    const view = await opened.openConversation(id, { at });
    await view!.close();
  };
  const some = (list: ConversationId[], round: number) => list[(round * 7) % list.length]!;
  const last = await byTurns(
    rounds,
    (round) => timeOf(openAt(some(ids, round), 'last')),
    (round) => timeOf(() => bareLast(db, some(ids, round + 3))),
  );
  const first = await byTurns(
    rounds,
    (round) => timeOf(openAt(round % 2 ? large : some(unread, round), 'unread')),
    (round) => timeOf(() => bareUnread(db, round % 2 ? large : some(unread, round + 3))),
  );
  const back = await byTurns(
    Math.ceil(rounds / 5),
    async () => {
      const view = (await opened.openConversation(large))!;
      const time = await timeOf(async () => {
        for (let page = 0; page < BACK_PAGES; page += 1) await view.loadOlder();
      });
      await view.close();
      return time;
    },
    () => timeOf(() => bareBack(db, large, BACK_PAGES)),
  );
  await opened.close();
  worker?.terminate();
  db.close();
  return { last, first, back };
};

/** Searches, each first in a worker that has just started and then in the same again. */
export const searches = async (url: string, rounds: number): Promise<Times> => {
  const db = await openBare();
  const words = { common: COMMON, rare: RARE };
  const times: Record<string, number[]> = {};
  const note = (name: string, time: number) => (times[name] ??= []).push(time);
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, word] of Object.entries(words)) {
      const opened = await start(url);
      await pause(500);
      note(`cold, ${name}`, await timeOf(() => opened.search(word)));
      const { hits } = await opened.search(word);
      note(`warm, ${name}`, await timeOf(() => opened.search(word)));
      if (hits.length === 0) throw new Error(`nothing found for ${word}`);
      const keys = hits.map(({ conversation, message }): [string, string] => [conversation, message]);
      const reference = await timeOf(() => bareRows(db, keys));
      note(`reference cold, ${name}`, reference);
      note(`reference warm, ${name}`, await timeOf(() => bareRows(db, keys)));
      await opened.close();
      worker?.terminate();
    }
  }
  db.close();
  const at = (name: string) => ({
    value: median(times[name]!),
    reference: median(times[`reference ${name}`]!),
  });
  return Object.fromEntries(
    ['cold, common', 'warm, common', 'cold, rare', 'warm, rare'].map((name) => [name, at(name)]),
  );
};

/**
 * Taking in so many messages with nothing but the calls: each unsealed and decrypted, each batch stored in one strict
 * transaction with what says that it was seen. Messages a second.
 */
export const receiveReference = async (count: number, batch: number): Promise<number> => {
  const { bareUnsealer } = await prepareUnsealing();
  const db = await openBare();
  const conversation = newId(32);
  const time = await timeOf(async () => {
    for (let from = 0; from < count; from += batch) {
      const messages = Array.from({ length: batch }, (_, at) => ({
        conversation,
        id: newId(),
        order: Date.now() + from + at,
        text: newText(),
      }));
      for (let at = 0; at < batch; at += 1) await bareUnsealer();
      await writeBare(db, { message: messages, seen: messages.map(({ id }) => ({ envelope: id, at: 0 })) });
    }
  });
  db.close();
  return count / (time / 1000);
};

/** One message: HPKE's calls of a recipient, and those of a ratchet. */
const prepareUnsealing = async () => {
  const plaintext = crypt.random(256);
  const sealing = await crypto.subtle.generateKey({ name: 'ECDH', namedCurve: 'P-256' }, false, [
    'deriveBits',
  ]);
  const peer = new Uint8Array(await crypto.subtle.exportKey('raw', sealing.publicKey));
  const chain = await crypt.importHkdf();
  const { iv, sealed } = await crypt.sendMessage(chain, plaintext);
  const bareUnsealer = async (): Promise<void> => {
    await crypt.hpkeSeal(peer, plaintext, sealing.privateKey);
    await crypt.receiveMessage(chain, iv, sealed);
  };
  return { bareUnsealer };
};
