// A process that loads a relay. Its parent hands it one `Task` at a time.
import { createPrivateKey, randomFillSync, sign, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { signInStatement } from '../../packages/crypto/src/sign-in.ts';
import { WIRE_VERSION } from '../../packages/contract/src/version.ts';
import { Client, type Listener } from './client.ts';
import { ask } from './http.ts';
import { CHANNEL, type Person } from './people.ts';

export interface Task {
  do: 'pairs' | 'channel' | 'connect' | 'fetch' | 'close';
  /** Signs in, and says what the relay wants to know about recipients. */
  real: boolean;
  /** Of one relay or several. */
  ports: number[];
  /** Which of the people take part: from, to. */
  people: [number, number];
  /** Messages of a sender on their way at once. */
  window?: number;
  /** How many wait for the device that fetches. */
  waiting?: number;
  warmMs?: number;
  measureMs?: number;
}

/** What one task came to. */
export interface Outcome {
  /** Messages or connections. */
  count: number;
  seconds: number;
  /** Milliseconds from send to delivery. */
  p50: number;
  p99: number;
}

const CONNECTING = 32;
const PATIENCE_MS = 30_000;
const DRAIN_MS = 5_000;
/** For the last acks to get there. */
const ACKS_MS = 200;
const ID = 16;
const BODY = 1024;

const everybody = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as Person[];

const noise = Buffer.alloc(1024 * 1024);
let noiseAt = noise.length;
const random = (length: number): Buffer => {
  if (noiseAt + length > noise.length) {
    randomFillSync(noise);
    noiseAt = 0;
  }
  noiseAt += length;
  return noise.subarray(noiseAt - length, noiseAt);
};

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const keys = new Map<string, KeyObject>();

/** Read ahead of the time that counts, as a client that runs has it at hand. */
const keyOf = ({ device, privateKey }: Person): KeyObject => {
  const key = keys.get(device) ?? createPrivateKey({ key: privateKey, format: 'jwk' });
  keys.set(device, key);
  return key;
};

/** The smaller of the two s that verify, as the relay demands it. */
const signed = (message: Uint8Array, key: KeyObject): string => {
  const signature = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
  const s = BigInt(`0x${signature.toString('hex', 32)}`);
  if (s > ORDER / 2n) signature.write((ORDER - s).toString(16).padStart(64, '0'), 32, 'hex');
  return signature.toString('base64url');
};

const signIn = async (port: number, person: Person): Promise<string> => {
  const { device } = person;
  const { challenge } = await ask<{ challenge: string }>(port, '/v1/session/challenges', { device });
  const origin = `http://localhost:${port}`;
  const signature = signed(signInStatement({ origin, device, challenge }), keyOf(person));
  const answer = { device, challenge, origin, signature };
  return (await ask<{ token: string }>(port, '/v1/session/tokens', answer)).token;
};

const open: Client[] = [];

/** Signed in where the relay wants that, and connected. `begin` is called once there is nothing but the socket to wait for. */
const join = async (
  { real }: Task,
  port: number,
  person: Person,
  { listener, begin }: { listener: Listener; begin?: () => void },
): Promise<Client> => {
  const auth = real
    ? { token: await signIn(port, person), version: WIRE_VERSION }
    : { device: person.device, channel: CHANNEL };
  begin?.();
  const client = new Client(port, auth, listener);
  open.push(client);
  await client.ready;
  return client;
};

/** Runs `work` on all, so many at a time. */
const each = async <T>(
  items: readonly T[],
  work: (item: T, index: number) => Promise<void>,
): Promise<void> => {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await work(items[index]!, index);
  };
  await Promise.all(Array.from({ length: CONNECTING }, worker));
};

let fail: (why: unknown) => void = () => undefined;

interface Delivered {
  envelopes: { id: string }[];
}
interface Accepted {
  results: { id: string; code?: string }[];
}

/** Counts what is delivered between `begin` and `end`. */
class Meter {
  #counting = false;
  #started = 0;
  #count = 0;
  readonly #times: number[] = [];

