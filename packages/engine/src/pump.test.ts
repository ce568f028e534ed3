import { expect, it } from 'vitest';
import { createPump } from './pump.ts';

it('loses no kick, however close to the end of a run it comes', async () => {
  for (let ticks = 0; ticks < 12; ticks += 1) {
    let runs = 0;
    const pump = createPump(async () => {
      await Promise.resolve();
      runs += 1;
    });
    pump.kick();
    for (let tick = 0; tick < ticks; tick += 1) await Promise.resolve();
    const before = runs;
    pump.kick();
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
    expect(runs, `after ${ticks} ticks`).toBeGreaterThan(before);
  }
});

it('runs one at a time, and not after it was stopped', async () => {
  let running = 0;
  let runs = 0;
  const pump = createPump(async () => {
    running += 1;
    expect(running).toBe(1);
    await new Promise((resolve) => {
      setTimeout(resolve, 1);
    });
    running -= 1;
    runs += 1;
  });
  for (let kick = 0; kick < 5; kick += 1) pump.kick();
  await pump.stop();
  pump.kick();
  expect(runs).toBe(1);
});
