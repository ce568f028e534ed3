import { describe, expect, it } from 'vitest';
import * as reference from '../vectors/session-reference.mjs';
import vectors from '../vectors/session.json';
import { fromBase64url, utf8, type Bytes } from './bytes.ts';
import type { OwnDevice, PublicDevice } from './handshake.ts';
import { decapsulate, encapsulate, kemPairFromSeed } from './kem.ts';
import { I } from './labels.ts';
import {
  isPq,
  PREKEY_KINDS,
  verifyPrekey,
  type Bundle,
  type OwnPrekey,
  type PqKind,
  type PrekeyKind,
} from './prekeys.ts';
import { decrypt, encrypt, encryptKey, startSession } from './session.ts';
import { conversation, publicDevice, write } from './session-suite.ts';
import { decryptSignal, encryptSignal } from './signal.ts';
import { nextChain, messageKey, pre, step } from './step.ts';
import { fromHex, importPair, toHex } from './test-support.ts';

const { now } = vectors;
const { hex } = reference;
type Name = 'alice' | 'bob';

const own = async ({ account, device, signing, identity }: typeof vectors.alice): Promise<OwnDevice> => ({
  account,
  device,
  signing: await importPair('ECDSA', signing.private, signing.public),
  identity: await importPair('ECDH', identity.private, identity.public),
});
const people = { alice: await own(vectors.alice), bob: await own(vectors.bob) };
const other = (name: Name): Name => (name === 'alice' ? 'bob' : 'alice');

const prekeyOf = async <Kind extends PrekeyKind>(kind: Kind): Promise<OwnPrekey<Kind>> => {
  const key = vectors.prekeys.find((one) => one.kind === kind)!;
  const { id, createdAt, expiresAt } = key;
  const pair = isPq(kind)
    ? await kemPairFromSeed(fromHex(key.private))
    : await importPair('ECDH', key.private, key.public);
  const signature = fromHex(key.signature);
  return { kind, id, createdAt, expiresAt, ...pair, signature } as unknown as OwnPrekey<Kind>;
};
const [signed, oneTime, lastResort, pqOneTime] = await Promise.all([
  prekeyOf('signed'),
  prekeyOf('one-time'),
  prekeyOf('pq-last-resort'),
  prekeyOf('pq-one-time'),
]);

const bundles: Record<'full' | 'drained', Bundle> = {
  full: { signed, oneTime, pq: pqOneTime },
  drained: { signed, pq: lastResort },
};

/** An opaque key from bytes, as only a test has one. */
const opaque = (bytes: Bytes, usage: 'deriveKey' | 'deriveBits') =>
  crypto.subtle.importKey('raw', bytes, 'HKDF', false, [usage]);

/** What tells two AES keys apart without their bytes. */
const fingerprint = async (key: Awaited<ReturnType<typeof opaque>>): Promise<string> => {
  const algorithm = { name: 'AES-GCM', iv: new Uint8Array(12) };
  return toHex(new Uint8Array(await crypto.subtle.encrypt(algorithm, key, new Uint8Array(32))));
};
const gcmFrom = (bytes: Bytes) => crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt']);

