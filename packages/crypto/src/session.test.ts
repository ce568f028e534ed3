import { describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import { DAY, UNANSWERED_LIFETIME } from './limits.ts';
import { decrypt, encrypt, encryptKey, startSession } from './session.ts';
import { readBody } from './session-body.ts';
import { handshakeDue, type PeerState } from './session-state.ts';
import {
  attempt,
  conversation,
  NOW,
  publicDevice,
  read,
  start,
  takeBundle,
  testDevice,
  write,
  type TestDevice,
} from './session-suite.ts';
import { flipped, toHex, unchanged } from './test-support.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const stateOf = (of: TestDevice, peer: TestDevice): PeerState => of.peers.get(peer.device)!;
const two = (oneTime = 1) => Promise.all([testDevice(oneTime), testDevice(oneTime)]);

/** Offsets in a first message with a one-time prekey, and in a later one. */
const FIRST = {
  oneTimeFlag: 8,
  pqKind: 13,
  generation: 18,
  base: 22,
  ciphertext: 87,
  ratchet: 1175,
  text: 1260,
};
const LATER = { id: 4, ratchet: 20, pn: 85, n: 89, iv: 93, text: 105 };

describe('a session', () => {
  it('carries messages both ways, turn after turn', async () => {
    const { a, b } = await conversation();
    const ratchets = new Set<string>();
    for (let i = 0; i < 4; i += 1) {
      const there = await write(a, b, `to ${i}`);
      ratchets.add(toHex(there.slice(LATER.ratchet, LATER.pn)));
      expect(await read(b, a, there)).toMatchObject({ text: `to ${i}`, consumed: [], sending: true });
      expect(await read(a, b, await write(b, a, `fro ${i}`))).toMatchObject({ text: `fro ${i}` });
    }
    expect(ratchets.size, 'a new key at every turn').toBe(4);
  });

  it('carries nothing, and much', async () => {
    const { a, b } = await conversation();
    for (const text of ['', 'x'.repeat(100_000)]) {
      expect(await read(b, a, await write(a, b, text))).toMatchObject({ text });
    }
  });

  it('repeats its handshake until it is answered, and is set up by any of the first messages', async () => {
    const [a, b] = await two();
    const bodies = [await write(a, b, '0'), await write(a, b, '1'), await write(a, b, '2')];
    for (const body of bodies)
      expect(body.slice(0, FIRST.ratchet)).toEqual(bodies[0]!.slice(0, FIRST.ratchet));
    expect(await read(b, a, bodies[2]!)).toMatchObject({
      text: '2',
      consumed: [
        { kind: 'one-time', id: 1 },
        { kind: 'pq-one-time', id: 1 },
      ],
    });
    expect(b.prekeys.map(({ kind }) => kind)).toEqual(['signed', 'pq-last-resort']);
    expect(await read(b, a, bodies[0]!)).toMatchObject({ text: '0', consumed: [] });
    await read(a, b, await write(b, a, 'answer'));
    const later = await write(a, b, '3');
    expect(later[3]).toBe(1);
    expect(await read(b, a, later)).toMatchObject({ text: '3' });
    expect(await read(b, a, bodies[1]!)).toMatchObject({ text: '1' });
  });

  it('falls back to the last resort, for more than one, and consumes nothing', async () => {
    const [a, b] = await two(0);
    const c = await testDevice();
    for (const from of [a, c]) {
      expect(await read(b, from, await write(from, b, 'hello'))).toMatchObject({
        text: 'hello',
        consumed: [],
      });
    }
    expect(b.prekeys).toHaveLength(2);
  });

  it('goes on from a state that was stored and read back', async () => {
    const { a, b } = await conversation();
    const late = await write(a, b, 'late');
    await read(b, a, await write(a, b, 'early'));
    b.peers.set(a.device, structuredClone(stateOf(b, a)));
    a.peers.set(b.device, structuredClone(stateOf(a, b)));
    expect(await read(b, a, late)).toMatchObject({ text: 'late' });
    expect(await read(a, b, await write(b, a, 'on'))).toMatchObject({ text: 'on' });
  });

  it('hands over a key that was never bytes, with its context, first and later', async () => {
    const [a, b] = await two();
    await start(a, b);
    for (const answered of [false, true]) {
      const key = await crypto.subtle.generateKey({ name: 'AES-CTR', length: 256 }, true, ['encrypt']);
      const context = utf8('what it is for');
      const made = await unchanged({ state: stateOf(a, b), key, context, now: NOW }, encryptKey);
      a.peers.set(b.device, made.state);
      expect(made.body[3]).toBe(answered ? 3 : 4);
      const at = made.body.length - 48 - context.length;
      for (const where of [at, at - 2, made.body.length - 1]) {
        await expect(attempt(b, publicDevice(a), flipped(made.body, where))).rejects.toThrow(
          code('cannot-decrypt'),
        );
      }
      const result = await read(b, a, made.body);
      if (result.outcome !== 'message' || result.content.type !== 'key') throw new Error('no key');
      expect(result.content.context).toEqual(context);
      expect(result.content.key).toMatchObject({ extractable: false, usages: ['unwrapKey'] });
      const raw = new Uint8Array(await crypto.subtle.exportKey('raw', key));
      expect(toHex(made.body)).not.toContain(toHex(raw));
      // The same key: what it unwraps is what the one handed in encrypts.
      const counter = { name: 'AES-CTR', counter: new Uint8Array(16), length: 64 };
      const zeros = new Uint8Array(32);
      const chain = await crypto.subtle.unwrapKey('raw', zeros, result.content.key, counter, 'HKDF', false, [
        'deriveBits',
      ]);
      const known = await crypto.subtle.encrypt(counter, key, zeros);
      const imported = await crypto.subtle.importKey('raw', known, 'HKDF', false, ['deriveBits']);
      const hkdf = { name: 'HKDF', hash: 'SHA-256', salt: zeros, info: zeros };
      expect(await crypto.subtle.deriveBits(hkdf, chain, 256)).toEqual(
        await crypto.subtle.deriveBits(hkdf, imported, 256),
      );
      await read(a, b, await write(b, a, 'answer'));
    }
  });

  it('takes a key of 256 bits and no other', async () => {
    const { a, b } = await conversation();
    const key = await crypto.subtle.generateKey({ name: 'AES-CTR', length: 128 }, true, ['encrypt']);
    const request = { state: stateOf(a, b), key, context: utf8(''), now: NOW };
    const { body } = await encryptKey(request);
    await expect(attempt(b, publicDevice(a), body)).rejects.toThrow(code('cannot-decrypt'));
  });

  it('keeps every secret out of reach of script', async () => {
    const { a, b } = await conversation();
    await write(a, b, 'lost');
    await read(b, a, await write(a, b, 'read'));
    const keys: CryptoKey[] = [];
    const walk = (value: unknown): void => {
      if (value instanceof CryptoKey) keys.push(value);
      else if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value)) {
        for (const each of Object.values(value)) walk(each);
      }
    };
    walk([stateOf(a, b), stateOf(b, a)]);
    expect(keys.length).toBeGreaterThan(8);
    for (const key of keys) {
      expect(key.extractable).toBe(false);
      expect(key.usages).not.toContain('deriveBits');
      for (const format of ['raw', 'jwk', 'pkcs8'] as const) {
        await expect(crypto.subtle.exportKey(format, key)).rejects.toThrow();
      }
    }
  });

  it("sends nothing where there is none, and is not another's", async () => {
    const { a, b } = await conversation();
    const c = await testDevice();
    const empty = { ...stateOf(a, b), sessions: [] };
    await expect(encrypt({ state: empty, plaintext: utf8('x'), now: NOW })).rejects.toThrow(
      code('no-session'),
    );
    const body = await write(a, b, 'x');
    const request = { me: b, peer: publicDevice(c), state: stateOf(b, a), body, now: NOW };
    await expect(decrypt(request)).rejects.toThrow(code('no-session'));
    const other = { me: a, peer: publicDevice(c), bundle: takeBundle(c), state: stateOf(a, b), now: NOW };
    await expect(startSession(other)).rejects.toThrow(code('no-session'));
  });
});

