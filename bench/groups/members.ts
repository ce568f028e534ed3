// Accounts that somebody can write to: made and registered as the engine does, without ever connecting.
import { RelayError } from '../../packages/contract/src/errors.ts';
import type { ConversationId, Handle } from '../../packages/contract/src/ids.ts';
import { parseLink } from '../../packages/contract/src/link.ts';
import { confirm, prepare } from '../../packages/engine/src/account/registration.ts';
import { createEngine } from '../../packages/engine/src/engine.ts';
import { openModel } from '../../packages/engine/src/model.ts';
import type { Engine, EngineSnapshot } from '../../packages/engine/src/views.ts';
import { openVault } from '../../packages/engine/src/vault.ts';
import { createMemoryDisk } from '../../packages/store-memory/src/memory-store.ts';
import { createTransport } from '../../packages/transport/src/transport.ts';

const AT_ONCE = 2;
const PATIENCE_MS = 300_000;

export type Contact = NonNullable<EngineSnapshot['contact']>;

export interface Member {
  contact: Contact;
  /** Its engine, on what it was registered with. */
  start(): Promise<Engine>;
}

const makeMember = async (origin: string, invite: () => Promise<string>, name: string): Promise<Member> => {
  const disk = createMemoryDisk();
  const store = await openVault(disk.open());
  const model = await openModel(store);
  const { invite: secret } = parseLink(await invite())!;
  const wish = { link: { invite: secret! }, handle: name as Handle, name };
  await prepare(model, wish, Date.now());
  const transport = createTransport({ origin });
  for (;;) {
    try {
      await confirm(model, transport, Date.now());
      break;
    } catch (error) {
      if (!(error instanceof RelayError && error.code === 'busy')) throw error;
    }
  }
  const { account, handle, delivery } = model.self!;
  const contact = { account, handle, token: delivery } as Contact;
  return {
    contact,
    start: () => createEngine({ store: disk.open(), transport: createTransport({ origin }) }),
  };
};

/** So many of them. They have signed prekeys and no one-time ones. */
export const makeMembers = async (
  origin: string,
  invite: () => Promise<string>,
  count: number,
): Promise<Member[]> => {
  const members: Member[] = [];
  for (let from = 0; from < count; from += AT_ONCE) {
    const size = Math.min(AT_ONCE, count - from);
    const some = Array.from({ length: size }, (_, at) => makeMember(origin, invite, `member_${from + at}`));
    members.push(...(await Promise.all(some)));
  }
  return members;
};

/** Resolves with the first snapshot that passes. */
export const until = (engine: Engine, test: (snapshot: EngineSnapshot) => boolean): Promise<EngineSnapshot> =>
  new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('an engine did not get there')), PATIENCE_MS);
    const look = (): void => {
      const snapshot = engine.getSnapshot();
      if (!test(snapshot)) return;
      clearTimeout(late);
      stop();
      resolve(snapshot);
    };
    const stop = engine.subscribe(look);
    look();
  });

/** Writes so many texts where the engine can, and ends when the relay has them. */
export const write = async (engine: Engine, id: ConversationId, count: number): Promise<void> => {
  for (let n = 0; n < count; n += 1) await engine.send(id, `text ${n} ${'.'.repeat(100)}`);
  await until(engine, ({ unsent }) => unsent === 0);
};