describe('the published vectors of a session', () => {
  it('hold for the steps', async () => {
    const { derivations } = vectors;
    const key = await opaque(fromHex(derivations.step.key), 'deriveKey');
    const next = await step(key, fromHex(derivations.step.salt), fromHex(derivations.step.info));
    const known = await opaque(fromHex(derivations.step.result), 'deriveKey');
    expect(await fingerprint(await messageKey(next, ['encrypt']))).toBe(
      await fingerprint(await messageKey(known, ['encrypt'])),
    );
    const seen = await pre(
      await opaque(fromHex(derivations.pre.secret), 'deriveBits'),
      fromHex(derivations.pre.info),
    );
    expect(toHex(seen)).toBe(derivations.pre.result);
    const chain = await opaque(fromHex(derivations.chain.key), 'deriveKey');
    const message = await gcmFrom(fromHex(derivations.chain.message));
    expect(await fingerprint(await messageKey(chain, ['encrypt']))).toBe(await fingerprint(message));
    const after = await opaque(fromHex(derivations.chain.next), 'deriveKey');
    expect(await fingerprint(await messageKey(await nextChain(chain), ['encrypt']))).toBe(
      await fingerprint(await messageKey(after, ['encrypt'])),
    );
  });

  it.each(vectors.prekeys)('hold for the prekey: $kind', async (key) => {
    const prekey = await prekeyOf(key.kind as PrekeyKind);
    expect(toHex(prekey.publicKey)).toBe(key.public);
    const bob = publicDevice(people.bob);
    const request = { ...bob, signingPublic: bob.signing, prekey, kind: prekey.kind, now };
    expect(await verifyPrekey(request)).toBe(true);
    expect(key.statement.startsWith(toHex(I('prekey', new Uint8Array(0))))).toBe(true);
  });

  it.each(['full', 'drained'] as const)('hold for the handshake: %s', async (name) => {
    const made = vectors.handshakes[name];
    const { oneTime, pq } = bundles[name];
    const random = {
      baseKey: await importPair('ECDH', made.base.private, made.base.public),
      kemMessage: fromHex(made.kemMessage),
    };
    const peer = publicDevice(people.bob);
    const { state } = await startSession({ me: people.alice, peer, bundle: bundles[name], now, random });
    const session = state.sessions[0]!;
    expect(toHex(session.handshake!)).toBe(made.handshake);
    expect(toHex(session.th)).toBe(made.th);
    const send = await gcmFrom(fromHex(made.signalKeys.initiator));
    expect(await fingerprint(session.signal.send)).toBe(await fingerprint(send));

    // The reference, from the responder's side and from the values in the file.
    const { ciphertext } = await encapsulate(pq.publicKey, random.kemMessage);
    const party = ({ account, device, signing, identity }: PublicDevice) => ({
      account: fromBase64url(account),
      device: fromBase64url(device),
      signing,
      identity,
    });
    const opening = {
      signed,
      oneTime,
      pq: { ...pq, kind: PREKEY_KINDS[pq.kind] },
      generation: 1,
      baseKey: fromHex(made.base.public),
      ciphertext,
    };
    const th = reference.transcript({
      ...opening,
      initiator: party(publicDevice(people.alice)),
      responder: party(peer),
    });
    expect(toHex(th)).toBe(made.th);
    const spk = hex(vectors.prekeys.find(({ kind }) => kind === 'signed')!.private);
    const opk = hex(vectors.prekeys.find(({ kind }) => kind === 'one-time')!.private);
    const dh = [
      reference.ecdh(spk, hex(vectors.alice.identity.public)),
      reference.ecdh(hex(vectors.bob.identity.private), opening.baseKey),
      reference.ecdh(spk, opening.baseKey),
      ...(oneTime ? [reference.ecdh(opk, opening.baseKey)] : []),
    ].map(toHex);
    const dh4 = 'dh4' in made ? made.dh4 : undefined;
    expect(dh).toEqual([made.dh1, made.dh2, made.dh3, ...(dh4 ? [dh4] : [])]);
    const secrets: [string, Bytes][] = [
      ['dh1', hex(made.dh1)],
      ['dh2', hex(made.dh2)],
      ...(dh4 ? ([['dh4', hex(dh4)]] as [string, Bytes][]) : []),
      ['kem', hex(made.kem)],
    ];
    const root = reference.cascade(hex(made.dh3), secrets, th);
    expect(toHex(root)).toBe(made.root);
    expect(toHex(reference.signalKey(root, 2))).toBe(made.signalKeys.responder);
    const pair = await prekeyOf<PqKind>(pq.kind);
    const secret = await pre(await decapsulate(pair, ciphertext), I('hs/kem', new Uint8Array(th)));
    expect(toHex(secret)).toBe(toHex(reference.pre(hex(made.kem), reference.info('hs/kem', th))));
  });

  it('hold for a conversation with loss and reordering, byte for byte and for both sides', async () => {
    const { full } = vectors.handshakes;
    const random = {
      baseKey: await importPair('ECDH', full.base.private, full.base.public),
      kemMessage: fromHex(full.kemMessage),
    };
    const peer = publicDevice(people.bob);
    const started = await startSession({ me: people.alice, peer, bundle: bundles.full, now, random });
    const states = { alice: started.state, bob: undefined as typeof started.state | undefined };
    const read = vectors.conversation.messages;
    for (const event of vectors.conversation.events) {
      const message = read.find(({ name }) => name === (event.send ?? event.read))!;
      const from = message.from as Name;
      const to = other(from);
      if (event.send) {
        const ratchet =
          message.ratchet && (await importPair('ECDH', message.ratchet.private, message.ratchet.public));
        const made = { iv: fromHex(message.iv), ...(ratchet && { ratchet }) };
        const request = { state: states[from]!, now, random: made };
        const handed =
          message.key &&
          (await crypto.subtle.importKey('raw', fromHex(message.key), 'AES-CTR', true, ['encrypt']));
        const { state, body } = handed
          ? await encryptKey({ ...request, key: handed, context: fromHex(message.context!) })
          : await encrypt({ ...request, plaintext: fromHex(message.plaintext!) });
        expect(toHex(body), message.name).toBe(message.body);
        states[from] = state;
      } else {
        const result = await decrypt({
          me: people[to],
          peer: publicDevice(people[from]),
          state: states[to],
          prekeys: { signed, oneTime, pq: pqOneTime },
          body: fromHex(message.body),
          now,
        });
        expect(result.outcome, message.name).toBe(event.outcome);
        if (result.outcome !== 'message') continue;
        states[to] = result.state;
        const { content } = result;
        if (content.type === 'message') expect(toHex(content.plaintext)).toBe(message.plaintext);
        else expect(toHex(content.context)).toBe(message.context);
      }
    }
    expect(vectors.conversation.events.some(({ outcome }) => outcome === 'duplicate')).toBe(true);

    const { body, plaintext, iv, sentAt } = vectors.signal;
    const live = await encryptSignal({
      state: states.bob!,
      plaintext: fromHex(plaintext),
      now: sentAt,
      iv: fromHex(iv),
    });
    expect(toHex(live.body)).toBe(body);
    const heard = await decryptSignal({ state: states.alice, window: [], body: fromHex(body), now });
    expect(toHex(heard!.plaintext)).toBe(plaintext);
  });

  it('are read by the reference, in the order of the file', () => {
    const { full } = vectors.handshakes;
    const spk = vectors.prekeys.find(({ kind }) => kind === 'signed')!;
    const pairOf = (key: { private: string; public: string }) => ({
      privateKey: hex(key.private),
      publicKey: hex(key.public),
    });
    const [th, root] = [hex(full.th), hex(full.root)];
    const sides = {
      alice: new reference.ReferenceSession({ th, root, peer: hex(spk.public) }),
      bob: new reference.ReferenceSession({ th, root, own: pairOf(spk) }),
    };
    let count = 0;
    for (const event of vectors.conversation.events) {
      const message = vectors.conversation.messages.find(({ name }) => name === (event.send ?? event.read))!;
      const from = message.from as Name;
      const body = hex(message.body);
      if (event.send) {
        const { header } = sides[from].next(hex(message.iv), message.ratchet && pairOf(message.ratchet));
        expect(toHex(reference.parse(body).header)).toBe(toHex(header));
      } else if (event.outcome === 'message') {
        const opened = sides[other(from)].decrypt(body);
        expect(toHex(opened)).toBe(message.plaintext ?? message.key);
        count += 1;
      }
    }
    expect(count).toBe(vectors.conversation.messages.length - vectors.conversation.lost.length);
  });
});

