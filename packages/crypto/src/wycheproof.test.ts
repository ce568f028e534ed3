import { describe, expect, it } from 'vitest';
import { runSuite, SUITE_NAMES, SUITES } from '../wycheproof/checks.ts';

describe('Wycheproof', () => {
  it.each(SUITE_NAMES)('A6 %s', async (name) => {
    const file: { default: unknown } = await import(`../wycheproof/${name}.json`);
    const outcome = await runSuite(name, file.default);
    expect(outcome.wrong).toEqual([]);
    expect(outcome.applied).toBe(SUITES[name].applies);
  });
});
