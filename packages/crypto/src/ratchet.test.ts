import { beforeAll, describe, expect, it } from 'vitest';
import { concat, u32 } from './bytes.ts';
import { remember, type Consumed } from './consumed.ts';
import { MAX_CONSUMED, MAX_FORWARD_JUMP, MAX_OLD_CHAINS, MAX_SKIPPED, SKIPPED_LIFETIME } from './limits.ts';
import { receive, responderRatchet } from './ratchet.ts';
import { prunePeer, type PeerState } from './session-state.ts';
import { attempt, conversation, NOW, publicDevice, read, write, type TestDevice } from './session-suite.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const stateOf = (of: TestDevice, peer: TestDevice): PeerState => of.peers.get(peer.device)!;
const ratchetOf = (of: TestDevice, peer: TestDevice) => stateOf(of, peer).sessions[0]!.ratchet;
const [PN, N] = [85, 89];

describe('must 5', () => {
  let a: TestDevice;
  let b: TestDevice;
  const bodies: Uint8Array<ArrayBuffer>[] = [];
  beforeAll(async () => {
    ({ a, b } = await conversation());
    for (let i = 0; i <= MAX_FORWARD_JUMP + 1; i += 1) bodies.push(await write(a, b, `${i}`));
  }, 60_000);

  it('a message further ahead than 2,000 is refused before anything is derived', async () => {
    await expect(attempt(b, publicDevice(a), bodies[MAX_FORWARD_JUMP + 1]!)).rejects.toThrow(
      code('too-far-ahead'),
    );
    const far = bodies[0]!.slice();
    far.set(u32(2 ** 32 - 1), N);
    const before = performance.now();
    await expect(attempt(b, publicDevice(a), far)).rejects.toThrow(code('too-far-ahead'));
    expect(performance.now() - before).toBeLessThan(500);
  });

  it('of 2,000 that were passed over the last 1,000 can still be read', async () => {
    const result = await attempt(b, publicDevice(a), bodies[MAX_FORWARD_JUMP]!);
    if (result.outcome !== 'message') throw new Error(result.outcome);
    const { skipped } = result.state.sessions[0]!.ratchet;
    expect(skipped).toHaveLength(MAX_SKIPPED);
    expect(skipped[0]!.n).toBe(MAX_FORWARD_JUMP - MAX_SKIPPED);
    const later: TestDevice = { ...b, peers: new Map([[a.device, result.state]]) };
    expect(await attempt(later, publicDevice(a), bodies[MAX_SKIPPED]!)).toMatchObject({ outcome: 'message' });
    await expect(attempt(later, publicDevice(a), bodies[MAX_SKIPPED - 1]!)).rejects.toThrow(
      code('message-expired'),
    );
    // One more that is passed over takes the place of the oldest.
    const next = await write(a, b, 'next');
    const last = await read(later, a, next);
    expect(last).toMatchObject({ text: 'next' });
    expect(ratchetOf(later, a).skipped[0]!.n).toBe(MAX_SKIPPED + 1);
  }, 60_000);
});

