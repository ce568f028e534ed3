import { beforeAll, describe, expect, it } from 'vitest';
import { concat, lp, Reader, u8, type Bytes } from './bytes.ts';
import { authored, encodeContent, encodeEvent, joined, parseEvent, type EventBody } from './chain-event.ts';
import { MAX_DEVICES, MAX_EVENTS, type ChainState } from './chain-rules.ts';
import { join, newDevice, newRecovery, NOW, startChain, type Member } from './chain-suite.ts';
import {
  acceptDevice,
  proposeDevice,
  revokeDevice,
  setArchive,
  setRecoveryKey,
  verifyChain,
} from './chain.ts';
import { sign } from './keys.ts';
import type { Label } from './labels.ts';
import { I } from './labels.ts';
import { BAD_POINTS, flipped, random, unchanged } from './test-support.ts';

const invalid = expect.objectContaining({ code: 'chain-invalid' });

let [first, second, third]: Member[] = [];
let [recovery, stranger]: Member[] = [];
let start: Bytes;
let one: ChainState;
let added: Bytes;
let two: ChainState;

beforeAll(async () => {
  [first, second, third, stranger] = await Promise.all([newDevice(), newDevice(), newDevice(), newDevice()]);
  recovery = await newRecovery();
  ({ event: start, state: one } = await startChain(first!));
  ({ event: added, state: two } = await join(one, first!, second!));
});

const ids = (devices: ChainState['devices']) => devices.map(({ device }) => device);
const setRecovery = (state: ChainState, author: Member, { signing, other }: Member) =>
  setRecoveryKey({
    state,
    author: author.signing,
    createdAt: NOW,
    recovery: { signing, sealing: other.publicKey },
  });
const revoke = (state: ChainState, author: Member, device: Member) =>
  revokeDevice({ state, author: author.signing, createdAt: NOW, device: device.id });
const archive = (
  state: ChainState,
  author: Member,
  generation: number,
  commitment: Bytes,
  version: number,
) => {
  const manifest = random(32);
  return setArchive({
    state,
    author: author.signing,
    createdAt: NOW,
    generation,
    commitment,
    version,
    manifest,
  });
};

/** An event of whatever body, signed by whoever, under whichever labels. */
const forge = async (
  state: ChainState,
  body: EventBody,
  signers: readonly Member[],
  labels: readonly [Label, Label] = ['chain', 'chain/join'],
): Promise<Bytes> => {
  const content = encodeContent({ createdAt: NOW, previous: state.head, body });
  const signatures = signers.map(({ signing }, at) =>
    sign(signing.privateKey, I(labels[at] ?? 'chain/join', content)),
  );
  return encodeEvent(content, ...(await Promise.all(signatures)));
};
const addBody = (author: Member, device: Member): EventBody => ({
  kind: 'add',
  author: author.id,
  signing: device.signing.publicKey,
  identity: device.other.publicKey,
});

