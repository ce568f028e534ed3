// People who write to the receiver: engines in this process, with what they store in memory.
import type { AccountId, ConversationId, Handle } from '../../packages/contract/src/ids.ts';
import { parseLink } from '../../packages/contract/src/link.ts';
import { createEngine } from '../../packages/engine/src/engine.ts';
import type { Engine, EngineSnapshot } from '../../packages/engine/src/views.ts';
import { createMemoryDisk } from '../../packages/store-memory/src/memory-store.ts';
import { createTransport } from '../../packages/transport/src/transport.ts';
import { newText } from './rows.ts';

const PATIENCE_MS = 300_000;
type Contact = NonNullable<EngineSnapshot['contact']>;

const until = (engine: Engine, test: (snapshot: EngineSnapshot) => boolean): Promise<void> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('a sender did not get there')), PATIENCE_MS);
    const look = (): void => {
      if (!test(engine.getSnapshot())) return;
      clearTimeout(late);
      stop();
      resolve();
    };
    const stop = engine.subscribe(look);
    look();
  });

export interface Senders {
  accounts: AccountId[];
  /** The receiver has answered all of them. */
  answered(): Promise<void>;
  /** Writes so many messages in all, in runs, and waits until the relay has them. */
  write(count: number, run: number): Promise<void>;
  close(): Promise<void>;
}

/** Engines with an account each, which have written to the receiver once. */
export const openSenders = async (
  origin: string,
  invite: () => Promise<string>,
  receiver: Contact,
  count: number,
): Promise<Senders> => {
  const stamp = Date.now().toString(36).slice(-6);
  const id = receiver.account as unknown as ConversationId;
  const engines: Engine[] = [];
  for (let at = 0; at < count; at += 1) {
    const engine = await createEngine({
      store: createMemoryDisk().open(),
      transport: createTransport({ origin }),
    });
    engines.push(engine);
    const { invite: secret } = parseLink(await invite())!;
    const handle = `sender_${stamp}_${at}` as Handle;
    await engine.register({ link: { invite: secret! }, handle, name: `Sender ${at}` });
    await engine.addContact(receiver);
    await engine.send(id, 'hello');
  }
  return {
    accounts: engines.map((engine) => engine.getSnapshot().me!.account),
    async answered() {
      for (const engine of engines)
        await until(engine, ({ conversations }) =>
          conversations.some(({ last }) => last?.text === 'welcome'),
        );
    },
    async write(total, run) {
      for (let sent = 0, at = 0; sent < total; sent += run, at += 1) {
        const engine = engines[at % engines.length]!;
        for (let n = 0; n < run; n += 1) await engine.send(id, newText());
        await until(engine, ({ unsent }) => unsent === 0);
      }
    },
    async close() {
      await Promise.all(engines.map((engine) => engine.close()));
    },
  };
};
