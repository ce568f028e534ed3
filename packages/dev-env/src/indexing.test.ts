import type { Clock } from '@sotto/engine/clock';
import { type Model, openModel } from '@sotto/engine/model';
import { START } from '@sotto/engine/ports';
import { createIndexing, type Indexing } from '@sotto/engine/search/indexing';
import { openVault } from '@sotto/engine/vault';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { message } from '@sotto/store-memory/store-case';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const STEP_MS = 500;

/** A clock that stands still until it is moved on. */
const createManualClock = () => {
  let now = 1_700_000_000_000;
  let tasks: { at: number; task: () => void }[] = [];
  const clock: Clock = {
    now: () => now,
    after(ms, task) {
      const entry = { at: now + ms, task };
      tasks.push(entry);
      return () => {
        tasks = tasks.filter((other) => other !== entry);
      };
    },
  };
  const pass = (ms: number): void => {
    now += ms;
    const due = tasks.filter(({ at }) => at <= now);
    tasks = tasks.filter((entry) => !due.includes(entry));
    for (const { task } of due) task();
  };
  return { clock, pass };
};

let model: Model;
let indexing: Indexing;
let pass: (ms: number) => void;
let count = 0;
beforeEach(async () => {
  count = 0;
  model = await openModel(await openVault(createMemoryDisk().open()));
  const manual = createManualClock();
  ({ pass } = manual);
  indexing = createIndexing(model, manual.clock, (error) => {
    throw error;
  });
});
afterEach(() => indexing.stop());

const unindexed = async () =>
  (await model.store.messages({ unindexed: true }, { after: START, limit: 1000 })).length;

/** Messages come, one each half second. */
const stream = async (ms: number): Promise<void> => {
  for (let at = 0; at < ms; at += STEP_MS) {
    const row = message(count, `m${count}`, { text: 'word', unindexed: 1 });
    count += 1;
    await model.change((draft) => draft.put('message', row, [row.conversation, row.id]));
    pass(STEP_MS);
  }
};

describe('while messages come without a pause', () => {
  it('what is to leave the index leaves within ten seconds, and what came waits for a pause', async () => {
    await model.change((draft) => draft.put('dropped', { doc: 7 }, 7));
    await stream(9500);
    expect(await model.store.count('dropped')).toBe(1);
    await stream(500);
    await expect.poll(() => model.store.count('dropped')).toBe(0);
    expect(await unindexed()).toBe(count);
    await stream(10_000);
    expect(await unindexed()).toBe(count);
    pass(1000);
    await expect.poll(unindexed).toBe(0);
  });

  it('they are taken in after a minute all the same', async () => {
    await stream(59_500);
    expect(await unindexed()).toBe(count);
    await stream(11_000);
    await expect.poll(async () => (await unindexed()) < count).toBe(true);
  });

  it('the last of them are taken in when they end just as words leave', async () => {
    await stream(10_000);
    pass(1000);
    await expect.poll(unindexed).toBe(0);
  });
});