describe('adding a device', () => {
  it('makes it active', async () => {
    expect(ids(two.devices)).toEqual([first!.id, second!.id]);
    expect(two).toEqual(await verifyChain([start, added]));
    expect(two.length).toBe(2);
    expect(two.account).toBe(one.account);
    const { state } = await join(two, second!, third!);
    expect(ids(state.devices)).toEqual([first!.id, second!.id, third!.id]);
  });

  it('A1 takes the signature of an active key', async () => {
    expect(await verifyChain([start, await forge(one, addBody(first!, second!), [first!, second!])])).toEqual(
      {
        ...two,
        head: expect.any(Uint8Array),
      },
    );
    for (const [author, signer] of [
      [stranger!, stranger!],
      [first!, stranger!],
      [second!, second!],
      [first!, second!],
    ] as const) {
      const event = await forge(one, addBody(author, second!), [signer, second!]);
      await expect(verifyChain([start, event])).rejects.toThrow(invalid);
    }
  });

  it('A1 takes the countersignature of the device itself', async () => {
    for (const signers of [[first!], [first!, first!], [first!, stranger!], [first!, second!, second!]]) {
      const event = await forge(one, addBody(first!, second!), signers);
      await expect(verifyChain([start, event])).rejects.toThrow(invalid);
    }
  });

  it('A8 takes each signature under its own label', async () => {
    for (const labels of [
      ['chain', 'chain'],
      ['chain/join', 'chain/join'],
      ['chain/join', 'chain'],
      ['chain/head', 'chain/join'],
      ['chain', 'membership'],
    ] as const) {
      const event = await forge(one, addBody(first!, second!), [first!, second!], labels);
      await expect(verifyChain([start, event]), labels.join()).rejects.toThrow(invalid);
    }
  });

  it('A1 takes no key that stood in the chain before, in any place', async () => {
    const { event: withRecovery, state: three } = await setRecovery(two, first!, recovery!);
    const replacement = await newRecovery();
    const { event: replaced, state: four } = await setRecovery(three, first!, replacement);
    const { event: revoked, state } = await revoke(four, first!, second!);
    const events = [start, added, withRecovery, replaced, revoked];
    const used = [first!, second!, recovery!, replacement].flatMap(({ signing, other }) => [
      { id: '', signing, other: third!.other },
      { id: '', signing: third!.signing, other },
    ]);
    for (const [at, { signing, other }] of used.entries()) {
      const body = { kind: 'add' as const, author: first!.id };
      const device = { signing: signing.publicKey, identity: other.publicKey };
      const event = await forge(state, { ...body, ...device }, [first!, { id: '', signing, other }]);
      await expect(verifyChain([...events, event]), `device ${at}`).rejects.toThrow(invalid);
      const asRecovery = { ...body, kind: 'recovery' as const, signing: signing.publicKey };
      const again = await forge(state, { ...asRecovery, sealing: other.publicKey }, [
        first!,
        { id: '', signing, other },
      ]);
      await expect(verifyChain([...events, again]), `recovery ${at}`).rejects.toThrow(invalid);
    }
    await expect(join(state, first!, third!)).resolves.toBeDefined();
  });

  it('A6 takes no degenerate key', async () => {
    for (const [what, point] of Object.entries(BAD_POINTS)) {
      for (const keys of [
        { signing: point, identity: second!.other.publicKey },
        { signing: second!.signing.publicKey, identity: point },
      ]) {
        const event = await forge(one, { kind: 'add', author: first!.id, ...keys }, [first!, second!]);
        await expect(verifyChain([start, event]), what).rejects.toThrow(invalid);
        const device = { state: one, author: first!.signing, createdAt: NOW, device: keys };
        await expect(proposeDevice(device), what).rejects.toThrow(invalid);
      }
    }
  });

  it('takes no key for two purposes', async () => {
    const body = { ...addBody(first!, second!), identity: second!.signing.publicKey } as EventBody;
    const event = await forge(one, body, [first!, second!]);
    await expect(verifyChain([start, event])).rejects.toThrow(invalid);
  });

  it('ends at 32 active devices', async () => {
    let state = one;
    while (state.devices.length < MAX_DEVICES) ({ state } = await join(state, first!, await newDevice()));
    await expect(join(state, first!, await newDevice())).rejects.toThrow(invalid);
    const { device } = state.devices[1]!;
    ({ state } = await revokeDevice({ state, author: first!.signing, createdAt: NOW, device }));
    await expect(join(state, first!, await newDevice())).resolves.toBeDefined();
  });

  it('is refused by the device when the proposal is not for it, or not for this chain', async () => {
    const keys = { signing: second!.signing.publicKey, identity: second!.other.publicKey };
    const proposal = await proposeDevice({
      state: one,
      author: first!.signing,
      createdAt: NOW,
      device: keys,
    });
    const mine = { state: one, proposal, signing: second!.signing, identity: second!.other };
    await expect(acceptDevice(mine)).resolves.toBeDefined();
    await expect(acceptDevice({ ...mine, identity: third!.other })).rejects.toThrow(invalid);
    await expect(acceptDevice({ ...mine, signing: third!.signing })).rejects.toThrow(invalid);
    await expect(acceptDevice({ ...mine, state: two })).rejects.toThrow(invalid);
    for (let at = 0; at < proposal.length; at += 1) {
      const changed = { ...mine, proposal: flipped(proposal, at) };
      await expect(acceptDevice(changed), `byte ${at}`).rejects.toThrow(invalid);
      await expect(acceptDevice({ ...mine, proposal: proposal.slice(0, at) })).rejects.toThrow(invalid);
    }
    const other = encodeContent({
      createdAt: NOW,
      previous: one.head,
      body: { kind: 'revoke', author: first!.id, device: first!.id },
    });
    const revocation = concat(lp(other), await sign(first!.signing.privateKey, authored(other)));
    await expect(acceptDevice({ ...mine, proposal: revocation })).rejects.toThrow(invalid);
  });
});

