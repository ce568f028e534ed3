import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bytes } from './bytes.ts';
import type { ChainState } from './chain-rules.ts';
import { join, newDevice, newRecovery, NOW, startChain, type Member } from './chain-suite.ts';
import { compareChains, extendChain, viewChain } from './chain-view.ts';
import { revokeDevice, setArchive, setRecoveryKey, verifyChain, type Appended } from './chain.ts';
import { flipped, random } from './test-support.ts';

/** One step of a history; which key, device and place it means is settled where it is taken. */
const step = fc.record({
  kind: fc.constantFrom('add', 'add', 'revoke', 'recovery', 'archive'),
  author: fc.nat(),
  target: fc.nat(),
});
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What a chain should say, kept beside it in the plainest way. */
interface Model {
  active: Member[];
  revoked: string[];
  recovery?: Member;
  retired: string[];
  commitments: Bytes[];
  due: boolean;
}

/** Takes a step where the rules allow it; undefined where they do not. */
const take = async (
  state: ChainState,
  model: Model,
  { kind, author: who, target }: Step,
): Promise<{ next: Appended; model: Model; byRecovery: boolean } | undefined> => {
  const keys = [...model.active, ...(model.recovery ? [model.recovery] : [])];
  const author = keys[who % keys.length]!;
  const draft = { state, author: author.signing, createdAt: NOW + who };
  const done = (next: Appended, change: Partial<Model>) => ({
    next,
    model: { ...model, ...change },
    byRecovery: author === model.recovery,
  });
  switch (kind) {
    case 'add': {
      const device = await newDevice();
      return done(await join(state, author, device), { active: [...model.active, device] });
    }
    case 'revoke': {
      const device = model.active[target % Math.max(1, model.active.length)];
      if (device === undefined || (model.active.length === 1 && !model.recovery)) return undefined;
      return done(await revokeDevice({ ...draft, device: device.id }), {
        active: model.active.filter((each) => each !== device),
        revoked: [...model.revoked, device.id],
        due: true,
      });
    }
    case 'recovery': {
      const recovery = await newRecovery();
      const publics = { signing: recovery.signing, sealing: recovery.other.publicKey };
      return done(await setRecoveryKey({ ...draft, recovery: publics }), {
        recovery,
        retired: [...model.retired, ...(model.recovery ? [model.recovery.id] : [])],
      });
    }
    default: {
      const fresh = model.due || model.commitments.length === 0 || target % 2 === 0;
      const commitment = fresh ? random(32) : model.commitments.at(-1)!;
      const commitments = fresh ? [...model.commitments, commitment] : model.commitments;
      const version = (state.archive?.version ?? 0) + 1 + (target % 3);
      const archive = { generation: commitments.length, commitment, version, manifest: random(32) };
      return done(await setArchive({ ...draft, ...archive }), { commitments, due: false });
    }
  }
};

/** A history from a point on: its events, and which the recovery key signed. */
const run = async (start: { state: ChainState; model: Model }, steps: readonly Step[]) => {
  let { state, model } = start;
  const events: Bytes[] = [];
  const byRecovery: boolean[] = [];
  const points = [start];
  for (const each of steps) {
    const taken = await take(state, model, each);
    if (taken === undefined) continue;
    ({ model } = taken);
    ({ state } = taken.next);
    events.push(taken.next.event);
    byRecovery.push(taken.byRecovery);
    points.push({ state, model });
  }
  return { events, byRecovery, points, state, model };
};

const origin = async () => {
  const device = await newDevice();
  const { event, state } = await startChain(device);
  const model: Model = { active: [device], revoked: [], retired: [], commitments: [], due: false };
  return { event, start: { state, model } };
};

const runs = { numRuns: 30 };
const history = fc.array(step, { maxLength: 8 });
const invalid = expect.objectContaining({ code: 'chain-invalid' });

