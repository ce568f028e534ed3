import { expect, test } from '../crypto/fixture.ts';
import { replay, replayGroup } from '../crypto/reference.ts';

test('A12 script never sees a root, chain or message key of a session', async ({ visitor }) => {
  const observation = await visitor.page.evaluate(() => lab.converse());
  expect(observation.unknown).toEqual([]);
  expect(observation.leaks).toEqual([]);
  expect(observation.seen).toBeGreaterThan(100);

  // The keys are those: they open what was on the wire, and each is among those that were searched for.
  const { texts, keys } = replay(observation);
  expect(texts).toEqual(observation.wire.map(({ text }) => text));
  expect(keys.root.length).toBeGreaterThan(6);
  expect(keys.message.length).toBe(observation.wire.length);
  const secrets = new Set(observation.secrets);
  for (const kind of ['root', 'chain', 'message'] as const)
    for (const key of keys[kind]) expect(secrets.has(key), `a ${kind} key`).toBe(true);
});

test('A12 script never sees a chain or message key of a group', async ({ visitor }) => {
  const observation = await visitor.page.evaluate(() => lab.converseInGroup());
  expect(observation.unknown).toEqual([]);
  expect(observation.leaks).toEqual([]);
  const { texts, keys } = replayGroup(observation);
  expect(texts).toEqual(observation.messages.map(({ text }) => text));
  expect(keys.message.size).toBe(texts.length);
  const secrets = new Set(observation.secrets);
  expect(observation.kept.out).toEqual([]);
  expect(observation.kept.keys).toBeGreaterThan(8);
  for (const key of [...keys.chain, ...keys.message]) expect(secrets.has(key)).toBe(true);
});

test('A12 a leak is noticed', async ({ visitor }) => {
  const leaks = (how: 'none' | 'export' | 'whole' | 'half') =>
    visitor.page.evaluate((which) => lab.leak(which), how);
  expect(await leaks('none')).toEqual([]);
  expect(await leaks('export')).toEqual(['exportKey showed a key of deriveKey']);
  expect(await leaks('whole')).toEqual(['encrypt showed a key of unwrapKey']);
  expect(await leaks('half')).toEqual(['encrypt showed a key of unwrapKey']);
});
