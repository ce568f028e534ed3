import { describe, expect, it } from 'vitest';
import { u32 } from './bytes.ts';
import { DAY, MAX_GENERATION_JUMP, MAX_OLD_SESSIONS, MAX_REPLAYS, OLD_SESSION_LIFETIME } from './limits.ts';
import { handshakeOf, readBody } from './session-body.ts';
import { prunePeer, type PeerState } from './session-state.ts';
import {
  attempt,
  conversation,
  named,
  NOW,
  publicDevice,
  read,
  start,
  testDevice,
  write,
  type TestDevice,
} from './session-suite.ts';
import { fromHex, toHex, unchanged } from './test-support.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const stateOf = (of: TestDevice, peer: TestDevice): PeerState => of.peers.get(peer.device)!;
const sendingId = (of: TestDevice, peer: TestDevice) => toHex(stateOf(of, peer).sessions[0]!.id);
const hashOf = (of: TestDevice, peer: TestDevice) => toHex(stateOf(of, peer).sessions[0]!.baseHash);
const two = (oneTime = 3) => Promise.all([testDevice(oneTime), testDevice(oneTime)]);

/** Both started; the first of the two has the smaller hash, so that its session is the one that sends. */
const bothStarted = async () => {
  const [a, b] = await two();
  const [fromA, fromB] = [await write(a, b, 'from a'), await write(b, a, 'from b')];
  const aWins = hashOf(a, b) < hashOf(b, a);
  return aWins
    ? { winner: a, loser: b, ofWinner: fromA, ofLoser: fromB }
    : { winner: b, loser: a, ofWinner: fromB, ofLoser: fromA };
};

