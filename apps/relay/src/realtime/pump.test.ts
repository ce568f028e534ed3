import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { describe, expect, it } from 'vitest';
import { randomId } from '../../test/device.ts';
import { Pump, type PumpPorts } from './pump.ts';

const envelope = (): IncomingEnvelope => ({ id: randomId<EnvelopeId>(), at: 1, body: Buffer.alloc(9) });

/** A pump whose reads are answered by hand. */
const start = () => {
  const delivered: EnvelopeId[] = [];
  const reads: {
    options: Parameters<PumpPorts['read']>[0];
    answer: (envelopes: IncomingEnvelope[], more?: boolean) => Promise<void>;
  }[] = [];
  const state = { caughtUp: 0, failed: 0 };
  const pump = new Pump({
    read: (options) =>
      new Promise((resolve) => {
        const answer = async (envelopes: IncomingEnvelope[], more = false) => {
          resolve({ envelopes, more });
          await new Promise(setImmediate);
        };
        reads.push({ options, answer });
      }),
    deliver: ({ id }) => void delivered.push(id),
    caughtUp: () => void (state.caughtUp += 1),
    failed: () => void (state.failed += 1),
  });
  return { pump, delivered, reads, state };
};

describe('what comes during a read', () => {
  it('is handed over after it, once, whether the read saw it or not', async () => {
    const { pump, delivered, reads, state } = start();
    const [old, seen, unseen] = [envelope(), envelope(), envelope()];
    pump.ring();
    pump.fresh(seen);
    pump.fresh(unseen);
    await reads[0]!.answer([old, seen]);
    expect(delivered).toEqual([old.id, seen.id, unseen.id]);
    expect([reads.length, state.caughtUp]).toEqual([1, 1]);
  });

  it('waits for its turn where more is in the inbox', async () => {
    const { pump, delivered, reads } = start();
    const [one, two, late] = [envelope(), envelope(), envelope()];
    pump.ring();
    pump.fresh(late);
    await reads[0]!.answer([one], true);
    expect(delivered).toEqual([one.id]);
    await reads[1]!.answer([two, late]);
    expect(delivered).toEqual([one.id, two.id, late.id]);
  });

  it('is not caught up while the next page is read ahead', async () => {
    const { pump, delivered, reads, state } = start();
    const [one, two] = [envelope(), envelope()];
    pump.ring();
    await reads[0]!.answer([one], true);
    pump.acked([one.id]);
    expect([reads.length, state.caughtUp]).toEqual([2, 0]);
    await reads[1]!.answer([two]);
    expect(delivered).toEqual([one.id, two.id]);
    expect(state.caughtUp).toBe(1);
  });

  it('a ring makes it read once more', async () => {
    const { pump, reads, state } = start();
    pump.ring();
    pump.ring();
    await reads[0]!.answer([]);
    expect([reads.length, state.caughtUp]).toEqual([2, 0]);
    await reads[1]!.answer([]);
    expect([reads.length, state.caughtUp]).toEqual([2, 1]);
  });
});

describe('a full window', () => {
  it('F10: lets by what comes and reads it after an ack, without what is being acknowledged', async () => {
    const { pump, delivered, reads } = start();
    pump.begin();
    const all = Array.from({ length: LIMITS.envelopesInFlight + 1 }, envelope);
    for (const one of all) pump.fresh(one);
    expect(delivered).toHaveLength(LIMITS.envelopesInFlight);
    expect(reads).toHaveLength(0);
    const ids = [all[0]!.id];
    pump.acked(ids);
    expect(reads[0]!.options.except.toSorted()).toEqual(delivered.toSorted());
    await reads[0]!.answer([all.at(-1)!]);
    expect(delivered).toEqual(all.map(({ id }) => id));
    pump.stored(ids, true);
    expect(reads).toHaveLength(1);
    pump.acked([all[1]!.id]);
    expect(reads[1]!.options.except).not.toContain(all[0]!.id);
  });
});

describe('acks', () => {
  it('of what is not in flight are dropped, and no read has to leave them out', () => {
    const { pump, reads } = start();
    pump.begin();
    const one = envelope();
    pump.fresh(one);
    const strays = Array.from({ length: 500 }, () => randomId<EnvelopeId>());
    expect(pump.acked(strays)).toEqual([]);
    expect(pump.acked([...strays, one.id, one.id])).toEqual([one.id]);
    expect(pump.acked([one.id])).toEqual([]);
    pump.ring();
    expect(reads[0]!.options.except).toEqual([one.id]);
    pump.stored([one.id]);
  });
});