describe('must 5', () => {
  it('the key of a message that was passed over is kept for 30 days', async () => {
    const { a, b } = await conversation();
    const late = await write(a, b, 'late');
    await read(b, a, await write(a, b, 'early'));
    const last = NOW + SKIPPED_LIFETIME - 1;
    expect(await attempt(b, publicDevice(a), late, last)).toMatchObject({ outcome: 'message' });
    await expect(attempt(b, publicDevice(a), late, last + 1)).rejects.toThrow(code('message-expired'));
    const kept = (now: number) =>
      prunePeer({ state: stateOf(b, a), signedIds: [], now }).sessions[0]!.ratchet.skipped.length;
    expect([kept(last), kept(last + 1)]).toEqual([1, 0]);
  });

  it('chains that were left are kept until they are complete, five of them, 30 days', async () => {
    const { a, b } = await conversation();
    const late: Uint8Array<ArrayBuffer>[] = [];
    for (let i = 0; i <= MAX_OLD_CHAINS + 1; i += 1) {
      await read(b, a, await write(a, b, `${i}`));
      late.push(await write(a, b, `late ${i}`));
      await read(a, b, await write(b, a, 'turn'));
    }
    await read(b, a, await write(a, b, 'last'));
    expect(ratchetOf(b, a).receiving).toHaveLength(MAX_OLD_CHAINS + 1);
    await expect(attempt(b, publicDevice(a), late[0]!)).rejects.toThrow(code('cannot-decrypt'));
    await expect(attempt(b, publicDevice(a), late[1]!)).rejects.toThrow(code('cannot-decrypt'));
    const month = NOW + SKIPPED_LIFETIME;
    await expect(attempt(b, publicDevice(a), late[2]!, month)).rejects.toThrow(code('cannot-decrypt'));
    expect(await read(b, a, late[2]!, month - 1)).toMatchObject({ text: 'late 2' });
    expect(ratchetOf(b, a).receiving, 'complete').toHaveLength(MAX_OLD_CHAINS);
    expect(await read(b, a, late[2]!)).toEqual({ outcome: 'duplicate' });
  });

  it('counters that were used are remembered up to a bound', async () => {
    const { a, b } = await conversation();
    const first = await write(a, b, 'first');
    await read(b, a, first);
    const state = stateOf(b, a);
    const [session, ...others] = state.sessions;
    const { ratchet } = session!;
    let consumed = [ratchet.consumed.at(-1)!.slice(-28)] as Consumed;
    for (let i = 1; i < MAX_CONSUMED; i += 1) consumed = remember(consumed, new Uint8Array(28));
    b.peers.set(a.device, {
      ...state,
      sessions: [{ ...session!, ratchet: { ...ratchet, consumed } }, ...others],
    });
    expect(await attempt(b, publicDevice(a), first)).toEqual({ outcome: 'duplicate' });
    await read(b, a, await write(a, b, 'second'));
    const { length } = concat(...ratchetOf(b, a).consumed);
    expect(length).toBe(28 * MAX_CONSUMED);
    await expect(attempt(b, publicDevice(a), first)).rejects.toThrow(code('message-expired'));
  });
});

it('nothing that is kept is a view of a message: with it the whole message would be stored', async () => {
  const { a, b } = await conversation();
  await write(a, b, 'late');
  await read(b, a, await write(a, b, 'overtakes'));
  await read(a, b, await write(b, a, 'turn'));
  await read(b, a, await write(a, b, 'turn'));
  const { peerRatchet, receiving, skipped, consumed } = ratchetOf(b, a);
  expect([receiving.length, skipped.length, consumed.length]).toEqual([1, 1, 1]);
  const kept = [peerRatchet!, ...consumed, ...[...receiving, ...skipped].map(({ ratchet }) => ratchet)];
  for (const bytes of kept) expect(bytes.buffer.byteLength).toBe(bytes.length);
});

describe('must 6', () => {
  it('a message that came before is a duplicate: at once, out of order, turns later', async () => {
    const { a, b } = await conversation();
    const bodies = [await write(a, b, '0'), await write(a, b, '1'), await write(a, b, '2')];
    for (const i of [1, 0, 2]) {
      await read(b, a, bodies[i]!);
      expect(await read(b, a, bodies[i]!)).toEqual({ outcome: 'duplicate' });
    }
    for (let turn = 0; turn < MAX_OLD_CHAINS + 3; turn += 1) {
      await read(a, b, await write(b, a, 'turn'));
      await read(b, a, await write(a, b, 'turn'));
      for (const body of bodies) expect(await read(b, a, body)).toEqual({ outcome: 'duplicate' });
    }
  });

  it('A7 another message under a used counter is a rollback, and not lost in silence', async () => {
    const { a, b } = await conversation();
    await read(b, a, await write(a, b, 'before'));
    const copy = stateOf(a, b);
    const bodies = [await write(a, b, '0'), await write(a, b, '1'), await write(a, b, '2')];
    for (const i of [0, 2]) await read(b, a, bodies[i]!);
    a.peers.set(b.device, copy);
    const again = [await write(a, b, 'new 0'), await write(a, b, 'new 1'), await write(a, b, 'new 2')];
    // Its key is the one that is waiting for the second: it is read, the one that it stands for is the rollback.
    expect(await read(b, a, again[0]!)).toEqual({ outcome: 'rollback' });
    expect(await read(b, a, again[2]!)).toEqual({ outcome: 'rollback' });
    expect(await read(b, a, again[1]!)).toMatchObject({ text: 'new 1' });
    expect(await read(b, a, bodies[1]!)).toEqual({ outcome: 'rollback' });
    expect(await read(b, a, bodies[0]!)).toEqual({ outcome: 'duplicate' });
  });

  it('A7 a sender gone back past a turn is refused, and not lost in silence', async () => {
    const { a, b } = await conversation();
    const copy = stateOf(a, b);
    await read(b, a, await write(a, b, 'a turn'));
    a.peers.set(b.device, copy);
    await expect(attempt(b, publicDevice(a), await write(a, b, 'another'))).rejects.toThrow(
      code('cannot-decrypt'),
    );
  });

  it('a rolled-back sender repeats no key with the same IV', async () => {
    const { a, b } = await conversation();
    await read(b, a, await write(a, b, 'before'));
    const copy = stateOf(a, b);
    const one = await write(a, b, 'same');
    a.peers.set(b.device, copy);
    const other = await write(a, b, 'same');
    expect(one.slice(20 + 65, 93)).toEqual(other.slice(20 + 65, 93));
    expect(one.slice(93, 105)).not.toEqual(other.slice(93, 105));
  });
});

