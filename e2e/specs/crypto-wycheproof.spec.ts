import { SUITE_NAMES, SUITES } from '../../packages/crypto/wycheproof/checks.ts';
import { expect, test } from '../crypto/fixture.ts';

for (const name of SUITE_NAMES)
  test(`A6 Wycheproof: ${name}`, async ({ visitor }) => {
    const outcome = await visitor.page.evaluate((suite) => lab.wycheproof(suite), name);
    expect(outcome.wrong).toEqual([]);
    expect(outcome.applied).toBe(SUITES[name].applies);
  });

test('the vectors of ML-KEM run against the engine, too', async ({ visitor }) => {
  expect(await visitor.page.evaluate(() => lab.hasNativeKem())).toBe(true);
});