  begin(): void {
    this.#counting = true;
    this.#started = performance.now();
  }

  delivered(sentAt: number): void {
    if (!this.#counting) return;
    this.#count += 1;
    this.#times.push(performance.now() - sentAt);
  }

  end(): Outcome {
    this.#counting = false;
    const sorted = Float64Array.from(this.#times).toSorted();
    const at = (part: number): number => sorted[Math.floor(part * (sorted.length - 1))] ?? Number.NaN;
    const seconds = (performance.now() - this.#started) / 1000;
    return { count: this.#count, seconds, p50: at(0.5), p99: at(0.99) };
  }
}

/** What was sent and has not come yet: asked when a measurement is over, so that nothing is left for the next. */
type Pending = () => number;

/** Warms up, tells the parent when the time begins and when it is over. */
const measure = async (
  { warmMs = 0, measureMs = 0 }: Task,
  meter: Meter,
  state: { sending: boolean; pending: Pending; fill: () => void },
): Promise<Outcome> => {
  state.sending = true;
  state.fill();
  await sleep(warmMs);
  process.send!({ mark: true });
  meter.begin();
  await sleep(measureMs);
  const outcome = meter.end();
  process.send!({ mark: true });
  state.sending = false;
  for (const until = Date.now() + DRAIN_MS; state.pending() > 0 && Date.now() < until;) await sleep(10);
  await sleep(ACKS_MS);
  return outcome;
};

const refused = (event: string, payload: unknown): void => {
  if (event === 'problem' || event === 'lost') fail(new Error(`${event}: ${JSON.stringify(payload)}`));
};

const accepted = (payload: unknown): number => {
  const { results } = payload as Accepted;
  for (const { code } of results) if (code) fail(new Error(`refused: ${code}`));
  return results.length;
};

/** Pairs, each with a sender and a recipient; over several relays the two are at different ones. */
const pairs = async (task: Task): Promise<Outcome> => {
  const { ports, window = 1, people } = task;
  const chosen = everybody.slice(...people);
  const meter = new Meter();
  const senders: { more: () => void; pending: Pending }[] = [];
  const state = {
    sending: false,
    pending: () => senders.reduce((total, { pending }) => total + pending(), 0),
    fill: () => {
      for (const { more } of senders) more();
    },
  };
  const many = Array.from({ length: chosen.length / 2 }, (_, i) => chosen.slice(2 * i, 2 * i + 2));
  await each(many, async ([from, to], index) => {
    const sent = new Map<string, number>();
    let [inFlight, isAccepted, isDelivered] = [0, 0, 0];
    const inTheAir = (): number => inFlight - Math.min(isAccepted, isDelivered);
    const more = (sender: Client): void => {
      if (!state.sending) return;
      for (; inTheAir() < window; inFlight += 1) {
        const id = random(ID).toString('base64url');
        const { device, account, token } = to!;
        const envelope = { id, device, ...(task.real && { head: account, token }), body: random(BODY) };
        sent.set(id, performance.now());
        sender.emit('send', { envelopes: [envelope] });
      }
    };
    const port = (offset: number): number => ports[(index + offset) % ports.length]!;
    const sender = await join(task, port(0), from!, {
      listener: (event, payload, client) => {
        if (event === 'accepted') {
          isAccepted += accepted(payload);
          more(client);
        } else refused(event, payload);
      },
    });
    await join(task, port(1), to!, {
      listener: (event, payload, recipient) => {
        if (event === 'deliver') {
          const ids = (payload as Delivered).envelopes.map(({ id }) => id);
          for (const id of ids) {
            const at = sent.get(id);
            // Of an earlier measurement, or for the second time.
            if (at === undefined) continue;
            sent.delete(id);
            isDelivered += 1;
            meter.delivered(at);
          }
          recipient.emit('ack', { ids });
          more(sender);
        } else refused(event, payload);
      },
    });
    senders.push({ more: () => more(sender), pending: inTheAir });
  });
  return measure(task, meter, state);
};

/** One sender; everybody in the channel gets everything, the sender too. */
const channel = async (task: Task): Promise<Outcome> => {
  const { ports, window = 1, people } = task;
  const chosen = everybody.slice(...people);
  const meter = new Meter();
  const sent = new Map<string, { at: number; left: number }>();
  const clients: Client[] = [];
  const more = (): void => {
    while (state.sending && sent.size < window) {
      const id = random(ID).toString('base64url');
      sent.set(id, { at: performance.now(), left: clients.length });
      const epoch = task.real && { epoch: 0 };
      // Of no version that the relay looks into.
      const body = random(BODY).fill(0, 0, 1);
      clients[0]!.emit('post', { posts: [{ id, channel: CHANNEL, ...epoch, body }] });
    }
  };
  const state = { sending: false, pending: () => sent.size, fill: more };
  await each(chosen, async (person, index) => {
    clients[index] = await join(task, ports[0]!, person, {
      listener: (event, payload, client) => {
        if (event === 'accepted') accepted(payload);
        else if (event === 'deliver') {
          const ids = (payload as Delivered).envelopes.map(({ id }) => id);
          for (const id of ids) {
            const post = sent.get(id);
            if (!post) continue;
            meter.delivered(post.at);
            post.left -= 1;
            if (post.left === 0) sent.delete(id);
          }
          client.emit('ack', { ids });
          more();
        } else refused(event, payload);
      },
    });
  });
  return measure(task, meter, state);
};

/** Connections that stay until `close`. */
const connect = async (task: Task): Promise<Outcome> => {
  const chosen = everybody.slice(...task.people);
  if (task.real) chosen.forEach(keyOf);
  process.send!({ mark: true });
  const started = performance.now();
  await each(chosen, async (person) => {
    await join(task, task.ports[0]!, person, { listener: refused });
  });
  const seconds = (performance.now() - started) / 1000;
  process.send!({ mark: true });
  return { count: chosen.length, seconds, p50: 0, p99: 0 };
};

/** One device comes and takes all that waits for it; the time begins with the socket. */
const fetchAll = async (task: Task): Promise<Outcome> => {
  const { waiting = 0 } = task;
  const [person] = everybody.slice(...task.people);
  let started = 0;
  let left = waiting;
  let done: () => void = () => undefined;
  const all = new Promise<void>((resolve) => (done = resolve));
  await join(task, task.ports[0]!, person!, {
    begin: () => (started = performance.now()),
    listener: (event, payload, client) => {
      if (event === 'deliver') {
        const ids = (payload as Delivered).envelopes.map(({ id }) => id);
        client.emit('ack', { ids });
        left -= ids.length;
        if (left === 0) done();
      } else refused(event, payload);
    },
  });
  await all;
  const seconds = (performance.now() - started) / 1000;
  // The acks get there.
  await sleep(300);
  return { count: waiting, seconds, p50: 0, p99: 0 };
};

const closeAll = async (): Promise<Outcome> => {
  for (const client of open.splice(0)) client.close();
  return { count: 0, seconds: 0, p50: 0, p99: 0 };
};

const TASKS = { pairs, channel, connect, fetch: fetchAll, close: closeAll };

process.on('message', (task: Task) => {
  const limit =
    PATIENCE_MS + (task.warmMs ?? 0) + (task.measureMs ?? 0) + 40 * (task.people[1] - task.people[0]);
  const failed = new Promise<never>((_, reject) => (fail = reject));
  const late = setTimeout(() => fail(new Error(`${task.do} took more than ${limit} ms`)), limit);
  Promise.race([TASKS[task.do](task), failed])
    .then(
      (outcome) => process.send!({ outcome }),
      (error: unknown) => process.send!({ error: String(error) }),
    )
    .finally(() => {
      clearTimeout(late);
      // What ends later ends with the sockets.
      fail = () => undefined;
    });
});
process.on('disconnect', () => process.exit(0));