describe('revoking a device', () => {
  it('leaves the others', async () => {
    const { event, state } = await revoke(two, second!, first!);
    expect(ids(state.devices)).toEqual([second!.id]);
    expect(ids(state.revoked)).toEqual([first!.id]);
    expect(await verifyChain([start, added, event])).toEqual(state);
  });

  it('A1 takes away its voice', async () => {
    const { event, state } = await revoke(two, first!, second!);
    for (const body of [
      addBody(second!, third!),
      { kind: 'revoke', author: second!.id, device: first!.id } as const,
    ]) {
      const signers = body.kind === 'add' ? [second!, third!] : [second!];
      const forged = await forge(state, body, signers);
      await expect(verifyChain([start, added, event, forged])).rejects.toThrow(invalid);
    }
  });

  it('takes an active author and an active device', async () => {
    await expect(revoke(two, stranger!, first!)).rejects.toThrow(invalid);
    await expect(revoke(two, first!, stranger!)).rejects.toThrow(invalid);
    const { state } = await revoke(two, first!, second!);
    await expect(revoke(state, first!, second!)).rejects.toThrow(invalid);
  });

  it('does not leave an account with nobody', async () => {
    await expect(revoke(one, first!, first!)).rejects.toThrow(invalid);
    const { state } = await setRecovery(one, first!, recovery!);
    const { state: none } = await revoke(state, first!, first!);
    expect(none.devices).toEqual([]);
    const { state: again } = await join(none, recovery!, second!);
    expect(ids(again.devices)).toEqual([second!.id]);
  });
});

describe('the recovery key', () => {
  it('is set by a device and signs like one', async () => {
    const { event, state } = await setRecovery(two, first!, recovery!);
    const { id, signing, other } = recovery!;
    expect(state.recovery).toEqual({ id, signing: signing.publicKey, sealing: other.publicKey });
    expect(await verifyChain([start, added, event])).toEqual(state);
    const { state: three } = await join(state, recovery!, third!);
    const { state: four } = await revoke(three, recovery!, first!);
    expect(ids(four.devices)).toEqual([second!.id, third!.id]);
  });

  it('is replaced by itself or by a device, and has no voice after', async () => {
    const { state } = await setRecovery(two, first!, recovery!);
    const replacement = await newRecovery();
    for (const author of [first!, recovery!]) {
      const { state: next } = await setRecovery(state, author, replacement);
      expect(next.recovery!.id).toBe(replacement.id);
      expect(next.retired.map(({ id }) => id)).toEqual([recovery!.id]);
      await expect(revoke(next, recovery!, first!)).rejects.toThrow(invalid);
      await expect(revoke(next, replacement, first!)).resolves.toBeDefined();
    }
  });

  it('A1 countersigns its own event', async () => {
    const body: EventBody = {
      kind: 'recovery',
      author: first!.id,
      signing: recovery!.signing.publicKey,
      sealing: recovery!.other.publicKey,
    };
    expect(await verifyChain([start, await forge(one, body, [first!, recovery!])])).toBeDefined();
    for (const signers of [[first!], [first!, first!], [recovery!, recovery!], [stranger!, recovery!]]) {
      const event = await forge(one, body, signers);
      await expect(verifyChain([start, event])).rejects.toThrow(invalid);
    }
    const sameLabel = await forge(one, body, [first!, recovery!], ['chain', 'chain']);
    await expect(verifyChain([start, sameLabel])).rejects.toThrow(invalid);
  });

  it('is not a device', async () => {
    const { state } = await setRecovery(one, first!, recovery!);
    await expect(revoke(state, first!, recovery!)).rejects.toThrow(invalid);
    expect(ids(state.devices)).toEqual([first!.id]);
  });
});

