import { describe, expect, it } from 'vitest';
import { concat, toBase64url, u8, type Bytes } from './bytes.ts';
import type { PublicDevice } from './handshake.ts';
import { generateAgreementKey, generateSigningKey } from './keys.ts';
import {
  attempt,
  conversation,
  named,
  NOW,
  publicDevice,
  read,
  testDevice,
  write,
  type TestDevice,
} from './session-suite.ts';
import { BAD_POINTS, flipped, random } from './test-support.ts';

const code = (name: string) => expect.objectContaining({ code: name });
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

describe('must 2', () => {
  it('a first message is bound to both accounts, devices, signing and identity keys', async () => {
    const [a, b] = await two();
    const body = await write(a, b, 'hello');
    const peer = publicDevice(a);
    const signing = await generateSigningKey();
    const identity = await generateAgreementKey();
    const ids = { account: toBase64url(random(32)), device: toBase64url(random(16)) };
    const senders: Record<string, PublicDevice> = {
      account: { ...peer, account: ids.account },
      device: { ...peer, device: ids.device },
      signing: { ...peer, signing: signing.publicKey },
      identity: { ...peer, identity: identity.publicKey },
    };
    for (const [what, from] of Object.entries(senders)) {
      await expect(attempt(b, from, body), `sender's ${what}`).rejects.toThrow(code('cannot-decrypt'));
    }
    const receivers: Record<string, TestDevice> = {
      account: { ...b, account: ids.account },
      device: { ...b, device: ids.device },
      signing: { ...b, signing },
      identity: { ...b, identity },
      'identity, the public half alone': { ...b, identity: { ...b.identity, publicKey: identity.publicKey } },
    };
    for (const [what, to] of Object.entries(receivers)) {
      await expect(attempt(to, peer, body), `receiver's ${what}`).rejects.toThrow(code('cannot-decrypt'));
    }
    expect(await read(b, a, body)).toMatchObject({ text: 'hello' });
  });

  it.each(['first', 'later'])(
    'a %s message is bound to its whole header, and to all the handshake',
    async (which) => {
      const [a, b] = await two();
      let body = await write(a, b, 'hello');
      if (which === 'later') {
        await read(b, a, body);
        await read(a, b, await write(b, a, 'answer'));
        body = await write(a, b, 'hello again');
      }
      // Every byte, but of the 1,088 of the ciphertext of the KEM every 64th.
      for (let at = 4; at < body.length; at += 1) {
        const inKem = which === 'first' && at >= FIRST.ciphertext && at < FIRST.ratchet;
        if (inKem && at % 64 !== 0) continue;
        const error = await attempt(b, publicDevice(a), flipped(body, at)).catch((thrown: unknown) => thrown);
        expect(error, `byte ${at}`).toMatchObject({ name: 'CryptoError' });
      }
      await read(b, a, body);
    },
  );

  it('I a message is refused cut anywhere, or with more behind it', async () => {
    const { a, b } = await conversation();
    const body = await write(a, b, 'hello');
    for (let length = 0; length < body.length; length += 1) {
      const error = await attempt(b, publicDevice(a), body.slice(0, length)).catch(
        (thrown: unknown) => thrown,
      );
      expect(error, `${length}`).toMatchObject({ code: 'cannot-decrypt' });
    }
    await expect(attempt(b, publicDevice(a), concat(body, u8(0)))).rejects.toThrow(code('cannot-decrypt'));
  });

  it('I a message is for nobody else, and cannot be sent back', async () => {
    const { a, b } = await conversation();
    const c = await testDevice();
    const body = await write(a, b, 'for b');
    await expect(attempt(c, publicDevice(a), body)).rejects.toThrow(code('no-session'));
    await expect(attempt(b, publicDevice(c), body)).rejects.toThrow(code('no-session'));
    await expect(attempt(a, publicDevice(b), body)).rejects.toThrow(code('cannot-decrypt'));
    const [d, e] = await two();
    const first = await write(d, e, 'first');
    await expect(attempt(d, publicDevice(e), first)).rejects.toThrow(code('cannot-decrypt'));
  });
});