describe('any valid history', () => {
  it('verifies, and says what it should', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const { event, start } = await origin();
        const { events, state, model } = await run(start, steps);
        const all = [event, ...events];
        const verified = await verifyChain(all);
        expect(verified).toEqual(state);
        expect(verified.length).toBe(all.length);
        expect(verified.devices.map(({ device }) => device)).toEqual(model.active.map(({ id }) => id));
        expect(verified.revoked.map(({ device }) => device)).toEqual(model.revoked);
        expect(verified.recovery?.id).toBe(model.recovery?.id);
        expect(verified.retired.map(({ id }) => id)).toEqual(model.retired);
        expect(verified.archive?.commitments ?? []).toEqual(model.commitments);
        expect(verified.archiveKeyDue).toBe(model.due);
      }),
      runs,
    );
  });

  it('A1 is refused when an event is missing, moved, repeated or changed', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), fc.nat(), async (steps, a, b, bit) => {
        const { event, start } = await origin();
        const { events } = await run(start, steps);
        const all = [event, ...events];
        const [i, j] = [a % all.length, b % all.length];
        const without = all.toSpliced(i, 1);
        if (i < all.length - 1) await expect(verifyChain(without)).rejects.toThrow(invalid);
        const [moved] = all.slice(i, i + 1);
        if (i !== j) await expect(verifyChain(without.toSpliced(j, 0, moved!))).rejects.toThrow(invalid);
        await expect(verifyChain(all.toSpliced(j, 0, moved!))).rejects.toThrow(invalid);
        const at = bit % (8 * moved!.length);
        const changed = flipped(moved!, at >> 3, 1 << (at & 7));
        await expect(verifyChain(all.with(i, changed))).rejects.toThrow(invalid);
      }),
      runs,
    );
  });

  it('A1 extends every part of itself, and is a rollback from none', async () => {
    await fc.assert(
      fc.asyncProperty(history, fc.nat(), fc.nat(), async (steps, a, b) => {
        const { event, start } = await origin();
        const { events, byRecovery } = await run(start, steps);
        const all = [event, ...events];
        const held = 1 + (a % all.length);
        const from = b % (held + 1);
        const part = await viewChain(all.slice(0, held), NOW);
        const whole = await viewChain(all, NOW);
        const extended = await extendChain(part, all.slice(from), NOW);
        expect(extended).toEqual({
          chain: whole,
          added: all.length - held,
          dropped: [],
          byRecovery: byRecovery.slice(held - 1).includes(true),
        });
        expect(await compareChains(whole, part, NOW)).toBe(held === all.length ? 'same' : 'ahead');
        if (held === all.length) return;
        await expect(extendChain(whole, all.slice(0, held), NOW)).rejects.toThrow(
          expect.objectContaining({ code: 'chain-rollback' }),
        );
      }),
      runs,
    );
  });

  it('A1 reports every fork of itself, and gives way only to the recovery key of the place where they part', async () => {
    await fc.assert(
      fc.asyncProperty(history, history, fc.nat(), async (steps, others, a) => {
        const { event, start } = await origin();
        const mine = await run(start, steps);
        const at = a % mine.points.length;
        const point = mine.points[at]!;
        const theirs = await run(point, others);
        if (at === mine.events.length || theirs.events.length === 0) return;
        const view = await viewChain([event, ...mine.events], NOW);
        const other = [event, ...mine.events.slice(0, at), ...theirs.events];
        const tail = mine.points.slice(at);
        const key = point.model.recovery;
        // What it signed itself it keeps to; once another key is in force, that one's word does not bind it.
        const own = mine.byRecovery.slice(at).some((by, i) => by && tail[i]!.model.recovery === key);
        const wins = theirs.byRecovery[0]! && !own;
        if (wins) {
          const { chain, dropped } = await extendChain(view, other, NOW);
          expect(chain.state).toEqual(theirs.state);
          expect(dropped.length).toBe(mine.events.length - at);
        } else {
          await expect(extendChain(view, other, NOW)).rejects.toThrow(
            expect.objectContaining({ code: 'chain-fork' }),
          );
        }
        const verdict = await compareChains(await viewChain(other, NOW), view, NOW);
        if (wins) expect(verdict).toBe('outranks');
        else expect(['fork', 'outranked']).toContain(verdict);
      }),
      { numRuns: 60 },
    );
  });
});
