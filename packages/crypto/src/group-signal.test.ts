import { describe, expect, it } from 'vitest';
import { concat } from './bytes.ts';
import { checkGroupSignal, makeGroupSignal, readGroupSignal } from './group-signal.ts';
import { codeOf, NOW, pairOf, people, someGroup } from './group-suite.ts';
import { SIGNAL_LIFETIME } from './limits.ts';
import { flipped } from './test-support.ts';

const someone = async () => {
  const [ann] = await people(1);
  const { state } = await someGroup(ann!);
  return { ann: ann!, state, ...(await pairOf(state, ann!)) };
};

describe('a live signal of a group', () => {
  it('proves whose it is, and takes no step of the chain', async () => {
    const { ann, own, keys } = await someone();
    const signal = readGroupSignal(await makeGroupSignal(own, { typing: true, now: NOW }));
    expect(signal).toMatchObject({ from: { account: ann.account, device: ann.device }, typing: true });
    expect(await checkGroupSignal(signal, { keys, now: NOW })).toBe(true);
    expect(await checkGroupSignal({ ...signal, typing: false }, { keys, now: NOW })).toBe(false);
  });

  it('is of this moment', async () => {
    const { own, keys } = await someone();
    const signal = readGroupSignal(await makeGroupSignal(own, { typing: true, now: NOW }));
    for (const late of [SIGNAL_LIFETIME, -SIGNAL_LIFETIME])
      expect(await checkGroupSignal(signal, { keys, now: NOW + late })).toBe(true);
    for (const late of [SIGNAL_LIFETIME + 1, -SIGNAL_LIFETIME - 1])
      expect(await checkGroupSignal(signal, { keys, now: NOW + late })).toBe(false);
  });

  it('of another sender key, device or group, or with any bit turned, proves nothing', async () => {
    const { own, keys, state } = await someone();
    const body = await makeGroupSignal(own, { typing: true, now: NOW });
    const signal = readGroupSignal(body);
    const other = await someone();
    expect(await checkGroupSignal(signal, { keys: other.keys, now: NOW })).toBe(false);
    expect(await checkGroupSignal(signal, { keys: { ...keys, group: other.state.group }, now: NOW })).toBe(
      false,
    );
    const stolen = { ...other.keys, from: keys.from, group: state.group };
    expect(await checkGroupSignal(signal, { keys: stolen, now: NOW })).toBe(false);
    for (let at = 0; at < body.length; at += 1) {
      let passed = false;
      try {
        const turned = readGroupSignal(flipped(body, at, 1 << (at % 8)));
        passed = await checkGroupSignal(turned, { keys, now: NOW });
      } catch (error) {
        expect(error).toMatchObject({ code: 'cannot-decrypt' });
      }
      expect(passed, `byte ${at}`).toBe(false);
    }
    // By the right key, in the name of another device or of a key that was never handed over.
    for (const change of [{ owner: other.own.owner }, { chainId: other.own.chainId }]) {
      const claim = await makeGroupSignal({ ...own, ...change }, { typing: true, now: NOW });
      expect(await checkGroupSignal(readGroupSignal(claim), { keys, now: NOW })).toBe(false);
    }
    for (const length of [0, 1, body.length - 1])
      expect(await codeOf(() => readGroupSignal(body.slice(0, length)))).toBe('cannot-decrypt');
  });

  it('has one encoding', async () => {
    const { own } = await someone();
    const body = await makeGroupSignal(own, { typing: false, now: NOW });
    const at = body.length - 65;
    expect(body[at]).toBe(0);
    const another = body.slice();
    another[at] = 2;
    expect(await codeOf(() => readGroupSignal(another))).toBe('cannot-decrypt');
    expect(await codeOf(() => readGroupSignal(concat(body, new Uint8Array(1))))).toBe('cannot-decrypt');
  });
});
