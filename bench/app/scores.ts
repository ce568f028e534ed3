import { median } from '../measure.ts';
import { atLeast, type Figure } from '../relay/figures.ts';
import { CATEGORIES, look } from './lighthouse.mjs';

const RUNS = 5;
const GOALS = { performance: 98, accessibility: 100, 'best-practices': 100 };

/** Lighthouse's mobile profile, the median of some runs. `what` names the screen that the address leads to. */
export const scores = async (
  what: string,
  url: string,
  port: number,
  say: (text: string) => void,
): Promise<Figure[]> => {
  const runs: Awaited<ReturnType<typeof look>>[] = [];
  for (let run = 0; run < RUNS; run += 1) runs.push(await look(url, port));
  for (const audit of new Set(runs.flatMap(({ failed }) => failed))) say(`Lighthouse, ${what}: ${audit}`);
  return CATEGORIES.map((name) => ({
    name: `Lighthouse, ${what}: ${name}`,
    value: median(runs.map((run) => run.scores[name])),
    unit: '',
    goal: atLeast('value', GOALS[name]),
  }));
};