describe('the archive', () => {
  const [key, another] = [random(32), random(32)];

  it('A11 has manifests of growing versions', async () => {
    const { state } = await archive(one, first!, 1, key, 3);
    expect(state.archive).toEqual({ version: 3, manifest: expect.any(Uint8Array), commitments: [key] });
    await expect(archive(one, first!, 1, key, 0)).rejects.toThrow(invalid);
    for (const version of [0, 2, 3]) {
      await expect(archive(state, first!, 1, key, version)).rejects.toThrow(invalid);
    }
    await expect(archive(state, first!, 1, key, 4)).resolves.toBeDefined();
  });

  it('A11 has keys one after the other, none of them twice', async () => {
    for (const generation of [0, 2]) {
      await expect(archive(one, first!, generation, key, 1)).rejects.toThrow(invalid);
    }
    const { state } = await archive(one, first!, 1, key, 1);
    await expect(archive(state, first!, 1, another, 2)).rejects.toThrow(invalid);
    await expect(archive(state, first!, 2, key, 2)).rejects.toThrow(invalid);
    await expect(archive(state, first!, 3, another, 2)).rejects.toThrow(invalid);
    for (const generation of [0, 3]) {
      await expect(archive(state, first!, generation, key, 2)).rejects.toThrow(invalid);
    }
    const { state: next } = await archive(state, first!, 2, another, 2);
    expect(next.archive!.commitments).toEqual([key, another]);
    await expect(archive(next, first!, 1, key, 3)).rejects.toThrow(invalid);
  });

  it('has a new key after a revocation', async () => {
    const { state } = await archive(two, first!, 1, key, 1);
    expect(state.archiveKeyDue).toBe(false);
    const { state: revoked } = await revoke(state, first!, second!);
    expect(revoked.archiveKeyDue).toBe(true);
    await expect(archive(revoked, first!, 1, key, 2)).rejects.toThrow(invalid);
    const { state: next } = await archive(revoked, first!, 2, another, 2);
    expect(next.archiveKeyDue).toBe(false);
    await expect(archive(next, first!, 2, another, 3)).resolves.toBeDefined();
  });

  it('takes the word of an active key only', async () => {
    await expect(archive(one, stranger!, 1, key, 1)).rejects.toThrow(invalid);
  });
});

