import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { type Clock, systemClock } from '@sotto/engine/clock';
import type { Transport } from '@sotto/engine/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { meet, texts } from './meeting.ts';
import { createWorld, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

type Deliver = (envelopes: readonly IncomingEnvelope[]) => void;

/** A relay that gathers what it has for a device while `holds`, and hands it over as the test says. */
const createHolder = () => {
  const held: IncomingEnvelope[] = [];
  let deliver: Deliver = () => undefined;
  const holder = {
    held,
    holds: false,
    handOver: (...envelopes: IncomingEnvelope[]): void => deliver(envelopes),
    transport: (inner: Transport): Transport => ({
      ...inner,
      connect(signer, listener) {
        deliver = (envelopes) => listener.deliver(envelopes);
        return inner.connect(signer, {
          ...listener,
          connected: () => listener.connected(),
          deliver(envelopes) {
            if (holder.holds) held.push(...envelopes);
            else listener.deliver(envelopes);
          },
          caughtUp: () => listener.caughtUp(),
        });
      },
    }),
  };
  return holder;
};

const WORDS = ['one', 'two', 'three', 'four'];

const open = async (name: string) => {
  const holder = createHolder();
  const met = await meet(world, name, { bob: { transport: holder.transport } });
  holder.holds = true;
  for (const word of WORDS) await met.ann.engine.send(met.withBob, word);
  await until(met.ann.engine, ({ unsent }) => unsent === 0, 'all sent');
  await expect.poll(() => holder.held.length).toBe(WORDS.length);
  return { holder, ...met };
};

const last = (count: number, all: string[]): string[] => all.slice(-count);

describe('A10 a relay that hands messages over in another order', () => {
  it('one by one: each stands where it was written', async () => {
    const { holder, bob, bobs, withAnn } = await open('onebyone');
    for (const at of [3, 1, 0, 2]) {
      holder.handOver(holder.held[at]!);
      await until(bobs, () => texts(bobs).includes(WORDS[at]!), 'it');
    }
    expect(last(4, texts(bobs))).toEqual(WORDS);
    const { conversations } = bob.engine.getSnapshot();
    expect(conversations.find(({ id }) => id === withAnn)!.last!.text).toBe('four');
  });

  it('all at once', async () => {
    const { holder, bobs } = await open('atonce');
    holder.handOver(...[2, 0, 3, 1].map((at) => holder.held[at]!));
    await until(bobs, () => texts(bobs).includes('one') && texts(bobs).includes('two'), 'all');
    expect(last(4, texts(bobs))).toEqual(WORDS);
  });

  it('with answers between them, which stay where they are', async () => {
    const { holder, bob, bobs, withAnn } = await open('answers');
    holder.handOver(holder.held[3]!);
    await until(bobs, () => texts(bobs).includes('four'), 'it');
    await bob.engine.send(withAnn, 'an answer');
    await until(bob.engine, ({ unsent }) => unsent === 0, 'sent');
    holder.handOver(...holder.held.slice(0, 3));
    await until(bobs, () => texts(bobs).includes('three'), 'the rest');
    expect(last(5, texts(bobs))).toEqual([...WORDS, 'an answer']);
  });
});

it('a clock that goes back changes nothing of the order', async () => {
  let behind = 0;
  const clock: Clock = { ...systemClock, now: () => Date.now() - behind };
  const { ann, bobs, withBob } = await meet(world, 'clockback', { ann: { clock } });
  await ann.engine.send(withBob, 'at noon');
  behind = 3_600_000;
  await ann.engine.send(withBob, 'an hour earlier');
  await until(bobs, () => texts(bobs).includes('an hour earlier'), 'both');
  expect(last(2, texts(bobs))).toEqual(['at noon', 'an hour earlier']);
});
