// What the relay is measured against: Socket.IO and PostgreSQL with nothing around them. No sign-in, no validation, no bounds;
// the same frames, the same rows, the same COMMIT before the answer.
import { createPublicKey, generateKeyPairSync, randomBytes, sign, verify } from 'node:crypto';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, Socket as Stream } from 'node:net';
import pg from 'pg';
import { Server, type Socket } from 'socket.io';
import * as parser from 'socket.io-msgpack-parser';
import { signInStatement } from '../../packages/crypto/src/sign-in.ts';
import { byteaArray } from './arrays.ts';
import { answerParent } from './probe.ts';

interface Envelope {
  id: string;
  device: string;
  body: Buffer;
}
interface Post {
  id: string;
  channel: string;
  body: Buffer;
}
/** As it is delivered. */
interface Incoming {
  id: string;
  at: number;
  channel?: string;
  body: Buffer;
}

const PAGE = 100;
const DAY = 24 * 60 * 60 * 1000;
const POSTS_MS = 100;
const bytes = (id: string): Buffer => Buffer.from(id, 'base64url');

const encoder = new parser.Encoder() as unknown as { encode: (packet: unknown) => [Buffer] };

/** A whole WebSocket frame with one event in it, to be written to any number of sockets. */
const frame = (event: string, payload?: unknown): Buffer[] => {
  const data = payload === undefined ? [event] : [event, payload];
  const [packet] = encoder.encode({ type: 2, nsp: '/', data });
  const { length } = packet;
  if (length < 126) return [Buffer.from([0x82, length]), packet];
  if (length < 65536) return [Buffer.from([0x82, 126, length >> 8, length & 255]), packet];
  const header = Buffer.alloc(10);
  header.set([0x82, 127]);
  header.writeUInt32BE(length, 6);
  return [header, packet];
};

class Peer {
  readonly device: string;
  readonly #stream: Stream;
  /** What came while the backlog was read. */
  #held: Buffer[] | undefined = [];

  constructor(socket: Socket, device: string) {
    this.device = device;
    this.#stream = (
      socket.conn as unknown as { transport: { socket: { _socket: Stream } } }
    ).transport.socket._socket;
  }

  /** Written in one go at the end of this turn. */
  write(frames: Buffer[]): void {
    if (this.#held) return void this.#held.push(...frames);
    if (this.#stream.writableCorked === 0) {
      this.#stream.cork();
      process.nextTick(() => this.#stream.uncork());
    }
    for (const piece of frames) this.#stream.write(piece);
  }

  begin(backlog: Buffer[]): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    this.write([...backlog, ...held]);
  }
}

const peers = new Map<string, Peer>();
const channels = new Map<string, Set<Peer>>();

const open = async (): Promise<pg.Client> => {
  const client = new pg.Client(process.env['DATABASE_URL']);
  await client.connect();
  return client;
};

/** Ack events that wait to be stored; past it nothing new is taken in, or the queue would grow for ever. */
const ACKS = 10_000;
let acks = 0;
const relieved: (() => void)[] = [];
const behind = async (): Promise<void> => {
  while (acks > ACKS) await new Promise<void>((resolve) => void relieved.push(resolve));
};

/** Runs `work` on all that came since it last began, one run at a time, beginning at the end of a turn. */
const grouped = <T>(work: (batch: T[]) => Promise<void>): ((item: T) => void) => {
  let waiting: T[] = [];
  let running = false;
  const run = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      await work(batch);
    }
    running = false;
  };
  return (item) => {
    waiting.push(item);
    if (running) return;
    running = true;
    setImmediate(() => {
      run().catch((error: unknown) => {
        console.error(error);
        process.exit(1);
      });
    });
  };
};

let last = 0;
const time = (): number => (last = Math.max(Date.now(), last + 1));

/** Those whose id the device had before are left out of what is delivered. */
const withoutKnown = async (client: pg.Client, envelopes: Envelope[], at: number): Promise<Envelope[]> => {
  const { rows } = await client.query<{ device: Buffer; id: Buffer }>(
    'SELECT device, id FROM envelope WHERE at = $1 AND device = ANY($2::bytea[])',
    [at, byteaArray(envelopes.map(({ device }) => bytes(device)))],
  );
  const fresh = new Set(
    rows.map(({ device, id }) => device.toString('base64url') + id.toString('base64url')),
  );
  return envelopes.filter(({ device, id }) => fresh.has(device + id));
};

/** Adds to the list under a key. */
const push = <K, V>(map: Map<K, V[]>, key: K, ...values: V[]): void => {
  const list = map.get(key);
  if (list) list.push(...values);
  else map.set(key, [...values]);
};

