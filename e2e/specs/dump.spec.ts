import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from '../fixtures/test.ts';
import type { Person } from '../fixtures/people.ts';
import { Sotto } from '../pages/sotto.ts';

const DIST = path.resolve(import.meta.dirname, '../../apps/web/dist');

/** Runs in the worker, before its own code: keeps the private half of every key that is made there. */
const keepKeys = (): void => {
  const keys: string[] = [];
  Object.assign(globalThis, { recordedKeys: keys });
  const { subtle } = crypto;
  const generate = subtle.generateKey.bind(subtle);
  subtle.generateKey = (async (
    algorithm: EcKeyGenParams | string,
    extractable: boolean,
    usages: KeyUsage[],
  ) => {
    if (typeof algorithm !== 'string' && algorithm.name.startsWith('AES'))
      return generate(algorithm, extractable, usages);
    const pair = await generate(algorithm as EcKeyGenParams, true, usages);
    // Elliptic keys have a number, ML-KEM keys a seed from which all else follows.
    const format = (typeof algorithm === 'string' ? 'raw-seed' : 'pkcs8') as 'pkcs8';
    const bytes = await subtle.exportKey(format, pair.privateKey);
    const secret =
      format === 'pkcs8'
        ? (await subtle.exportKey('jwk', pair.privateKey)).d!
        : btoa(String.fromCharCode(...new Uint8Array(bytes)));
    keys.push(secret.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, ''));
    const own = pair.privateKey.usages;
    return { ...pair, privateKey: await subtle.importKey(format, bytes, algorithm, false, own) };
  }) as typeof generate;
};

test.use({
  // A copy of the app whose worker tells.
  relayEnv: async ({}, use) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'sotto-web-'));
    await cp(DIST, folder, { recursive: true, filter: (file) => !file.endsWith('.br') });
    const assets = path.join(folder, 'assets');
    const worker = (await readdir(assets)).find((name) => /^engine-worker-.*\.js$/.test(name));
    const script = path.join(assets, worker!);
    await writeFile(script, `(${keepKeys.toString()})();\n${await readFile(script, 'utf8')}`);
    await use({ SOTTO_WEB: folder });
    await rm(folder, { recursive: true, force: true });
  },
});

const recordedKeys = (person: Person): Promise<string[]> =>
  person.page
    .workers()[0]!
    .evaluate(() => (globalThis as unknown as { recordedKeys: string[] }).recordedKeys);

/** Every spelling under which bytes could lie in a database, a file or a log. */
const spellings = (bytes: Buffer): Buffer[] => [
  bytes,
  ...(['base64url', 'base64', 'hex'] as const).map((encoding) =>
    Buffer.from(bytes.toString(encoding).replace(/=+$/, '')),
  ),
  Buffer.from(bytes.toString('hex').toUpperCase()),
];

const filesBelow = async (folder: string): Promise<{ name: string; bytes: Buffer }[]> => {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(
    files.map(async (entry) => {
      const name = path.join(entry.parentPath, entry.name);
      // The database is running: some are gone again.
      const bytes = await readFile(name).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return Buffer.alloc(0);
        throw error;
      });
      return { name, bytes };
    }),
  );
};

test('the database, its files and the logs hold no word, no name, no private key and no sender', async ({
  relay,
  person,
}) => {
  const ann = await person('Annabel Unmistakable');
  const bob = await person('Robert Unmistakable');
  const anns = await Sotto.join(ann, relay.invite, 'ann');
  const bobs = await Sotto.join(bob, await anns.invite(), 'robertson');
  await bobs.open('ann');
  await bobs.send('a rendezvous at the lighthouse');
  await bobs.expectStatus('a rendezvous at the lighthouse', 'Delivered');
  await anns.open('Robert Unmistakable');
  await anns.send('bring the marmalade');
  await anns.expectStatus('bring the marmalade', 'Read');

  // One message waits, so that the dump has a row with its body.
  const [annKeys, bobKeys] = [await recordedKeys(ann), await recordedKeys(bob)];
  await ann.close();
  await bobs.send('the password is xylophone');
  await bobs.expectStatus('the password is xylophone', 'Sent');

  const tables = await relay.query<{ name: string }>(
    `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
  );
  const dump = new Map<string, Record<string, unknown>[]>();
  for (const { name } of tables) dump.set(name, await relay.query(`SELECT * FROM "${name}"`));
  const [waiting] = await relay.query<{ body: Buffer; device: Buffer }>(
    'SELECT body, device FROM envelope WHERE body IS NOT NULL ORDER BY seq DESC LIMIT 1',
  );
  expect(waiting!.body.length).toBeGreaterThan(1000);

  // So that the row lies in its table whole, and not only in the journal in pieces.
  await relay.query('CHECKPOINT');
  const sources = [
    { name: 'log', bytes: Buffer.from(relay.output) },
    { name: 'dump', bytes: Buffer.from(JSON.stringify([...dump])) },
    ...(await filesBelow(relay.dataDir)),
  ];
  // The files are really those of the database: what has to be in there is found.
  expect(sources.some(({ name, bytes }) => name.includes('cluster') && bytes.includes(waiting!.body))).toBe(
    true,
  );

  const texts = ['lighthouse', 'marmalade', 'xylophone', 'Unmistakable', 'rendezvous'];
  const privateKeys = [...annKeys, ...bobKeys];
  expect(privateKeys.length).toBeGreaterThanOrEqual(8);
  const forbidden = [
    ...texts.flatMap((text) => [
      Buffer.from(text),
      Buffer.from(text, 'utf16le'),
      Buffer.from(Buffer.from(text).toString('hex')),
    ]),
    ...privateKeys.flatMap((key) => spellings(Buffer.from(key, 'base64url'))),
  ];
  const found = sources.flatMap(({ name, bytes }) =>
    forbidden
      .filter((needle) => bytes.includes(needle))
      .map((needle) => `${needle.toString('hex')} in ${name}`),
  );
  expect(found).toEqual([]);

  // The waiting message is Bob's, for Ann. Nothing outside the accounts' own rows says Bob.
  const [account] = await relay.query<{ account: Buffer; device: Buffer }>(
    `SELECT account.id AS account, device.id AS device FROM account JOIN device ON device.account = account.id
     WHERE handle = 'robertson'`,
  );
  expect(waiting!.device.equals(account!.device)).toBe(false);
  const bobsNames = [...spellings(account!.account), ...spellings(account!.device), Buffer.from('robertson')];
  const namesBob = (value: unknown): boolean => {
    const bytes = value instanceof Buffer ? value : Buffer.from(JSON.stringify(value) ?? '');
    return bobsNames.some((needle) => bytes.includes(needle));
  };
  const elsewhere = [...dump].flatMap(([name, rows]) =>
    ['account', 'chain_event', 'device'].includes(name)
      ? []
      : rows
          .filter((row) => !(row['device'] instanceof Buffer && row['device'].equals(account!.device)))
          .filter((row) => Object.values(row).some(namesBob))
          .map(() => name),
  );
  expect(elsewhere).toEqual([]);
  expect(namesBob(Buffer.from(relay.output))).toBe(false);
  const columns = await relay.query<{ name: string }>(
    `SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'envelope' ORDER BY 1`,
  );
  const names = ['acked_day', 'at', 'body', 'device', 'id', 'post', 'request', 'seq'];
  expect(columns.map(({ name }) => name)).toEqual(names);
});
