import { beforeAll, describe, expect, it } from 'vitest';
import { concat, u64, type Bytes } from './bytes.ts';
import { HEAD_INTERVAL_MS, signHead, verifyHead } from './chain-head.ts';
import type { ChainState } from './chain-rules.ts';
import { buildChain, join, newDevice, newRecovery, NOW, startChain, type Member } from './chain-suite.ts';
import {
  compareChains,
  extendChain,
  placeOfHead,
  recoveryPoint,
  UNDO_MS,
  viewChain,
  type KnownChain,
} from './chain-view.ts';
import { accountOf, revokeDevice, setRecoveryKey, verifyChain } from './chain.ts';
import { sign } from './keys.ts';
import { I } from './labels.ts';
import { flipped, random, unchanged } from './test-support.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const DAY = 24 * 60 * 60 * 1000;

let [first, second, thief, next]: Member[] = [];
let [recovery, recovery2, recovery3]: Member[] = [];
/** First device, recovery key. */
let events: Bytes[];
let base: ChainState;
let known: KnownChain;

const adds = (author: Member, device: Member) => (state: ChainState) => join(state, author, device);
const revokes = (author: Member, device: Member) => (state: ChainState) =>
  revokeDevice({ state, author: author.signing, createdAt: NOW, device: device.id });
const recovers =
  (author: Member, { signing, other }: Member) =>
  (state: ChainState) =>
    setRecoveryKey({
      state,
      author: author.signing,
      createdAt: NOW,
      recovery: { signing, sealing: other.publicKey },
    });

/** The base chain, and what follows it. */
const after = async (...steps: Parameters<typeof buildChain>[1][]) =>
  (await buildChain({ event: events.at(-1)!, state: base }, ...steps)).events.slice(1);
const branch = async (...steps: Parameters<typeof buildChain>[1][]) => [
  ...events,
  ...(await after(...steps)),
];

beforeAll(async () => {
  [first, second, thief, next] = await Promise.all([newDevice(), newDevice(), newDevice(), newDevice()]);
  [recovery, recovery2, recovery3] = await Promise.all([newRecovery(), newRecovery(), newRecovery()]);
  ({ events, state: base } = await buildChain(await startChain(first!), recovers(first!, recovery!)));
  known = await viewChain(events, NOW);
});