describe('must 1', () => {
  it('no session is started with a bundle of which anything is wrong', async () => {
    const [a, b] = await two();
    for (const slot of ['signed', 'oneTime', 'pq'] as const) {
      const bundle = takeBundle({ ...b, handedOut: 0 });
      const changed = {
        ...bundle,
        [slot]: { ...bundle[slot]!, signature: flipped(bundle[slot]!.signature, 9) },
      };
      await expect(start(a, b, NOW, changed), slot).rejects.toThrow(code('bad-bundle'));
    }
    const { pq: _, ...stripped } = takeBundle({ ...b, handedOut: 0 });
    await expect(start(a, b, NOW, stripped as never)).rejects.toThrow(code('bad-bundle'));
    await expect(start(a, b, NOW + 45 * DAY)).rejects.toThrow(code('bad-bundle'));
    expect(a.peers.size).toBe(0);
  });
});

describe('must 3 and 4', () => {
  it('what fails changes nothing, and the true message is read after it', async () => {
    const { a, b } = await conversation();
    const bodies = [await write(a, b, '0'), await write(a, b, '1')];
    const before = stateOf(b, a);
    for (const at of [LATER.id, LATER.ratchet + 1, LATER.pn + 3, LATER.n + 3, LATER.iv, LATER.text]) {
      // `attempt` fails when anything in what it hands in is changed, be it an object or a byte.
      await expect(attempt(b, publicDevice(a), flipped(bodies[1]!, at)), `${at}`).rejects.toThrow();
      expect(stateOf(b, a)).toBe(before);
    }
    expect(await read(b, a, bodies[1]!)).toMatchObject({ text: '1' });
    expect(await read(b, a, bodies[0]!)).toMatchObject({ text: '0' });
  });

  it('reading is a function: the same twice from one state', async () => {
    const { a, b } = await conversation();
    const body = await write(a, b, 'hello');
    const [one, other] = [await attempt(b, publicDevice(a), body), await attempt(b, publicDevice(a), body)];
    expect(one).toEqual(other);
  });

  it('a forged first message consumes no prekey', async () => {
    const [a, b] = await two();
    const body = await write(a, b, 'hello');
    await expect(attempt(b, publicDevice(a), flipped(body, body.length - 1))).rejects.toThrow();
    expect(await read(b, a, body)).toMatchObject({ text: 'hello' });
  });
});