const acceptInto = (client: pg.Client) =>
  grouped<{ peer: Peer; envelopes: Envelope[] }>(async (sends) => {
    await behind();
    const envelopes = sends.flatMap((send) => send.envelopes);
    const at = time();
    const { rowCount } = await client.query({
      name: 'accept',
      text: `INSERT INTO envelope (device, id, at, body)
             SELECT device, id, $4::bigint, body FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS u (device, id, body)
             ON CONFLICT (device, id) DO NOTHING`,
      values: [
        byteaArray(envelopes.map(({ device }) => bytes(device))),
        byteaArray(envelopes.map(({ id }) => bytes(id))),
        byteaArray(envelopes.map(({ body }) => body)),
        at,
      ],
    });
    const fresh = rowCount === envelopes.length ? envelopes : await withoutKnown(client, envelopes, at);
    const results = new Map<Peer, { id: string; at: number }[]>();
    for (const { peer, envelopes } of sends) push(results, peer, ...envelopes.map(({ id }) => ({ id, at })));
    const deliveries = new Map<Peer, Incoming[]>();
    for (const { device, id, body } of fresh) {
      const peer = peers.get(device);
      if (peer) push(deliveries, peer, { id, at, body });
    }
    for (const [peer, of] of results) peer.write(frame('accepted', { results: of }));
    for (const [peer, of] of deliveries) peer.write(frame('deliver', { envelopes: of }));
  });

const postInto = (client: pg.Client) =>
  grouped<{ peer: Peer; posts: Post[] }>(async (sends) => {
    await behind();
    const posts = sends.flatMap((send) => send.posts);
    const at = time();
    await client.query({
      name: 'post',
      text: `WITH posts AS (
               SELECT nextval('post_seq_seq') AS seq, channel, id, body
               FROM unnest($1::bytea[], $2::bytea[], $3::bytea[]) AS u (channel, id, body)
             ), stored AS (
               INSERT INTO post (seq, channel, body) SELECT seq, channel, body FROM posts
             )
             INSERT INTO envelope (device, id, at, post)
             SELECT device.id, posts.id, $4::bigint, posts.seq
             FROM posts JOIN channel_member USING (channel) JOIN device USING (account)
             ON CONFLICT (device, id) DO NOTHING`,
      values: [
        byteaArray(posts.map(({ channel }) => bytes(channel))),
        byteaArray(posts.map(({ id }) => bytes(id))),
        byteaArray(posts.map(({ body }) => body)),
        at,
      ],
    });
    for (const { peer, posts } of sends)
      peer.write(frame('accepted', { results: posts.map(({ id }) => ({ id, at })) }));
    const deliveries = new Map<string, Incoming[]>();
    for (const { id, channel, body } of posts) push(deliveries, channel, { id, at, channel, body });
    for (const [channel, envelopes] of deliveries) {
      const frames = frame('deliver', { envelopes });
      for (const peer of channels.get(channel) ?? []) peer.write(frames);
    }
  });

const acknowledgeIn = (client: pg.Client) => {
  let done = new Set<string>();
  // Not with each ack: a hundred of them belong to one post.
  setInterval(() => {
    if (done.size === 0) return;
    const posts = [...done];
    done = new Set();
    void client.query({
      name: 'drop',
      text: `DELETE FROM post WHERE seq = ANY($1::bigint[])
             AND NOT EXISTS (SELECT FROM envelope WHERE post = post.seq AND acked_day IS NULL OFFSET 0)`,
      values: [posts],
    });
  }, POSTS_MS);
  return grouped<{ device: string; ids: string[] }>(async (batch) => {
    const { rows } = await client.query<{ post: string }>({
      name: 'acknowledge',
      text: `WITH gone AS (
               UPDATE envelope SET body = NULL, acked_day = $3
               FROM unnest($1::bytea[], $2::bytea[]) AS u (of, which)
               WHERE device = of AND id = which AND (acked_day IS NULL) IS TRUE
               RETURNING post
             )
             SELECT DISTINCT post FROM gone WHERE post IS NOT NULL`,
      values: [
        byteaArray(batch.flatMap(({ device, ids }) => ids.map(() => bytes(device)))),
        byteaArray(batch.flatMap(({ ids }) => ids.map(bytes))),
        Math.floor(Date.now() / DAY),
      ],
    });
    for (const { post } of rows) done.add(post);
    acks -= batch.length;
    for (const go of relieved.splice(0)) go();
  });
};

