import { SUITE_NAMES, SUITES } from '../../packages/crypto/wycheproof/checks.ts';
import { STORE_CASES } from '../../packages/store-memory/src/store-suite.ts';
import { expect, test } from './test.ts';

test('it is the browser that is meant', async ({ visitor, engine }) => {
  const agent = await visitor.ask('agent');
  const marks = { chromium: /Chrome\//, firefox: /Firefox\//, webkitgtk: /AppleWebKit\/(?!.*Chrome)/ };
  expect(agent).toMatch(marks[engine]);
});

for (const { name } of STORE_CASES)
  test(`store: ${name}`, async ({ visitor }) => {
    await visitor.ask('storeCase', name);
  });

test('vault: rows are sealed at rest, and open after a restart, where they belong', async ({ visitor }) => {
  const { fields, shows } = await visitor.ask('seal');
  expect(fields).toContain('sealed');
  expect(fields).not.toContain('text');
  expect(shows).toBe(false);
  await visitor.restart();
  const { texts, moved, extractable, secret } = await visitor.ask('unseal');
  expect(texts).toEqual([secret, secret]);
  expect(moved).toBe('sealed');
  expect(extractable).toBe(false);
});

test('a session goes on after a restart of the browser, and none of its keys can be exported', async ({
  visitor,
}) => {
  await visitor.ask('begin');
  await visitor.restart();
  const { texts, keys, out } = await visitor.ask('resume');
  expect(texts).toEqual(['over the restart', 'from a', 'from b']);
  expect(out).toEqual([]);
  expect(keys).toBeGreaterThan(10);
  // One that can be exported would have been noticed.
  expect((await visitor.ask('control')).out).toContain('AES-GCM as jwk');
});

test('a session: turns, and what comes late', async ({ visitor }) => {
  const turns = [0, 1, 2].flatMap((turn) => [`early ${turn}`, `late ${turn}`, `back ${turn}`]);
  expect(await visitor.ask('session')).toEqual(turns);
});

test('a group: messages in any order', async ({ visitor }) => {
  expect(await visitor.ask('group')).toEqual([4, 3, 2, 1, 0].map((index) => `message ${index}`));
});

test('the chain of an account', async ({ visitor }) => {
  expect(await visitor.ask('chain')).toEqual({ devices: 2, changed: 'chain-invalid' });
});

test('a file out of a Blob', async ({ visitor }) => {
  expect(await visitor.ask('attachment')).toEqual({ same: true, changed: 'attachment-invalid' });
});

test('recovery keys', async ({ visitor }) => {
  expect(await visitor.ask('recovery')).toEqual({
    same: true,
    extractable: false,
    wrong: 'recovery-invalid',
  });
});

for (const name of SUITE_NAMES)
  test(`A6 Wycheproof: ${name}`, async ({ visitor }) => {
    const { applied, wrong } = await visitor.ask('wycheproof', name);
    expect(wrong).toEqual([]);
    expect(applied).toBe(SUITES[name].applies);
  });

test('ML-KEM of the engine is used where there is one', async ({ visitor, engine }) => {
  const native = await visitor.ask('hasNativeKem');
  expect(native).toBe(await visitor.ask('offersKem'));
  if (engine === 'chromium') expect(native).toBe(true);
});