describe('a known chain', () => {
  it('takes in what extends it: the whole, the rest, or nothing new', async () => {
    const longer = await branch(adds(first!, second!), revokes(second!, first!));
    for (const given of [longer, longer.slice(1), longer.slice(2)]) {
      const { chain, added, dropped, byRecovery } = await extendChain(known, given, NOW + 1);
      expect(chain.state).toEqual(await verifyChain(longer));
      expect(chain.entries.map(({ event }) => event)).toEqual(longer);
      expect(chain.entries.map(({ seenAt }) => seenAt)).toEqual([NOW, NOW, NOW + 1, NOW + 1]);
      expect([added, dropped, byRecovery]).toEqual([2, [], false]);
    }
    for (const same of [events, events.slice(1), []]) {
      expect(await extendChain(known, same, NOW + 1)).toMatchObject({ chain: known, added: 0 });
    }
  });

  it('keeps its bytes when an event comes with another signature', async () => {
    const [created] = events;
    const content = created!.slice(2, -64);
    const again = concat(created!.slice(0, -64), await sign(first!.signing.privateKey, I('chain', content)));
    expect(again).not.toEqual(created);
    const { chain } = await extendChain(known, [again, events[1]!], NOW);
    expect(chain).toBe(known);
  });

  it('A1 A11 says rollback to a chain that ends before it', async () => {
    await expect(extendChain(known, events.slice(0, 1), NOW)).rejects.toThrow(code('chain-rollback'));
    const longer = await viewChain(await branch(adds(first!, second!)), NOW);
    for (const given of [events, events.slice(1)]) {
      await expect(extendChain(longer, given, NOW)).rejects.toThrow(code('chain-rollback'));
    }
  });

  it('A1 says fork to a valid chain that parts from it', async () => {
    const mine = await viewChain(await branch(adds(first!, second!)), NOW);
    for (const other of [
      await branch(adds(first!, thief!)),
      await branch(adds(first!, thief!), adds(first!, second!)),
      await after(revokes(first!, first!)),
    ]) {
      await expect(extendChain(mine, other, NOW)).rejects.toThrow(code('chain-fork'));
    }
  });

  it('says gap to events that follow none of its own', async () => {
    const longer = await branch(adds(first!, second!), revokes(first!, second!));
    await expect(extendChain(known, longer.slice(3), NOW)).rejects.toThrow(code('chain-gap'));
  });

  it('A1 refuses what no chain has there, forked or not, and another account', async () => {
    const mine = await viewChain(await branch(adds(first!, second!)), NOW);
    const [event] = await after(adds(first!, thief!));
    for (let at = 0; at < event!.length; at += 7) {
      const changed = flipped(event!, at);
      await expect(extendChain(known, [changed], NOW), `byte ${at}`).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^chain-(?:invalid|gap)$/) }),
      );
      await expect(extendChain(mine, [...events, changed], NOW), `byte ${at}`).rejects.toThrow(
        expect.objectContaining({ code: expect.stringMatching(/^chain-(?:invalid|gap)$/) }),
      );
    }
    const other = await startChain(thief!);
    await expect(extendChain(known, [other.event], NOW)).rejects.toThrow(code('chain-invalid'));
    await expect(extendChain(known, [events[0]!, events[0]!], NOW)).rejects.toThrow(code('chain-invalid'));
  });

  it('is not changed by any of it', async () => {
    const mine = await viewChain(await branch(adds(first!, thief!)), NOW);
    const other = await branch(revokes(recovery!, first!));
    await unchanged({ mine, other, known }, async (inputs) => {
      await extendChain(inputs.mine, inputs.other, NOW);
      await extendChain(inputs.known, inputs.other, NOW);
      await compareChains(inputs.mine, inputs.known, NOW);
      await expect(extendChain(inputs.mine, events, NOW)).rejects.toThrow(code('chain-rollback'));
    });
  });
});