describe('must 8', () => {
  it('both starting at once end in the session with the smaller hash, whatever comes first', async () => {
    for (let i = 0; i < 4; i += 1) {
      const { winner, loser, ofWinner, ofLoser } = await bothStarted();
      const id = sendingId(winner, loser);
      const reading = [() => read(winner, loser, ofLoser), () => read(loser, winner, ofWinner)];
      if (i % 2 === 1) reading.reverse();
      for (const one of reading) expect((await one()).outcome).toBe('message');
      expect([sendingId(winner, loser), sendingId(loser, winner)]).toEqual([id, id]);
      expect(await read(winner, loser, await write(loser, winner, 'on'))).toMatchObject({
        text: 'on',
        sending: true,
      });
      expect(await read(loser, winner, await write(winner, loser, 'on'))).toMatchObject({
        text: 'on',
        sending: true,
      });
    }
  });

  it('a first message that is late does not undo what both have agreed on', async () => {
    const { winner, loser, ofWinner, ofLoser } = await bothStarted();
    const id = sendingId(winner, loser);
    await read(loser, winner, ofWinner);
    await read(winner, loser, await write(loser, winner, 'an answer'));
    expect(await read(winner, loser, ofLoser)).toMatchObject({ outcome: 'message', sending: false });
    expect([sendingId(winner, loser), sendingId(loser, winner)]).toEqual([id, id]);
  });

  it('the session that does not send is read for 30 days', async () => {
    const { winner, loser, ofWinner, ofLoser } = await bothStarted();
    const second = await write(loser, winner, 'second');
    const third = await write(loser, winner, 'third');
    await read(winner, loser, ofLoser);
    await read(loser, winner, ofWinner);
    expect(await read(winner, loser, second, NOW + OLD_SESSION_LIFETIME - 1)).toMatchObject({
      text: 'second',
    });
    await expect(attempt(winner, publicDevice(loser), third, NOW + OLD_SESSION_LIFETIME)).rejects.toThrow(
      code('replayed'),
    );
  });

  it('A7 a later handshake sends whatever its hash, and an old session never again', async () => {
    for (let i = 0; i < 4; i += 1) {
      const { a, b } = await conversation();
      const old = await write(b, a, 'on its way');
      const first = sendingId(a, b);
      await start(a, b);
      expect(await read(b, a, await write(a, b, 'anew'))).toMatchObject({ text: 'anew', sending: true });
      expect(sendingId(b, a)).toBe(sendingId(a, b));
      expect(await read(a, b, old)).toMatchObject({ text: 'on its way', sending: false });
      expect(sendingId(a, b)).not.toBe(first);
      expect(await read(a, b, await write(b, a, 'answer'))).toMatchObject({ text: 'answer', sending: true });
      expect(stateOf(a, b).generation).toBe(2);
    }
  });

  it('a generation far ahead, or none, is refused', async () => {
    const { a, b } = await conversation();
    await start(a, b);
    const body = await write(a, b, 'x');
    const generation = (value: number) => {
      const changed = body.slice();
      // After the preamble, two ids, a flag between them and a kind; here one-time keys have run out.
      changed.set(u32(value), 14);
      return changed;
    };
    expect(generation(2)).toEqual(body);
    for (const value of [0, MAX_GENERATION_JUMP + 2, 2 ** 32 - 1, 1, 3]) {
      await expect(attempt(b, publicDevice(a), generation(value)), `${value}`).rejects.toThrow(
        code('cannot-decrypt'),
      );
    }
    // Also when it is what the sender really made.
    const [c, d] = await two(0);
    await start(c, d);
    c.peers.set(d.device, { ...stateOf(c, d), generation: -1 });
    await start(c, d);
    const sessions = stateOf(c, d).sessions.filter(({ generation: one }) => one === 0);
    c.peers.set(d.device, { ...stateOf(c, d), sessions });
    await expect(attempt(d, publicDevice(c), await write(c, d, 'x'))).rejects.toThrow(code('cannot-decrypt'));
    const behind = { ...stateOf(a, b), generation: stateOf(a, b).generation + MAX_GENERATION_JUMP };
    a.peers.set(b.device, behind);
    await start(a, b);
    await expect(attempt(b, publicDevice(a), await write(a, b, 'x'))).rejects.toThrow(code('cannot-decrypt'));
  });

  it('old sessions are five', async () => {
    const [a, b] = await two(9);
    const late: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i <= MAX_OLD_SESSIONS + 1; i += 1) {
      await start(a, b);
      late.push(await write(a, b, `late ${i}`));
      await read(b, a, await write(a, b, `${i}`));
    }
    expect(stateOf(b, a).sessions).toHaveLength(MAX_OLD_SESSIONS + 1);
    expect(stateOf(a, b).sessions).toHaveLength(MAX_OLD_SESSIONS + 1);
    await expect(attempt(b, publicDevice(a), late[0]!)).rejects.toThrow(code('replayed'));
    expect(await read(b, a, late[1]!)).toMatchObject({ text: 'late 1' });
  });
});

describe('a device that was put back', () => {
  it('is read, and answered in a session of a higher generation, though many of its own are behind', async () => {
    const [a, b] = await two(9);
    await start(a, b);
    await read(b, a, await write(a, b, 'first'));
    const copy = stateOf(b, a);
    for (let i = 0; i <= MAX_OLD_SESSIONS; i += 1) {
      await start(a, b);
      await read(b, a, await write(a, b, `${i}`));
    }
    b.peers.set(a.device, copy);
    await expect(attempt(b, publicDevice(a), await write(a, b, 'lost'))).rejects.toThrow(
      code('prekey-unknown'),
    );
    await start(b, a);
    for (const text of ['0', '1', '2']) {
      expect(await read(a, b, await write(b, a, text))).toMatchObject({ text, sending: false });
    }
    expect(stateOf(a, b).sessions).toHaveLength(MAX_OLD_SESSIONS + 1);
    await start(a, b);
    expect(await read(b, a, await write(a, b, 'anew'))).toMatchObject({ text: 'anew', sending: true });
    expect(sendingId(a, b)).toBe(sendingId(b, a));
  });
});

