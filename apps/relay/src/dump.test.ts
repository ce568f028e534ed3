import { readdirSync, readFileSync } from 'node:fs';
import { join as joinPath } from 'node:path';
import { createClient } from '@redis/client';
import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { makePrekeys } from '@sotto/crypto/prekeys';
import type { RegisterRequest } from '@sotto/contract/rest/accounts';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addDevice,
  call,
  connect,
  createDevice,
  envelopeFor,
  idBytesOf,
  randomId,
  signIn,
  type TestDevice,
  wirePrekey,
} from '../test/device.ts';
import { eventually } from '../test/harness.ts';
import { startMailServer, type MailServer } from '../test/mail-server.ts';
import { METRICS_TOKEN, prepareRelay, type RelayProcess } from '../test/process.ts';
import { startRedis } from '../test/redis.ts';
import { findCluster } from './postgres/launcher.ts';
import { inviteId } from './services/invites.ts';

/**
 * Every column that there is. A new one fails the test until somebody has thought about whom it tells of whom, when,
 * and whether less would do.
 */
const COLUMNS: Record<string, string[]> = {
  account: ['created_at: midnight', 'delivery', 'handle', 'head', 'id', 'skeleton'],
  // `day`: whole days.
  chain_event: ['account', 'day', 'event', 'index'],
  channel: ['epoch', 'id', 'link_epoch', 'link_hash', 'link_preview', 'log_bytes'],
  channel_entry: ['channel', 'entry', 'epoch'],
  // `joined`: that somebody agreed, and not when.
  channel_member: ['account', 'admin', 'channel', 'joined'],
  // Tells who has the id of an account that it was deleted, and nobody when.
  deleted_account: ['hash'],
  device: [
    'account',
    'created_at: midnight',
    'id',
    'removed_at: midnight',
    // By the device's own word, in what it signed.
    'sealing_created_at',
    'sealing_id',
    'sealing_public_key',
    'sealing_signature',
    'signing_key',
  ],
  email_code: ['expires_at: moment', 'hash', 'request', 'tries'],
  // `at`: milliseconds, as every screen orders by it. `acked_day`: whole days, as receipts follow acks.
  envelope: ['acked_day', 'at', 'body', 'device', 'id', 'post', 'request', 'seq'],
  invite: ['expires_at: midnight', 'id', 'used'],
  phone_sign_in: ['expires_at: moment', 'id'],
  post: ['body', 'channel', 'seq'],
  prekey: ['created_at', 'device', 'expires_at', 'id', 'kind', 'public_key', 'signature'],
  // On which a relay ran.
  relay_day: ['day'],
  token_key: ['created_at: moment', 'jwk', 'kid'],
};
/** Of the migrations: nothing of people. */
const OWN = ['_prisma_migrations'];

const ADDRESS = 'unmistakable.person@mail.example.org';
const FROM = '203.0.113.77';
const [WAITING, ACKED, LIVE, POST, NAME] = ['waits', 'was-read', 'types', 'to-all', 'was-asked'].map(
  (word) => `the marmalade ${word}`,
);

let mails: MailServer;
let redis: Awaited<ReturnType<typeof startRedis>>;
let relay: RelayProcess;
let pool: pg.Pool;
let [alice, bob, carol]: TestDevice[] = [];
let gone: TestDevice;
/** What nobody may find, by name. */
const secrets = new Map<string, string>();
const codes: string[] = [];
const sources = new Map<string, Buffer>();
const tables = new Map<string, Record<string, unknown>[]>();

const ask = (method: string, path: string, options: { body?: unknown; token?: string } = {}) =>
  call(relay.port, method, path, { ...options, headers: { 'x-forwarded-for': FROM } });