describe('a ratchet key', () => {
  it('that answers nothing is refused', async () => {
    const { a, b } = await conversation();
    await read(b, a, await write(a, b, 'turn'));
    expect(ratchetOf(b, a).own, 'used up').toBeUndefined();
    const body = await write(a, b, 'x');
    const { publicKey } = (await write(b, a, 'y'), ratchetOf(b, a).own!);
    const state = structuredClone(stateOf(a, b));
    expect(state.peer.device).toBe(b.device);
    const changed = body.slice();
    changed.set(publicKey, 20);
    await expect(attempt(b, publicDevice(a), changed)).rejects.toThrow(code('cannot-decrypt'));
  });

  it('comes with the true length of the chain before', async () => {
    const { a, b } = await conversation();
    await read(b, a, await write(a, b, '0'));
    await read(b, a, await write(a, b, '1'));
    await read(a, b, await write(b, a, 'turn'));
    const body = await write(a, b, 'new chain');
    for (const pn of [0, 1, 3, 2 ** 32 - 1]) {
      const changed = body.slice();
      changed.set(u32(pn), PN);
      await expect(attempt(b, publicDevice(a), changed), `${pn}`).rejects.toThrow(code('cannot-decrypt'));
    }
    expect(await read(b, a, body)).toMatchObject({ text: 'new chain' });
  });

  it('of the very first chain has none before', async () => {
    const key = await crypto.subtle.importKey('raw', new Uint8Array(32), 'HKDF', false, ['deriveKey']);
    const { b, a } = await conversation();
    const ratchet = responderRatchet(key, b.identity);
    const bytes = new Uint8Array(101);
    const header = { ratchet: a.identity.publicKey, previous: 1, n: 0, iv: new Uint8Array(12), bytes };
    const message = { header, bytes };
    const open = () => Promise.resolve('opened');
    await expect(receive(ratchet, message, NOW, open)).rejects.toThrow(code('cannot-decrypt'));
    const good = { ...message, header: { ...header, previous: 0 } };
    const first = await receive(ratchet, good, NOW, open);
    if (first.outcome !== 'message') throw new Error(first.outcome);
    expect(first.content).toBe('opened');
    // Nor may a chain end before the messages that came in it, whoever says so.
    const turned = { ...first.ratchet, own: b.identity };
    const next = { ...message, header: { ...header, ratchet: a.signing.publicKey } };
    const short = { ...next, header: { ...next.header, previous: 0 } };
    await expect(receive(turned, short, NOW, open)).rejects.toThrow(code('cannot-decrypt'));
    expect(await receive(turned, next, NOW, open)).toMatchObject({ content: 'opened' });
    const long = { ...next, header: { ...next.header, previous: 3 } };
    const left = await receive(turned, long, NOW, open);
    if (left.outcome !== 'message') throw new Error(left.outcome);
    const last = (n: number) => receive(left.ratchet, { ...good, header: { ...good.header, n } }, NOW, open);
    expect(await last(2)).toMatchObject({ content: 'opened' });
    await expect(last(3)).rejects.toThrow(code('cannot-decrypt'));
  });
});