describe('every event', () => {
  it('is refused with any byte changed, cut anywhere, or longer', async () => {
    const { event: recoveryEvent } = await setRecovery(two, first!, recovery!);
    const { event: revoked } = await revoke(two, first!, second!);
    const { event: archived } = await archive(two, first!, 1, random(32), 1);
    for (const [events, event] of [
      [[start], added],
      [[start, added], recoveryEvent],
      [[start, added], revoked],
      [[start, added], archived],
    ] as const) {
      await expect(verifyChain([...events, event])).resolves.toBeDefined();
      for (let at = 0; at < event.length; at += 1) {
        const changed = flipped(event, at, 1 << (at % 8));
        await expect(verifyChain([...events, changed]), `byte ${at}`).rejects.toThrow(invalid);
        await expect(verifyChain([...events, event.slice(0, at)]), `${at} bytes`).rejects.toThrow(invalid);
      }
      await expect(verifyChain([...events, concat(event, u8(0))])).rejects.toThrow(invalid);
      await expect(verifyChain([...events, concat(event, event.slice(-64))])).rejects.toThrow(invalid);
    }
  });

  it('names the one before it', async () => {
    const { event: revoked } = await revoke(two, first!, second!);
    await expect(verifyChain([start, revoked])).rejects.toThrow(invalid);
    await expect(verifyChain([added])).rejects.toThrow(invalid);
    await expect(verifyChain([start, added, added])).rejects.toThrow(invalid);
    // Would be valid in the other's place, but for the hash that it names.
    const key = random(32);
    const { event: one, state: archived } = await archive(two, first!, 1, key, 1);
    const { event: another } = await archive(archived, first!, 1, key, 2);
    await expect(verifyChain([start, added, one, another])).resolves.toBeDefined();
    await expect(verifyChain([start, added, another])).rejects.toThrow(invalid);
    const adrift = await forge({ ...two, head: random(32) }, addBody(first!, third!), [first!, third!]);
    await expect(verifyChain([start, added, adrift])).rejects.toThrow(invalid);
    const elsewhere = await startChain(second!);
    await expect(verifyChain([elsewhere.event, added])).rejects.toThrow(invalid);
  });

  it('is at most 4,096 bytes long', async () => {
    const long = concat(added, new Uint8Array(4097 - added.length));
    expect(() => parseEvent(long)).toThrow(expect.objectContaining({ message: 'bad-encoding: length' }));
    expect(() => parseEvent(long.slice(1))).not.toThrow(
      expect.objectContaining({ message: 'bad-encoding: length' }),
    );
  });

  it('is at most number 256', async () => {
    const full = { ...one, length: MAX_EVENTS };
    await expect(join(full, first!, second!)).rejects.toThrow(invalid);
    await expect(join({ ...one, length: MAX_EVENTS - 1 }, first!, second!)).resolves.toBeDefined();
  });

  it('has one encoding', async () => {
    const { content, body } = parseEvent(added);
    expect(body).toEqual(addBody(first!, second!));
    expect(encodeContent({ createdAt: NOW, previous: one.head, body })).toEqual(content);
    const reader = new Reader(added);
    expect(reader.lp()).toEqual(content);
    expect(reader.rest().length).toBe(128);
    expect(authored(content)).not.toEqual(joined(content));
  });

  it('with an id or hash of another length is refused', async () => {
    const long = (id: string) => `${id}AA`;
    const revocation = { kind: 'revoke' as const, author: first!.id, device: second!.id };
    for (const body of [
      { ...revocation, author: long(first!.id) },
      { ...revocation, device: 'AAAA' },
    ]) {
      expect(() => encodeContent({ createdAt: NOW, previous: two.head, body })).toThrow(
        expect.objectContaining({ code: 'bad-encoding' }),
      );
    }
    for (const [commitment, manifest] of [
      [random(31), random(32)],
      [random(32), random(33)],
    ] as const) {
      const body = {
        kind: 'archive',
        author: first!.id,
        generation: 1,
        version: 1,
        commitment,
        manifest,
      } as const;
      const event = await forge(one, body, [first!]);
      await expect(verifyChain([start, event])).rejects.toThrow(invalid);
    }
  });

  it('leaves the state that it follows as it was', async () => {
    await unchanged({ one, two, start, added }, async (inputs) => {
      await verifyChain([inputs.start, inputs.added]);
      await join(inputs.two, first!, third!);
      const { state } = await setRecovery(inputs.two, first!, recovery!);
      await revoke(state, first!, second!);
      await archive(inputs.two, first!, 1, random(32), 1);
    });
  });
});