const must = async (...args: Parameters<typeof ask>) => {
  const answer = await ask(...args);
  if (answer.status >= 300) throw new Error(`${args[1]}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const register = async (invite: string | undefined, address: string): Promise<TestDevice> => {
  const { request } = await must('POST', '/v1/verifications/email', { body: { address } });
  const code = await eventually(() => mails.codeFor(address));
  codes.push(code);
  secrets.set(`the request of ${address}`, String(request));
  const keys = await createDevice((invite ?? randomId()) as never);
  const body: RegisterRequest = {
    ...keys.registration,
    handle: `dumped_${codes.length}` as never,
    verification: { email: { address, request: String(request), code } },
  };
  await must('POST', '/v1/accounts', { body });
  const { body: signed } = await signIn(relay.port, keys);
  const token = String(signed['token']);
  secrets.set(`the token of ${address}`, token).set(`the delivery token of ${address}`, keys.delivery);
  secrets.set(`the invite of ${address}`, keys.registration.invite!);
  return { ...keys, token };
};
const invited = async ({ token }: TestDevice): Promise<string> => {
  const secret = randomId(16);
  await must('PUT', `/v1/invites/${inviteId(secret as never)}`, { token });
  return secret;
};

const filesBelow = (folder: string): [string, Buffer][] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => joinPath(entry.parentPath, entry.name))
    // Of the running server's, some come and go.
    .flatMap((name): [string, Buffer][] => {
      try {
        return [[name, readFileSync(name)]];
      } catch {
        return [];
      }
    });

/** Everything that people do here; then all that is left of it. */
beforeAll(async () => {
  [mails, redis] = await Promise.all([startMailServer(), startRedis()]);
  relay = await prepareRelay({
    LOG_LEVEL: 'trace',
    REDIS_URL: redis.url,
    REGISTRATION: 'invite,email',
    SMTP_URL: mails.url,
    MAIL_FROM: 'relay@example.org',
    TRUST_PROXY: '127.0.0.1',
  });
  await relay.start();
  pool = new pg.Pool({ ...findCluster(relay.dataFolder), max: 2 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));

  const first = randomId(16);
  await pool.query(
    `INSERT INTO invite (id, expires_at) VALUES ($1, date_trunc('day', now()) + interval '7 days')`,
    [idBytesOf(inviteId(first as never))],
  );
  alice = await register(first, ADDRESS);
  bob = await register(await invited(alice), `second.${ADDRESS}`);
  carol = await register(await invited(alice), `third.${ADDRESS}`);
  gone = await register(await invited(bob), `gone.${ADDRESS}`);
  // Asked for and not used; guessed wrongly.
  const open = await invited(bob);
  secrets.set('an open invite', open);
  await must('POST', '/v1/invites/check', { body: { invite: open } });
  const { request } = await must('POST', '/v1/verifications/email', { body: { address: `open.${ADDRESS}` } });
  codes.push(await eventually(() => mails.codeFor(`open.${ADDRESS}`)));
  const wrong = {
    ...(await createDevice(open as never)).registration,
    verification: { email: { address: `open.${ADDRESS}`, request: String(request), code: '000000' } },
  };
  await ask('POST', '/v1/accounts', { body: wrong });

  const second = await addDevice(relay.port, alice);
  secrets.set('the token of a second device', second.token);
  const owner = { account: bob.account, device: bob.device, signing: bob.signing.privateKey };
  const made = await makePrekeys({ ...owner, kind: 'one-time', firstId: 1, count: 3, createdAt: Date.now() });
  await must('PUT', '/v1/prekeys', {
    token: bob.token,
    body: { oneTime: made.map(wirePrekey), pqOneTime: [] },
  });
  await must('POST', `/v1/accounts/${bob.account}/bundles`, {
    token: alice.token,
    body: { devices: [bob.device] },
  });
  await ask('GET', `/v1/handles/nobody_${LIVE!.length}`, { token: alice.token });

  const channel = randomId();
  const members = [alice, bob, carol].map(({ account, delivery }, n) => ({
    account,
    admin: n === 0,
    token: delivery,
  }));
  const creation = { channel, id: randomId(), entry: toBase64url(Buffer.from(NAME!)), members };
  await must('POST', '/v1/channels', { token: alice.token, body: creation });

  const [a, b] = [alice, bob].map(({ token }) => connect(relay.port, { token }, { from: FROM }));
  await eventually(() => expect([a!.socket.connected, b!.socket.connected]).toEqual([true, true]));
  const text = (marker: string) => Buffer.from(marker);
  const read = envelopeFor(bob.device, text(ACKED!));
  const { token: _, ...stranger } = envelopeFor(carol.device, text(WAITING!));
  a!.socket.emit('send', {
    envelopes: [read, envelopeFor(carol.device, text(WAITING!)), stranger],
  });
  a!.socket.emit('post', { posts: [{ id: randomId(), channel, epoch: 0, body: text(POST!) } as never] });
  a!.socket.emit('live', {
    envelopes: [{ device: bob.device, token: bob.delivery, body: text(LIVE!) } as never],
    posts: [{ channel, body: text(LIVE!) } as never],
  });
  await eventually(() => expect(a!.seen.results.filter((result) => 'at' in result)).toHaveLength(4));
  await eventually(() => expect(b!.seen.live.length).toBeGreaterThan(0));
  await eventually(() => expect(b!.seen.delivered.map(({ id }) => id)).toContain(read.id));
  b!.socket.emit('ack', { ids: [read.id] });
  await eventually(async () => {
    const { rows } = await pool.query('SELECT FROM envelope WHERE acked_day IS NOT NULL');
    expect(rows).toHaveLength(1);
  });
  // What goes wrong is logged.
  (a!.socket as unknown as { emit: (name: string, value: unknown) => void }).emit(
    `nonsense ${LIVE}`,
    ADDRESS,
  );
  await ask('POST', '/v1/accounts', { body: { handle: ADDRESS } });
  await ask('POST', '/v1/envelopes', { token: `${alice.token}x`, body: { envelopes: [ADDRESS] } });
  await must('DELETE', `/v1/devices/${second.device}`, { token: alice.token });
  await must('DELETE', '/v1/account', { token: gone.token });
  // Nothing says more in a log than what nobody foresaw.
  await pool.query(`ALTER TABLE invite RENAME TO elsewhere;
    CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      RAISE EXCEPTION USING MESSAGE = encode(NEW.body, 'hex'), DETAIL = encode(NEW.device, 'hex');
    END $$;
    CREATE TRIGGER tell BEFORE INSERT ON envelope FOR EACH ROW EXECUTE FUNCTION tell()`);
  await ask('POST', '/v1/invites/check', { body: { invite: open } });
  await ask('POST', '/v1/accounts', { body: { ...wrong, verification: undefined } });
  const lost = envelopeFor(bob.device, text(ACKED!));
  a!.socket.emit('send', { envelopes: [lost] });
  await eventually(() => expect(a!.seen.results.at(-1)).toEqual({ id: lost.id, code: 'internal' }));
  await pool.query('ALTER TABLE elsewhere RENAME TO invite; DROP FUNCTION tell CASCADE');

  const named = await pool.query<{ name: string }>(
    "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'",
  );
  for (const { name } of named.rows) {
    const { rows } = await pool.query<Record<string, unknown>>(`SELECT * FROM "${name}"`);
    tables.set(name, rows);
    const rowTexts = await pool.query<{ row: string }>(`SELECT t::text AS row FROM "${name}" AS t`);
    sources.set(`table ${name}`, Buffer.from(rowTexts.rows.map(({ row }) => row).join('\n')));
  }
  // So that rows lie in their tables whole.
  await pool.query('CHECKPOINT');
  for (const [name, bytes] of filesBelow(relay.dataFolder)) sources.set(name, bytes);
  sources.set('output', Buffer.from(relay.state.output));
  const headers = { authorization: `Bearer ${METRICS_TOKEN}` };
  const metrics = await fetch(`http://127.0.0.1:${relay.port}/metrics`, { headers });
  sources.set('metrics', Buffer.from(await metrics.text()));

  const client = await createClient({ url: redis.url }).connect();
  const keys = await client.keys('*');
  const values = await Promise.all(keys.map((key) => client.get(key)));
  expect(keys.length).toBeGreaterThan(0);
  sources.set('redis', Buffer.from(keys.map((key, n) => `${key} ${values[n]}`).join('\n')));
  client.destroy();
  for (const { close } of [a!, b!]) close();
}, 120_000);
afterAll(async () => {
  await pool.end();
  await relay.stop();
  await redis.stop();
  await mails.stop();
});