describe('the recovery key', () => {
  it('says so when it signs', async () => {
    const linear = await extendChain(known, await branch(adds(recovery!, next!)), NOW);
    expect(linear).toMatchObject({ added: 1, byRecovery: true, dropped: [] });
    const replaced = await extendChain(
      known,
      await branch(recovers(first!, recovery2!), adds(recovery2!, next!), revokes(next!, first!)),
      NOW,
    );
    expect(replaced).toMatchObject({ added: 3, byRecovery: true });
    const device = await extendChain(known, await branch(recovers(first!, recovery2!)), NOW);
    expect(device.byRecovery).toBe(false);
  });

  it('outranks events of devices from an ancestor on', async () => {
    const stolen = await viewChain(
      await branch(adds(first!, thief!), revokes(thief!, first!)),
      NOW - 365 * DAY,
    );
    const recovered = await branch(adds(recovery!, next!), revokes(next!, first!));
    for (const given of [recovered, recovered.slice(2)]) {
      const { chain, added, dropped, byRecovery } = await extendChain(stolen, given, NOW);
      expect([added, byRecovery]).toEqual([2, true]);
      expect(dropped).toEqual(stolen.entries.slice(2));
      expect(chain.state).toEqual(await verifyChain(recovered));
      expect(chain.state.devices.map(({ device }) => device)).toEqual([next!.id]);
    }
    const view = await viewChain(recovered, NOW);
    const stolenEvents = stolen.entries.map(({ event }) => event);
    await expect(extendChain(view, stolenEvents, NOW)).rejects.toThrow(code('chain-fork'));
  });

  it('has to be in force where it forks', async () => {
    const before = await buildChain(await startChain(first!), adds(first!, second!));
    const late = await buildChain(
      { event: before.events[0]!, state: await verifyChain(before.events.slice(0, 1)) },
      recovers(first!, recovery!),
      adds(recovery!, next!),
    );
    const view = await viewChain(before.events, NOW);
    await expect(extendChain(view, late.events, NOW)).rejects.toThrow(code('chain-fork'));
  });

  it('has to sign the first event that parts, not a later one', async () => {
    const stolen = await viewChain(await branch(adds(first!, thief!)), NOW);
    const late = await branch(adds(first!, second!), adds(recovery!, next!));
    await expect(extendChain(stolen, late, NOW)).rejects.toThrow(code('chain-fork'));
  });

  it('does not outrank itself', async () => {
    for (const mine of [
      await branch(adds(recovery!, second!)),
      await branch(adds(first!, thief!), revokes(recovery!, thief!)),
      await branch(recovers(recovery!, recovery2!)),
      await branch(adds(first!, thief!), recovers(recovery!, recovery2!)),
    ]) {
      const view = await viewChain(mine, NOW);
      const other = await branch(adds(recovery!, next!));
      await expect(extendChain(view, other, NOW)).rejects.toThrow(code('chain-fork'));
    }
  });

  it('undoes its replacement by a device for 30 days after that was first seen, not longer', async () => {
    const stolen = await branch(
      adds(first!, thief!),
      recovers(thief!, recovery2!),
      revokes(recovery2!, first!),
      recovers(recovery2!, recovery3!),
    );
    const seen = (await extendChain(known, stolen, NOW)).chain;
    const undone = await branch(adds(recovery!, next!), revokes(recovery!, first!));
    for (const now of [NOW, NOW + UNDO_MS, NOW - DAY]) {
      const { chain } = await extendChain(seen, undone, now);
      expect(chain.state.recovery!.id).toBe(recovery!.id);
    }
    await expect(extendChain(seen, undone, NOW + UNDO_MS + 1)).rejects.toThrow(code('chain-fork'));
    expect(UNDO_MS).toBe(30 * DAY);
  });

  it('counts the 30 days from each view, whatever the events say of their time', async () => {
    const stolen = await branch(recovers(first!, recovery2!));
    const undone = await branch(adds(recovery!, next!));
    const early = await viewChain(stolen, NOW);
    const late = await viewChain(stolen, NOW + 40 * DAY);
    const now = NOW + 60 * DAY;
    await expect(extendChain(early, undone, now)).rejects.toThrow(code('chain-fork'));
    await expect(extendChain(late, undone, now)).resolves.toBeDefined();
  });

  it('is found where it was last in force', async () => {
    const stolen = await branch(adds(first!, thief!), recovers(thief!, recovery2!), revokes(thief!, first!));
    expect(await recoveryPoint(stolen, recovery!.id)).toEqual(await verifyChain(stolen.slice(0, 3)));
    expect(await recoveryPoint(stolen, recovery2!.id)).toEqual(await verifyChain(stolen));
    expect(await recoveryPoint(stolen, recovery3!.id)).toBeUndefined();
    const state = (await recoveryPoint(stolen, recovery!.id))!;
    const { event } = await join(state, recovery!, next!);
    const view = await viewChain(stolen, NOW);
    expect((await extendChain(view, [event], NOW)).dropped.length).toBe(2);
  });
});