describe('the reference', () => {
  it('reads what the package makes with its own randomness', async () => {
    const { full } = vectors.handshakes;
    const peer = publicDevice(people.bob);
    const baseKey = await importPair('ECDH', full.base.private, full.base.public);
    const random = { baseKey, kemMessage: fromHex(full.kemMessage) };
    let { state } = await startSession({ me: people.alice, peer, bundle: bundles.full, now, random });
    const spk = vectors.prekeys.find(({ kind }) => kind === 'signed')!;
    const own = { privateKey: hex(spk.private), publicKey: hex(spk.public) };
    const bob = new reference.ReferenceSession({ th: hex(full.th), root: hex(full.root), own });
    for (let i = 0; i < 3; i += 1) {
      const made = await encrypt({ state, plaintext: utf8(`message ${i}`), now });
      ({ state } = made);
      expect(toHex(bob.decrypt(made.body))).toBe(toHex(utf8(`message ${i}`)));
    }
  });

  it('tells apart every body, header and IV', async () => {
    const { a, b } = await conversation();
    const [one, two] = [await write(a, b, 'x'), await write(a, b, 'x')].map((body) => reference.parse(body));
    expect(toHex(one!.iv)).not.toBe(toHex(two!.iv));
    expect(one!.n + 1).toBe(two!.n);
    expect(toHex(one!.ciphertext)).not.toBe(toHex(two!.ciphertext));
  });
});