const welcomeFrom = (client: pg.Client) =>
  grouped<Peer>(async (arrived) => {
    const { rows } = await client.query<{ device: Buffer; id: Buffer; at: number; body: Buffer }>({
      name: 'backlog',
      text: `SELECT device, id, at::float8 AS at, coalesce(e.body, post.body) AS body
             FROM envelope AS e LEFT JOIN post ON post.seq = e.post
             WHERE device = ANY($1::bytea[]) AND acked_day IS NULL ORDER BY e.seq`,
      values: [byteaArray(arrived.map(({ device }) => bytes(device)))],
    });
    const backlogs = new Map<string, Incoming[]>();
    for (const { device, id, at, body } of rows)
      push(backlogs, device.toString('base64url'), { id: id.toString('base64url'), at, body });
    for (const peer of arrived) {
      const backlog = backlogs.get(peer.device) ?? [];
      const frames: Buffer[] = [];
      for (let from = 0; from < backlog.length; from += PAGE)
        frames.push(...frame('deliver', { envelopes: backlog.slice(from, from + PAGE) }));
      peer.begin([...frames, ...frame('caught-up')]);
    }
  });

// Two commits at a time: one is written to the disk while the next is prepared.
const lanes = [await open(), await open()].map((client) => ({
  accept: acceptInto(client),
  post: postInto(client),
}));
const acknowledger = await open();
// What a crash undoes would be delivered once more.
await acknowledger.query('SET synchronous_commit = off');
const acknowledge = acknowledgeIn(acknowledger);
const welcome = welcomeFrom(await open());

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const ES256 = { dsaEncoding: 'ieee-p1363' } as const;
const reader = await open();
const readKey = grouped<{ device: string; done: (point: Buffer) => void }>(async (asked) => {
  const { rows } = await reader.query<{ id: Buffer; signing_key: Buffer }>({
    name: 'keys',
    text: 'SELECT id, signing_key FROM device WHERE id = ANY($1::bytea[])',
    values: [byteaArray(asked.map(({ device }) => bytes(device)))],
  });
  const found = new Map(rows.map(({ id, signing_key }) => [id.toString('base64url'), signing_key]));
  for (const { device, done } of asked) done(found.get(device)!);
});

interface SignIn {
  device: string;
  challenge: string;
  origin: string;
  signature: string;
}

const tokenFor = async ({ device, challenge, origin, signature }: SignIn): Promise<string> => {
  const point = await new Promise<Buffer>((done) => readKey({ device, done }));
  const [x, y] = [point.toString('base64url', 1, 33), point.toString('base64url', 33)];
  const key = createPublicKey({ format: 'jwk', key: { kty: 'EC', crv: 'P-256', x, y } });
  const statement = signInStatement({ origin, device, challenge });
  if (!verify('sha256', statement, { key, ...ES256 }, bytes(signature))) return '';
  const claims = Buffer.from(JSON.stringify({ device })).toString('base64url');
  const signed = sign('sha256', Buffer.from(claims), { key: privateKey, ...ES256 });
  return `${claims}.${signed.toString('base64url')}`;
};

/** What no sign-in can do without: two requests, a key, a verification and a signature. */
const signIn: RequestListener = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const asked = JSON.parse(Buffer.concat(chunks).toString()) as SignIn;
    const answer = (value: object): void => {
      const text = JSON.stringify(value);
      response.writeHead(200, ['content-length', String(text.length)]).end(text);
    };
    if (request.url === '/v1/session/challenges')
      answer({ challenge: randomBytes(64).toString('base64url') });
    else void tokenFor(asked).then((token) => answer({ token }));
  });
};

const server = createServer(signIn);
const io = new Server(server, {
  transports: ['websocket'],
  serveClient: false,
  perMessageDeflate: false,
  parser,
});

io.on('connection', (socket) => {
  const auth = socket.handshake.auth as { device: string; channel?: string } | { token: string };
  const { device, channel } =
    'token' in auth
      ? (JSON.parse(bytes(auth.token.split('.')[0]!).toString()) as { device: string; channel?: string })
      : auth;
  const peer = new Peer(socket, device);
  peers.set(device, peer);
  if (channel) channels.set(channel, (channels.get(channel) ?? new Set()).add(peer));
  const { accept, post } = lanes[device.charCodeAt(0) % lanes.length]!;
  socket.on('send', ({ envelopes }: { envelopes: Envelope[] }) => accept({ peer, envelopes }));
  socket.on('post', ({ posts }: { posts: Post[] }) => post({ peer, posts }));
  socket.on('ack', ({ ids }: { ids: string[] }) => {
    acks += 1;
    acknowledge({ device, ids });
  });
  socket.on('disconnect', () => {
    if (peers.get(device) === peer) peers.delete(device);
    if (channel) channels.get(channel)?.delete(peer);
  });
  welcome(peer);
});

server.listen(0, '127.0.0.1', () => answerParent((server.address() as AddressInfo).port));
