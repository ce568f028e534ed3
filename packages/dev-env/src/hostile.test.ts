import type { OutgoingEnvelope } from '@sotto/contract/envelope';
import type { AccountId, ConversationId, DeliveryToken, DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type { AccountResponse } from '@sotto/contract/rest/accounts';
import type { DeviceBundle } from '@sotto/contract/rest/prekeys';
import { encode } from '@sotto/crypto/canonical';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { seal } from '@sotto/crypto/seal';
import { encrypt, startSession } from '@sotto/crypto/session';
import { KIND_SESSION } from '@sotto/crypto/session-body';
import { type Clock, systemClock } from '@sotto/engine/clock';
import { type Store, StoreError, type Transport } from '@sotto/engine/ports';
import type { SelfRow } from '@sotto/engine/rows';
import { ownDevice, publicDevice, toBundle } from '@sotto/engine/sessions';
import { signerOf } from '@sotto/engine/account/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, online, type Resident, until, type World, type Wrap } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const resident = (wrap?: Wrap) => world.resident(`someone_${++count}`, wrap);
const selfOf = async ({ store }: Resident): Promise<SelfRow> => (await store.get('self', 'self'))!;
const idOf = ({ engine }: Resident) => engine.getSnapshot().me!.account as unknown as ConversationId;
const randomId = () => Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');

/** Hands the relay an envelope for somebody, past every engine. */
const post = async (
  from: Resident,
  to: Resident,
  body: Uint8Array<ArrayBuffer>,
  { id = randomId(), token }: { id?: string; token?: string | undefined } = {},
): Promise<string> => {
  const [sender, { account, device }] = [await selfOf(from), await selfOf(to)];
  // A chain of one event: its head is the account.
  const address = { device, head: account } as unknown as Pick<OutgoingEnvelope, 'device' | 'head'>;
  const way = token !== undefined && { token: token as DeliveryToken };
  await new Promise<void>((resolve, reject) => {
    const connection = from.transport.connect(signerOf(sender), {
      connected: () => connection.send([{ id: id as EnvelopeId, ...address, ...way, body }]),
      accepted: (results) => (
        connection.close(),
        'at' in results[0]! ? resolve() : reject(new Error('refused'))
      ),
      disconnected: () => undefined,
      deliver: () => undefined,
      caughtUp: () => undefined,
      live: () => undefined,
      problem: reject,
      prekeysLow: () => undefined,
    });
  });
  return id;
};

/** Waits until the relay has the one-time prekeys of somebody. */
const prekeysUp = async ({ store }: Resident, count = 202): Promise<void> => {
  for (let tries = 0; tries < 400; tries += 1) {
    const rows = await store.all('prekey');
    if (rows.length >= count && rows.every(({ published }) => published)) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
  throw new Error('the prekeys were not published');
};

interface Forgery {
  /** In whose session. */
  by: Resident;
  /** Whom the envelope names. */
  claims?: Resident;
  to: Resident;
  content: Uint8Array<ArrayBuffer>;
  /** Of the envelope. */
  kind?: number;
  /** In a session that the recipient does not have. */
  lost?: boolean;
}

/** A message as a client with its own ideas would make it: in a session of its own, which moves on. */
const forge = async ({
  by,
  claims = by,
  to,
  content,
  kind = KIND_SESSION,
  lost = false,
}: Forgery): Promise<Uint8Array<ArrayBuffer>> => {
  const [sender, claimed, recipient] = await Promise.all([by, claims, to].map(selfOf));
  const { account, device } = recipient!;
  const peer = publicDevice(account, {
    device,
    signing: recipient!.signing.publicKey,
    identity: recipient!.identity.publicKey,
  });
  let state = (await by.store.get('peer', [account, device]))?.state;
  const now = Date.now();
  if (!state) {
    const { bundles } = await by.transport.bundles(signerOf(sender!), account as AccountId, [
      device as DeviceId,
    ]);
    ({ state } = await startSession({ me: ownDevice(sender!), peer, bundle: toBundle(bundles[0]!), now }));
  }
  const made = await encrypt({ state, plaintext: content, now });
  await by.store.commit([
    { table: 'peer', put: { account, device, state: made.state, repairs: NO_REPAIRS, renew: false } },
  ]);
  const { id, publicKey } = recipient!.sealing[0]!;
  return seal({
    from: { account: claimed!.account, device: claimed!.device },
    to: { account, device, sealingKey: { id, publicKey } },
    kind,
    // Version, suite, a message; the session and all that follows are noise.
    body: lost ? new Uint8Array([1, 0, 1, 1, ...crypto.getRandomValues(new Uint8Array(200))]) : made.body,
  });
};

const asideReason = async ({ store }: Resident, envelope: string): Promise<string> => {
  for (let tries = 0; tries < 200; tries += 1) {
    const row = await store.get('aside', envelope);
    if (row) return row.reason;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error('the envelope was not set aside');
};

describe('what others may send', () => {
  it('A9 F16 sets what it cannot open aside, with the reason, and later messages flow', async () => {
    const [ann, bob, eve] = [await resident(), await resident(), await resident()];
    const text = (id: string) => encode({ kind: 'text', id, sentAt: 0, text: 'not from bob' });
    const sent = { kind: 'text', id: randomId(), sentAt: 0, text: 'in the name of ann' };
    const sync = encode({ kind: 'sync', conversation: idOf(bob), sent });
    const account = encode({ kind: 'account', name: 'Not Ann', contacts: [] });
    const poison: [body: Uint8Array<ArrayBuffer>, reason: string][] = [
      [new Uint8Array(1), 'unsupported'],
      [new Uint8Array(1200).fill(1), 'unknown-sealing-key'],
      [(await forge({ by: bob, to: ann, content: text(randomId()) })).with(90, 0) as never, 'cannot-open'],
      [await forge({ by: eve, claims: bob, to: ann, content: text(randomId()) }), 'cannot-decrypt'],
      [await forge({ by: bob, to: ann, content: text(randomId()), kind: 1 }), 'unknown-kind'],
      [await forge({ by: bob, to: ann, content: text(randomId()), kind: 255 }), 'unknown-kind'],
      [await forge({ by: bob, to: ann, content: encode({ nothing: 1 }) }), 'unknown-content'],
      [await forge({ by: bob, to: ann, content: new TextEncoder().encode('{ }') }), 'bad-encoding'],
      [await forge({ by: bob, to: ann, content: text('short') }), 'unknown-content'],
      // What only another device of the account may say.
      [await forge({ by: bob, to: ann, content: sync }), 'not-from-self'],
      [await forge({ by: bob, to: ann, content: account }), 'not-from-self'],
    ];
    const ids = [];
    for (const [body] of poison) ids.push(await post(eve, ann, body));
    const id = await bob.engine.addContact({ handle: ann.engine.getSnapshot().me!.handle });
    await bob.engine.send(id, 'still here');
    await until(
      ann.engine,
      ({ conversations }) => conversations[0]?.last?.text === 'still here',
      'the message',
    );
    const reasons = await Promise.all(ids.map((envelope) => asideReason(ann, envelope)));
    expect(reasons).toEqual(poison.map(([, reason]) => reason));
    expect(ann.engine.getSnapshot().conversations).toHaveLength(1);
  });

  it('keeps what is newer than this version, once, and shows that it came', async () => {
    const [ann, bob] = [await resident(), await resident()];
    const withBob = await ann.engine.addContact(bob.engine.getSnapshot().contact!);
    const view = (await ann.engine.openConversation(withBob))!;
    const id = randomId();
    const content = encode({ kind: 'hologram', id, light: 'blue' });
    await post(bob, ann, await forge({ by: bob, to: ann, content }));
    await post(bob, ann, await forge({ by: bob, to: ann, content }));
    const typing = encode({ kind: 'typing', typing: true });
    await post(bob, ann, await forge({ by: bob, to: ann, content: typing }));
    const marker = encode({ kind: 'text', id: randomId(), sentAt: 0, text: 'after' });
    await post(bob, ann, await forge({ by: bob, to: ann, content: marker }));
    await until(view, ({ messages }) => messages.at(-1)?.text === 'after', 'what came after');
    expect(view.getSnapshot().messages).toMatchObject([{ id, text: '', newer: true }, { text: 'after' }]);
    expect((await ann.store.get('message', [withBob, id]))?.newer).toEqual(content);
  });

  it('nothing that comes takes the place of a message that is there', async () => {
    const [ann, bob] = [await resident(), await resident()];
    const withBob = await ann.engine.addContact(bob.engine.getSnapshot().contact!);
    const view = (await ann.engine.openConversation(withBob))!;
    await ann.engine.send(withBob, 'mine');
    await until(view, ({ messages }) => messages[0]?.status === 'delivered', 'delivered');
    const { id } = view.getSnapshot().messages[0]!;
    const named = await forge({ by: bob, to: ann, content: encode({ kind: 'hologram', id }) });
    await post(bob, ann, named);
    const nameless = await forge({ by: bob, to: ann, content: encode({ kind: 'hologram' }) });
    await post(bob, ann, nameless, { id });
    await until(view, ({ messages }) => messages.length === 2, 'what has no name');
    expect(view.getSnapshot().messages[0]).toMatchObject({ id, text: 'mine', status: 'delivered' });
  });

  it('A13 rubbish from a stranger, also in the name of a contact, is answered by nothing', async () => {
    const [ann, bob, eve] = [await resident(), await resident(), await resident()];
    await ann.engine.addContact(bob.engine.getSnapshot().contact!);
    const text = encode({ kind: 'text', id: randomId(), sentAt: 0, text: 'x' });
    const bodies = [
      await forge({ by: eve, to: ann, content: text, lost: true }),
      await forge({ by: eve, claims: bob, to: ann, content: text, lost: true }),
    ];
    for (const body of bodies) {
      const id = await post(eve, ann, body);
      await asideReason(ann, id);
    }
    expect(await ann.store.all('outbox')).toEqual([]);
    expect((await ann.store.all('peer')).filter(({ renew }) => renew)).toEqual([]);
    // Nor is who only claims to be somebody a contact.
    expect((await ann.store.all('contact')).map(({ account }) => account)).toEqual([idOf(bob)]);
  });

  it('A13 what is missing is asked for of contacts alone, and of none who is blocked', async () => {
    const looks: (() => void)[] = [];
    let passed = 0;
    const now = () => Date.now() + passed;
    const after: Clock['after'] = (ms, task) =>
      ms === 60_000 ? (looks.push(task), () => undefined) : systemClock.after(ms, task);
    // What is to be sent stays in the outbox.
    const transport = (inner: Transport): Transport => ({
      ...inner,
      connect: (...args) => ({ ...inner.connect(...args), send: () => true }),
    });
    const ann = await resident({ transport, clock: { now, after } });
    const [bob, carol, dave, eve] = await Promise.all([1, 2, 3, 4].map(() => resident()));
    for (const known of [bob!, carol!, dave!])
      await ann.engine.addContact(known.engine.getSnapshot().contact!);
    await ann.engine.block(idOf(carol!));
    await expect.poll(async () => (await selfOf(ann)).deliveryDue).toBeUndefined();
    const token = (await selfOf(ann)).delivery;
    const senders: [Resident, (string | undefined)[]][] = [
      [bob!, [token, token]],
      [carol!, [token, token]],
      // Anybody can come in this name.
      [dave!, [undefined, undefined]],
      // A stranger who was told the way in later.
      [eve!, [undefined, token]],
    ];
    for (const [by, tokens] of senders) {
      const bodies = [];
      for (let sent = 0; sent < 3; sent += 1) {
        const text = { kind: 'text', id: randomId(), sentAt: sent, text: 'x' };
        const content = encode(by === eve ? text : { kind: 'profile', name: 'Somebody' });
        bodies.push(await forge({ by, to: ann, content }));
      }
      for (const [at, body] of [bodies[0]!, bodies[2]!].entries()) {
        const id = await post(by, ann, body, { token: tokens[at] });
        await expect.poll(() => ann.store.get('seen', id)).toBeDefined();
      }
    }
    expect((await ann.store.all('peer')).map(({ missing }) => missing)).toEqual([1, 1, 1, 1]);
    passed = 60_000;
    for (const look of looks) look();
    const outbox = () => ann.store.all('outbox');
    await expect.poll(outbox).not.toEqual([]);
    expect(await outbox()).toMatchObject([{ conversation: idOf(bob!), content: { kind: 'repair' } }]);
  });

  it('a receipt moves nothing but messages to its sender', async () => {
    const [ann, bob, eve] = [await resident(), await resident(), await resident()];
    const withBob = await ann.engine.addContact(bob.engine.getSnapshot().contact!);
    const view = (await ann.engine.openConversation(withBob))!;
    await ann.engine.send(withBob, 'to bob');
    await until(view, ({ messages }) => messages[0]?.status === 'delivered', 'delivered');
    const [message] = view.getSnapshot().messages;
    const content = encode({ kind: 'receipt', status: 'read', messages: [message!.id] });
    await post(eve, ann, await forge({ by: eve, to: ann, content }));
    const marker = encode({ kind: 'text', id: randomId(), sentAt: 0, text: 'after' });
    await post(eve, ann, await forge({ by: eve, to: ann, content: marker }));
    await until(
      ann.engine,
      ({ conversations }) => conversations.some(({ last }) => last?.text === 'after'),
      'it',
    );
    expect(view.getSnapshot().messages[0]!.status).toBe('delivered');
  });

  it('F12 the same message under a second envelope is shown once and not confirmed again', async () => {
    const [ann, bob] = [await resident(), await resident()];
    const content = encode({ kind: 'text', id: randomId(), sentAt: 0, text: 'once' });
    const envelopes = [1, 2].map(() => forge({ by: bob, to: ann, content }));
    for (const body of await Promise.all(envelopes)) await post(bob, ann, body);
    await until(ann.engine, ({ conversations }) => conversations[0]?.last?.text === 'once', 'the message');
    const marker = encode({ kind: 'text', id: randomId(), sentAt: 0, text: 'after' });
    await post(bob, ann, await forge({ by: bob, to: ann, content: marker }));
    await until(ann.engine, ({ conversations }) => conversations[0]?.last?.text === 'after', 'the next one');
    expect(ann.engine.getSnapshot().conversations[0]!.unread).toBe(2);
  });
});

describe('A1 a relay that gives out other keys', () => {
  const lies: [name: string, tell: (answer: AccountResponse, other: AccountResponse) => AccountResponse][] = [
    ["another account's chain", (answer, other) => ({ ...answer, chain: other.chain })],
    ['another account altogether', (_, other) => other],
    ['no chain', (answer) => ({ ...answer, chain: [] })],
    [
      'a device that is not on the chain',
      (answer, other) => ({ ...answer, devices: [...answer.devices, ...other.devices] }),
    ],
    [
      'a sealing key that the device did not sign',
      (answer, other) => ({
        ...answer,
        devices: [{ ...answer.devices[0]!, sealingKey: other.devices[0]!.sealingKey }],
      }),
    ],
    [
      'a sealing key under another number',
      (answer) => {
        const [entry] = answer.devices;
        return { ...answer, devices: [{ ...entry!, sealingKey: { ...entry!.sealingKey, id: 2 } }] };
      },
    ],
  ];

  it.each(lies)('%s: nothing is sent, and the message says why', async (_, tell) => {
    const [ann, eve] = [await resident(), await resident()];
    let sent = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      account: async (signer, account) => {
        const other = eve.engine.getSnapshot().me!.account;
        return tell(await inner.account(signer, account), await inner.account(signer, other));
      },
      connect(signer, listener) {
        const connection = inner.connect(signer, listener);
        return { ...connection, send: (envelopes) => ((sent += 1), connection.send(envelopes)) };
      },
    });
    const bob = await resident({ transport });
    const id = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    const view = (await bob.engine.openConversation(id))!;
    await bob.engine.send(id, 'secret');
    const { messages } = await until(
      view,
      (snapshot) => snapshot.messages[0]?.status === 'failed',
      'the failure',
    );
    expect(messages[0]).toMatchObject({ text: 'secret', problem: 'keys-invalid' });
    expect(sent).toBe(0);
  });
});

describe('A5 a relay that gives out other prekeys', () => {
  const lies: [name: string, tell: (own: DeviceBundle, other: DeviceBundle) => DeviceBundle][] = [
    ['another device’s', (own, other) => ({ ...other, device: own.device })],
    ['another signed prekey', (own, other) => ({ ...own, signed: other.signed })],
    ['another one-time prekey', (own, other) => ({ ...own, oneTime: other.oneTime! })],
    ['another post-quantum prekey', (own, other) => ({ ...own, pq: other.pq })],
    ['a one-time prekey in the place of the signed one', (own) => ({ ...own, signed: own.oneTime! })],
    ['a last resort that calls itself one-time', (own) => ({ ...own, pqKind: 'pq-last-resort' })],
  ];

  it.each(lies)('%s: nothing is sent, and the message says why', async (_, tell) => {
    const [ann, eve] = [await resident(), await resident()];
    await Promise.all([ann, eve].map(prekeysUp));
    let sent = 0;
    const transport = (inner: Transport): Transport => ({
      ...inner,
      bundles: async (signer, account, devices) => {
        const other = await selfOf(eve);
        const [own, others] = await Promise.all([
          inner.bundles(signer, account, devices),
          inner.bundles(signer, other.account as AccountId, [other.device as DeviceId]),
        ]);
        return { bundles: [tell(own.bundles[0]!, others.bundles[0]!)] };
      },
      connect(signer, listener) {
        const connection = inner.connect(signer, listener);
        return { ...connection, send: (envelopes) => ((sent += 1), connection.send(envelopes)) };
      },
    });
    const bob = await resident({ transport });
    const id = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    const view = (await bob.engine.openConversation(id))!;
    await bob.engine.send(id, 'secret');
    const { messages } = await until(
      view,
      (snapshot) => snapshot.messages[0]?.status === 'failed',
      'the failure',
    );
    expect(messages[0]!.problem).toBe('keys-invalid');
    expect(sent).toBe(0);
  });
});

describe('A4 prekeys', () => {
  it('one-time ones are used up once each, filled up again, and the last resort serves in between', async () => {
    const ann = await resident();
    await prekeysUp(ann);
    const bob = await selfOf(await resident());
    const self = await selfOf(ann);
    const ask = async () => {
      const asker = signerOf(bob);
      const devices = [self.device as DeviceId];
      const { bundles } = await ann.transport.bundles(asker, self.account as AccountId, devices);
      return bundles[0]!;
    };
    await ann.engine.close();
    const given = await Promise.all(Array.from({ length: 105 }, ask));
    const ids = given.flatMap(({ oneTime }) => (oneTime ? [oneTime.id] : []));
    expect(ids).toHaveLength(100);
    expect(new Set(ids).size).toBe(100);
    expect(given.filter(({ pqKind }) => pqKind === 'pq-last-resort')).toHaveLength(5);
    const engine = await ann.restart();
    await online(engine);
    await prekeysUp(ann, 402);
    const fresh = await ask();
    expect(fresh.pqKind).toBe('pq-one-time');
    expect(ids).not.toContain(fresh.oneTime!.id);
  });
});

describe('a removed device', () => {
  it('is told at once, and whoever writes to it is told that nobody is there', async () => {
    const [ann, bob] = [await resident(), await resident()];
    await online(ann.engine);
    const id = await bob.engine.addContact({ handle: ann.engine.getSnapshot().me!.handle });
    const view = (await bob.engine.openConversation(id))!;
    const self = await selfOf(ann);
    await ann.transport.removeDevice(signerOf(self), self.device as never);
    await until(ann.engine, ({ phase }) => phase === 'removed', 'the removal');
    await bob.engine.send(id, 'anybody?');
    const { messages } = await until(
      view,
      (snapshot) => snapshot.messages[0]?.status === 'failed',
      'the failure',
    );
    expect(messages[0]!.problem).toBe('device-unknown');
    await bob.engine.retry(id, messages[0]!.id);
    await until(view, (snapshot) => snapshot.messages[0]?.status === 'failed', 'the failure');
    expect(view.getSnapshot().messages).toHaveLength(1);
  });
});

describe('F14 a store that cannot write', () => {
  it('acknowledges nothing, says so, and goes on when there is room', async () => {
    let full = false;
    const store = (inner: Store): Store => ({
      ...inner,
      commit: async (writes) => {
        if (full) throw new StoreError('full');
        return inner.commit(writes);
      },
    });
    const [ann, bob] = [await resident({ store }), await resident()];
    await online(ann.engine);
    const id = await bob.engine.addContact(ann.engine.getSnapshot().contact!);
    const view = (await bob.engine.openConversation(id))!;
    full = true;
    await bob.engine.send(id, 'heavy');
    await until(ann.engine, ({ storeProblem }) => storeProblem === 'full', 'the notice');
    await until(view, ({ messages }) => messages[0]?.status === 'sent', 'sent');
    await expect(
      ann.engine.addContact({ handle: bob.engine.getSnapshot().me!.handle }),
    ).rejects.toMatchObject({ code: 'full' });
    expect(ann.engine.getSnapshot().conversations).toEqual([]);
    full = false;
    await until(view, ({ messages }) => messages[0]?.status === 'delivered', 'delivered');
    expect(ann.engine.getSnapshot().storeProblem).toBeUndefined();
    expect(ann.engine.getSnapshot().conversations[0]).toMatchObject({
      id: idOf(bob) as unknown as AccountId,
      unread: 1,
    });
  });
});