describe('A12', () => {
  it('a stolen state opens nothing from before, and nothing from after both have written anew', async () => {
    const { a, b } = await conversation();
    const before = [await write(a, b, '0'), await write(a, b, '1')];
    for (const body of before) await read(b, a, body);
    const sent = await write(b, a, 'mine');
    const stolen: TestDevice = { ...b, peers: new Map(b.peers), prekeys: [...b.prekeys] };
    await read(a, b, sent);
    for (const body of before) {
      expect(await attempt(stolen, publicDevice(a), body)).toEqual({ outcome: 'duplicate' });
    }
    expect(readBody(sent).type).toBe('message');
    // Within reach of the thief: the next turn of the other side.
    const next = await write(a, b, 'next');
    expect(await attempt(stolen, publicDevice(a), next)).toMatchObject({ outcome: 'message' });
    await read(b, a, next);
    await read(a, b, await write(b, a, 'a key that the thief has not seen'));
    const healed = await write(a, b, 'healed');
    await expect(attempt(stolen, publicDevice(a), healed)).rejects.toThrow(code('cannot-decrypt'));
    expect(await read(b, a, healed)).toMatchObject({ text: 'healed' });
  });

  it('nothing of a key stays behind when its message was read', async () => {
    const { a, b } = await conversation();
    const late = await write(a, b, 'late');
    await read(b, a, await write(a, b, 'early'));
    expect(stateOf(b, a).sessions[0]!.ratchet.skipped).toHaveLength(1);
    await read(b, a, late);
    expect(stateOf(b, a).sessions[0]!.ratchet.skipped).toHaveLength(0);
    await read(a, b, await write(b, a, 'turn'));
    await read(b, a, await write(a, b, 'turn'));
    expect(stateOf(b, a).sessions[0]!.ratchet.receiving, 'a complete chain is gone').toHaveLength(1);
  });
});

describe('must 8 a handshake is due', () => {
  it('where there is none, after 30 days without an answer, and after 30 days anyway', async () => {
    const { a, b } = await conversation();
    const [c, d] = await two();
    await start(c, d);
    expect(handshakeDue(undefined, NOW)).toBe('none');
    const [answered, unanswered] = [stateOf(a, b), stateOf(c, d)];
    expect(handshakeDue({ ...answered, sessions: [] }, NOW)).toBe('none');
    for (const state of [answered, unanswered]) {
      expect(handshakeDue(state, NOW + UNANSWERED_LIFETIME - 1)).toBeUndefined();
    }
    expect(handshakeDue(unanswered, NOW + UNANSWERED_LIFETIME)).toBe('unanswered');
    expect(handshakeDue(answered, NOW + UNANSWERED_LIFETIME)).toBe('refresh');
    const late = { plaintext: utf8('x'), now: NOW + UNANSWERED_LIFETIME };
    await expect(encrypt({ ...late, state: unanswered })).rejects.toThrow(code('session-expired'));
    expect(await encrypt({ ...late, state: answered })).toHaveProperty('body');
  });
});