describe('must 7', () => {
  const both = async (oneTime: number) => {
    const [a, b] = await two(oneTime);
    const body = await write(a, b, 'hello');
    const prekeys = named(b, body);
    await read(b, a, body);
    /** As if the session had been given up in the meantime. */
    const forget = () => b.peers.set(a.device, { ...stateOf(b, a), sessions: [] });
    return { a, b, body, prekeys, forget };
  };

  it.each([0, 1])(
    'a repeated prekey and base key are refused once their session is gone, %d one-time',
    async (oneTime) => {
      const { a, b, body, prekeys, forget } = await both(oneTime);
      expect(await attempt(b, publicDevice(a), body, NOW, prekeys)).toEqual({ outcome: 'duplicate' });
      forget();
      await expect(attempt(b, publicDevice(a), body, NOW, prekeys)).rejects.toThrow(code('replayed'));
    },
  );

  it('the rule is not evaded with -P, which has the same shared secret, nor with another ciphertext', async () => {
    const { a, b, body, prekeys, forget } = await both(0);
    forget();
    // -P: the same x, and p - y.
    const p = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
    const at = handshakeAt(body);
    const y = BigInt(`0x${toHex(body.slice(at + 33, at + 65))}`);
    const negated = body.slice();
    negated.set(fromHex((p - y).toString(16).padStart(64, '0')), at + 33);
    await expect(attempt(b, publicDevice(a), negated, NOW, prekeys)).rejects.toThrow(code('cannot-decrypt'));
    const other = body.slice();
    other[at + 65]! ^= 1;
    await expect(attempt(b, publicDevice(a), other, NOW, prekeys)).rejects.toThrow(code('replayed'));
  });

  it('first messages of a session that stands are not taken for repeats', async () => {
    const [a, b] = await two(0);
    const bodies = [await write(a, b, '0'), await write(a, b, '1'), await write(a, b, '2')];
    for (const [i, body] of bodies.entries()) expect(await read(b, a, body)).toMatchObject({ text: `${i}` });
    expect(stateOf(b, a).replays).toHaveLength(1);
  });

  it('a one-time prekey serves once', async () => {
    const { a, b, body, forget } = await both(1);
    forget();
    b.peers.delete(a.device);
    await expect(attempt(b, publicDevice(a), body)).rejects.toThrow(code('prekey-unknown'));
  });

  it('what came is remembered as long as its signed prekey is held, up to a bound', async () => {
    const { a, b } = await both(0);
    const state = stateOf(b, a);
    const kept = await unchanged({ state, signedIds: [1, 2], now: NOW + 999 * DAY }, async (all) =>
      prunePeer(all),
    );
    expect(kept.replays).toHaveLength(1);
    expect(prunePeer({ state, signedIds: [2], now: NOW }).replays).toHaveLength(0);
    const full = {
      ...state,
      replays: Array.from({ length: MAX_REPLAYS }, () => ({ signedId: 9, hash: new Uint8Array(16) })),
    };
    b.peers.set(a.device, full);
    await start(a, b);
    await read(b, a, await write(a, b, 'one more'));
    expect(stateOf(b, a).replays).toHaveLength(MAX_REPLAYS);
    expect(stateOf(b, a).replays.at(-1)).toMatchObject({ signedId: 1 });
  });
});

describe('what time takes away', () => {
  it('is old sessions, and never the one that sends', async () => {
    const { a, b } = await conversation();
    await start(a, b);
    const prune = (now: number) => prunePeer({ state: stateOf(a, b), signedIds: [1], now }).sessions.length;
    expect(prune(NOW + OLD_SESSION_LIFETIME - 1)).toBe(2);
    expect(prune(NOW + OLD_SESSION_LIFETIME)).toBe(1);
    expect(prune(NOW + 999 * DAY)).toBe(1);
    // Another start does not make an old one younger.
    await start(a, b, NOW + DAY);
    expect(prune(NOW + OLD_SESSION_LIFETIME)).toBe(2);
    expect(prune(NOW + DAY + OLD_SESSION_LIFETIME)).toBe(1);
  });
});

const handshakeAt = (body: Uint8Array): number => {
  const { baseKey } = handshakeOf(body)!;
  const read = readBody(body);
  if (read.type === 'signal') throw new Error('a signal');
  return toHex(body).indexOf(toHex(baseKey)) / 2;
};
