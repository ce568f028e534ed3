// What the page of the lab does when it is told to. Bundled; runs in every engine.
import { openVault, readVault } from '../../packages/engine/src/vault.ts';
import { openReader, openStore } from '../../packages/store-idb/src/open-store.ts';
import { message, put } from '../../packages/store-memory/src/store-case.ts';
import { runStoreCase, STORE_CASES } from '../../packages/store-memory/src/store-suite.ts';
import { begin, control, hasNativeKem, resume, wycheproof } from '../crypto/page.ts';
import { attachment, chain, group, recovery, session } from './crypto-checks.ts';

const storeCase = async (name: string): Promise<void> => {
  const entry = STORE_CASES.find((one) => one.name === name);
  if (!entry) throw new Error('there is no such case');
  const database = `suite ${name}`;
  await runStoreCase(entry, {
    open: () => openStore({ name: database }),
    reader: () => openReader({ name: database }),
  });
};

const SECRET = 'nobody else reads this';

/** Stores a message sealed. What lies in the database then: the fields of the row, whether any holds the text. */
const seal = async () => {
  const raw = await openStore({ name: 'vault' });
  const store = await openVault(raw);
  await store.commit([put(message(1, 'kept', { text: SECRET })), put(message(2, 'other'))]);
  const atRest = (await raw.get('message', ['ann', 'kept'])) as unknown as Record<string, unknown>;
  const bytes = String.fromCharCode(...(atRest['sealed'] as Uint8Array));
  raw.close();
  return { fields: Object.keys(atRest).sort(), shows: (JSON.stringify(atRest) + bytes).includes(SECRET) };
};

/** What is read of it, by the writer and by a reader, and what a row says that was put in the place of another. */
const unseal = async () => {
  const raw = await openStore({ name: 'vault' });
  const store = await openVault(raw);
  const reader = await openReader({ name: 'vault' });
  const texts: (string | undefined)[] = [];
  for (const from of [store, readVault(reader)])
    texts.push((await from.get('message', ['ann', 'kept']))?.text);
  const row = (await raw.get('message', ['ann', 'kept']))!;
  await raw.commit([put({ ...row, id: 'other' })]);
  const moved = await store.get('message', ['ann', 'other']).then(
    () => 'opens',
    (error: { code: string }) => error.code,
  );
  const { extractable } = (await raw.all('vault'))[0]!.key;
  reader.close();
  raw.close();
  return { texts, moved, extractable, secret: SECRET };
};

const WORK = {
  wycheproof,
  hasNativeKem,
  offersKem: () => 'encapsulateKey' in crypto.subtle,
  storeCase,
  seal,
  unseal,
  session,
  group,
  chain,
  attachment,
  recovery,
  begin,
  resume,
  control,
  agent: () => navigator.userAgent,
};

export type Work = typeof WORK;

interface Task {
  name: keyof Work;
  args: unknown[];
}

/** Asks what there is to do, does it and says what came of it, for as long as the page is open. */
const serve = async (): Promise<never> => {
  for (;;) {
    const { name, args } = (await (await fetch('/task')).json()) as Task;
    const outcome = await Promise.resolve()
      .then(() => (WORK[name] as (...args: unknown[]) => unknown)(...args))
      .then(
        (value) => ({ value }),
        (error: unknown) => ({ error: `${String(error)}\n${error instanceof Error ? error.stack : ''}` }),
      );
    await fetch('/outcome', { method: 'POST', body: JSON.stringify(outcome) });
  }
};

void serve();