/** Every spelling under which bytes could stand somewhere. */
const spellings = (bytes: Buffer): Buffer[] => [
  bytes,
  ...(['base64url', 'base64', 'hex'] as const).map((encoding) =>
    Buffer.from(bytes.toString(encoding).replace(/=+$/, '')),
  ),
  Buffer.from(bytes.toString('hex').toUpperCase()),
];
const find = (needles: Iterable<readonly [string, Buffer[]]>, where: (name: string) => boolean): string[] =>
  [...needles].flatMap(([what, forms]) =>
    [...sources].flatMap(([name, bytes]) =>
      where(name) && forms.some((form) => bytes.includes(form)) ? [`${what} in ${name}`] : [],
    ),
  );
const everywhere = () => true;
const outside = (name: string) => ['output', 'metrics', 'redis'].includes(name) || name.endsWith('.log');

describe('I: what a relay keeps', () => {
  it('has these columns and no others, with times no finer than this', async () => {
    const { rows } = await pool.query<{ table: string; column: string; type: string }>(
      `SELECT table_name AS table, column_name AS column, data_type AS type
       FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2`,
    );
    const found: Record<string, string[]> = {};
    for (const { table, column, type } of rows) {
      if (OWN.includes(table)) continue;
      const said = COLUMNS[table]?.find((name) => name.startsWith(`${column}:`));
      (found[table] ??= []).push(type.startsWith('timestamp') && said ? said : column);
      if (type.startsWith('timestamp')) expect(said, `${table}.${column} is a moment`).toBeDefined();
      if (said?.endsWith('midnight'))
        for (const row of tables.get(table)!)
          if (row[column]) expect(Number(row[column] as Date) % 86_400_000, `${table}.${column}`).toBe(0);
    }
    for (const columns of Object.values(found)) columns.sort();
    expect(found).toEqual(COLUMNS);
  });

  it('holds no address, code, token or secret of an invite, in any table, file, key, line or figure', () => {
    // What has to be there is found: the search works, also within the files.
    const kept = new Map([['the mark of a waiting body', [Buffer.from(WAITING!)]]]);
    expect(find(kept, (name) => name.includes('/base/')).length).toBeGreaterThan(0);
    expect(find(new Map([['a device', spellings(idBytesOf(bob!.device))]]), everywhere)).toContain(
      'a device in table device',
    );
    expect(sources.get('output')!.toString()).toContain('an unexpected error');

    expect(secrets.size).toBeGreaterThan(12);
    const needles: [string, Buffer[]][] = [...secrets].map(([name, secret]) => [
      name,
      // An access token is text; the others are bytes as well.
      secret.includes('.')
        ? [Buffer.from(secret)]
        : [Buffer.from(secret), ...spellings(Buffer.from(fromBase64url(secret)))],
    ]);
    const mailbox = Buffer.from('unmistakable.person');
    needles.push([
      'an address',
      [mailbox, Buffer.from(mailbox.toString('utf16le')), ...spellings(mailbox).slice(3)],
    ]);
    needles.push(['where somebody is', [Buffer.from(FROM), Buffer.from([203, 0, 113, 77])]]);
    expect(find(needles, everywhere)).toEqual([]);
    // Six digits stand by chance in many a file.
    for (const [name, bytes] of sources)
      if (name.startsWith('table') || outside(name))
        for (const code of codes)
          expect(bytes.toString('latin1'), name).not.toMatch(new RegExp(`\\b${code}\\b`));
  });

  it('holds no word of what was read or live, and of what waits in its row alone', () => {
    const marks = [ACKED, LIVE].map((word): [string, Buffer[]] => [word!, spellings(Buffer.from(word!))]);
    expect(find(marks, (name) => name.startsWith('table') || outside(name))).toEqual([]);
    expect(find(marks.slice(1), everywhere)).toEqual([]);
    const waiting = [WAITING, POST, NAME].map((word): [string, Buffer[]] => [
      word!,
      spellings(Buffer.from(word!)),
    ]);
    const found = find(waiting, (name) => name.startsWith('table') || outside(name));
    expect(found.toSorted()).toEqual(
      [
        `${NAME} in table channel_entry`,
        `${NAME} in table post`,
        `${POST} in table post`,
        `${WAITING} in table envelope`,
      ].toSorted(),
    );
  });

  it('tells outside of its tables of nobody at all', () => {
    const people = [alice, bob, carol, gone].flatMap((person): [string, Buffer[]][] => [
      ['an account', spellings(idBytesOf(person!.account))],
      ['a device', spellings(idBytesOf(person!.device))],
      ['a handle', [Buffer.from('dumped_')]],
    ]);
    expect(find(people, outside)).toEqual([]);
    // Who went has left nothing.
    const went = people.slice(-3, -1);
    expect(find(went, (name) => name.startsWith('table'))).toEqual([]);
  });

  it('has no way from a row to who sent it', () => {
    const sender = [alice!.account, alice!.device, alice!.delivery].map(idBytesOf);
    sender.push(Buffer.from(alice!.chain.head), idBytesOf(inviteId(alice!.registration.invite!)));
    const values = (row: Record<string, unknown>) =>
      Object.entries(row).map(([name, value]): [string, Buffer] => [
        name,
        value instanceof Buffer ? value : Buffer.from(JSON.stringify(value)),
      ]);
    const direct = tables.get('envelope')!.filter(({ post }) => post === null);
    expect(direct).toHaveLength(3);
    for (const row of direct)
      for (const [name, value] of values(row))
        for (const id of sender) expect(value.includes(id), `envelope.${name}`).toBe(false);
    for (const row of tables.get('post')!)
      for (const [name, value] of values(row))
        for (const id of sender) expect(value.includes(id), `post.${name}`).toBe(false);
    // The sender's own copy of a post is like that of the others but for the device.
    const copies = new Map<unknown, Record<string, unknown>[]>();
    for (const row of tables.get('envelope')!)
      if (row['post'] !== null) copies.set(row['post'], [...(copies.get(row['post']) ?? []), row]);
    expect(copies.size).toBe(2);
    for (const rows of copies.values()) {
      expect(rows.length).toBeGreaterThanOrEqual(3);
      for (const { device: _device, seq: _seq, ...rest } of rows) {
        const { device, seq, ...first } = rows[0]!;
        expect(rest).toEqual(first);
      }
    }
  });
});