describe('two views', () => {
  it('are compared', async () => {
    const view = async (...steps: Parameters<typeof branch>) => viewChain(await branch(...steps), NOW);
    const longer = await view(adds(first!, second!));
    const parted = await view(adds(first!, thief!));
    const recovered = await view(adds(recovery!, next!));
    const other = await viewChain([(await startChain(thief!)).event], NOW);
    for (const [a, b, expected, inverse] of [
      [known, known, 'same', 'same'],
      [longer, known, 'ahead', 'behind'],
      [longer, parted, 'fork', 'fork'],
      [recovered, parted, 'outranks', 'outranked'],
      [recovered, await view(revokes(recovery!, first!)), 'fork', 'fork'],
      [other, known, 'other', 'other'],
    ] as const) {
      expect(await compareChains(a, b, NOW)).toBe(expected);
      expect(await compareChains(b, a, NOW)).toBe(inverse);
    }
    const replaced = await view(recovers(first!, recovery2!));
    expect(await compareChains(recovered, replaced, NOW + UNDO_MS)).toBe('outranks');
    expect(await compareChains(replaced, recovered, NOW + UNDO_MS + 1)).toBe('fork');
  });

  it('are compared by a head alone', async () => {
    const longer = await viewChain(await branch(adds(first!, second!)), NOW);
    expect(placeOfHead(longer, longer.state.head)).toBe('head');
    expect(placeOfHead(longer, known.state.head)).toBe('earlier');
    expect(placeOfHead(known, longer.state.head)).toBe('unknown');
  });

  it('have the account of their first event', async () => {
    expect(await accountOf(events[0]!)).toBe(known.state.account);
    await expect(accountOf(events[1]!)).rejects.toThrow(code('chain-invalid'));
  });
});

describe('a signed head', () => {
  const signed = async () => signHead({ state: base, signing: first!.signing, signedAt: NOW });

  it('holds for its chain as it stands', async () => {
    expect(await verifyHead(base, await signed())).toBe(true);
    expect(HEAD_INTERVAL_MS).toBe(7 * DAY);
  });

  it('A1 does not hold for anything else', async () => {
    const head = await signed();
    for (const wrong of [
      { ...head, signedAt: NOW + 1 },
      { ...head, signedAt: -1 },
      { ...head, device: second!.id },
      { ...head, head: random(32) },
      { ...head, signature: head.signature.slice(1) },
    ]) {
      expect(await verifyHead(base, wrong)).toBe(false);
    }
    for (let at = 0; at < 64; at += 1) {
      expect(await verifyHead(base, { ...head, signature: flipped(head.signature, at) })).toBe(false);
    }
    const { state } = await join(base, first!, second!);
    expect(await verifyHead(state, head)).toBe(false);
    expect(await verifyHead({ ...base, length: 3 }, head)).toBe(false);
    expect(await verifyHead({ ...base, account: (await startChain(thief!)).state.account }, head)).toBe(
      false,
    );
  });

  it('A1 is of an active device: not of a stranger, the revoked, or the recovery key', async () => {
    const { state: two } = await join(base, first!, second!);
    const { state } = await revokes(first!, second!)(two);
    for (const { signing } of [thief!, second!, recovery!]) {
      await expect(signHead({ state, signing, signedAt: NOW })).rejects.toThrow(code('chain-invalid'));
    }
    const forged = await signHead({
      state: { ...two, head: state.head },
      signing: second!.signing,
      signedAt: NOW,
    });
    expect(await verifyHead(state, forged)).toBe(false);
  });

  it('A8 is signed under a label of its own', async () => {
    const { head, device, signature } = await signed();
    const lp = (bytes: Uint8Array) => concat(new Uint8Array([0, bytes.length]), bytes);
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64url'));
    const context = concat(
      lp(bytes(base.account)),
      lp(head),
      new Uint8Array([0, 0, 0, 2]),
      lp(bytes(device)),
      u64(NOW),
    );
    for (const [label, holds] of [
      ['chain/head', true],
      ['chain', false],
      ['chain/join', false],
      ['sign-in', false],
    ] as const) {
      const other = await sign(first!.signing.privateKey, I(label, context));
      expect(await verifyHead(base, { head, device, signedAt: NOW, signature: other }), label).toBe(holds);
    }
    expect(signature.length).toBe(64);
  });
});