describe('must 10 and 11', () => {
  it('unknown versions, suites and types fail closed', async () => {
    const { a, b } = await conversation();
    const body = await write(a, b, 'hello');
    const changes: [number, number][] = [
      [0, 0],
      [0, 2],
      [0, 255],
      [1, 1],
      [2, 0],
      [2, 2],
      [3, 0],
      [3, 6],
      [3, 255],
    ];
    for (const [at, value] of changes) {
      const changed = body.slice();
      changed[at] = value;
      await expect(attempt(b, publicDevice(a), changed), `${at}: ${value}`).rejects.toThrow(
        code('unsupported'),
      );
    }
  });

  it('a handshake has one encoding', async () => {
    const [a, b] = await two();
    const body = await write(a, b, 'hello');
    const set = (at: number, value: number) => {
      const changed = body.slice();
      changed[at] = value;
      return changed;
    };
    for (const value of [2, 255]) {
      await expect(attempt(b, publicDevice(a), set(FIRST.oneTimeFlag, value))).rejects.toThrow(
        code('cannot-decrypt'),
      );
    }
    // Without a one-time prekey another flag would mean the same as 0.
    const [c, d] = await two(0);
    const without = await write(c, d, 'hello');
    for (const value of [2, 255]) {
      const changed = without.slice();
      changed[FIRST.oneTimeFlag] = value;
      await expect(attempt(d, publicDevice(c), changed)).rejects.toThrow(code('cannot-decrypt'));
    }
    expect(await read(d, c, without)).toMatchObject({ text: 'hello' });
    for (const value of [0, 1, 2, 5, 255]) {
      await expect(attempt(b, publicDevice(a), set(FIRST.pqKind, value))).rejects.toThrow(
        code('cannot-decrypt'),
      );
    }
  });

  it('A5 stripping the one-time prekey, or naming the last resort instead, is refused', async () => {
    const [a, b] = await two();
    const body = await write(a, b, 'hello');
    const without = concat(body.subarray(0, 8), u8(0), body.subarray(13));
    await expect(attempt(b, publicDevice(a), without)).rejects.toThrow(code('cannot-decrypt'));
    const resort = flipped(body, FIRST.pqKind, 4 ^ 3);
    await expect(attempt(b, publicDevice(a), resort)).rejects.toThrow(code('cannot-decrypt'));
  });

  it('A5 prekeys of other kinds and ids than named are not taken', async () => {
    const [a, b] = await two(2);
    const body = await write(a, b, 'hello');
    const mine = named(b, body);
    const pick = (kind: string, id: number) => b.prekeys.find((key) => key.kind === kind && key.id === id);
    const wrong: Record<string, object> = {
      'no signed': { ...mine, signed: undefined },
      'no one-time': { ...mine, oneTime: undefined },
      'no post-quantum': { ...mine, pq: undefined },
      'another one-time': { ...mine, oneTime: pick('one-time', 2) },
      'another post-quantum': { ...mine, pq: pick('pq-one-time', 2) },
      'the last resort': { ...mine, pq: pick('pq-last-resort', 1) },
      'another signed': { ...mine, signed: { ...pick('signed', 1)!, id: 2 } },
      'one-time as signed': { ...mine, signed: pick('one-time', 1) },
      'signed as one-time': { ...mine, oneTime: pick('signed', 1) },
    };
    for (const [what, prekeys] of Object.entries(wrong)) {
      await expect(attempt(b, publicDevice(a), body, NOW, prekeys), what).rejects.toThrow(
        code('prekey-unknown'),
      );
    }
  });

  it('A6 degenerate ratchet and base keys are refused', async () => {
    const { a, b } = await conversation();
    const later = await write(a, b, 'later');
    const [c, d] = await two();
    const first = await write(c, d, 'first');
    const points = Object.values(BAD_POINTS).filter((point) => point.length === 65);
    expect(points.length).toBeGreaterThan(4);
    const put = (body: Bytes, at: number, point: Bytes) => {
      const changed = body.slice();
      changed.set(point, at);
      return changed;
    };
    for (const point of points) {
      const refused = code('cannot-decrypt');
      await expect(attempt(b, publicDevice(a), put(later, LATER.ratchet, point))).rejects.toThrow(refused);
      await expect(attempt(d, publicDevice(c), put(first, FIRST.ratchet, point))).rejects.toThrow(refused);
      await expect(attempt(d, publicDevice(c), put(first, FIRST.base, point))).rejects.toThrow(refused);
    }
  });

  it('A9 arbitrary bytes are refused by one kind of error', async () => {
    const { a, b } = await conversation();
    for (let i = 0; i < 300; i += 1) {
      const body = concat(new Uint8Array([1, 0, 1, i % 6]), random(i * 7));
      const error = await attempt(b, publicDevice(a), body, NOW, {}).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'CryptoError' });
    }
    expect(await read(b, a, await write(a, b, 'still'))).toMatchObject({ text: 'still' });
  });
});
