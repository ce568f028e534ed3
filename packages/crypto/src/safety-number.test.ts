import { pbkdf2Sync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import vectors from '../vectors/safety-number.json';
import { concat, toBase64url, u8, utf8 } from './bytes.ts';
import { join, newDevice, newRecovery, NOW, startChain } from './chain-suite.ts';
import { setRecoveryKey } from './chain.ts';
import { id, info } from './reference-suite.ts';
import { matchesSafetyQr, SAFETY_DIGITS, safetyNumber, safetyQr } from './safety-number.ts';
import { flipped, fromHex, random, toHex } from './test-support.ts';

const [alice, bob, carol] = [random(32), random(32), random(32)].map((bytes) => toBase64url(bytes)) as [
  string,
  string,
  string,
];
const malformed = expect.objectContaining({ code: 'bad-encoding' });

/** By the specification, over node:crypto. */
const half = (account: string) => {
  const bytes = pbkdf2Sync(id(account), info('safety-number'), 100_000, 30, 'sha512');
  const group = (at: number) => String(bytes.readUIntBE(5 * at, 5) % 100_000).padStart(5, '0');
  return [0, 1, 2, 3, 4, 5].map(group).join('');
};

describe('a safety number', () => {
  it.each(vectors)('is as published: $digits', async ({ mine, theirs, digits, qr }) => {
    expect(await safetyNumber(mine, theirs)).toBe(digits);
    expect([half(mine), half(theirs)].toSorted().join('')).toBe(digits);
    expect(toHex(safetyQr(mine, theirs))).toBe(qr);
    expect(qr).toBe(Buffer.concat([info('safety-number'), u8(1), id(mine), id(theirs)]).toString('hex'));
  });

  it('is the same on both sides, of 60 digits', async () => {
    const number = await safetyNumber(alice, bob);
    expect(number).toMatch(/^\d{60}$/);
    expect(SAFETY_DIGITS).toBe(60);
    expect(await safetyNumber(bob, alice)).toBe(number);
  });

  it('A1 is another for another account', async () => {
    const number = await safetyNumber(alice, bob);
    expect(await safetyNumber(alice, carol)).not.toBe(number);
    expect(await safetyNumber(carol, bob)).not.toBe(number);
    const near = toBase64url(flipped(fromHex(id(bob).toString('hex')), 31));
    expect(await safetyNumber(alice, near)).not.toBe(number);
  });

  it('outlasts devices and recovery keys, and no account', async () => {
    const [first, second, recovery] = await Promise.all([newDevice(), newDevice(), newRecovery()]);
    const { state: one } = await startChain(first);
    const { state: two } = await join(one, first, second);
    const { state: three } = await setRecoveryKey({
      state: two,
      author: second.signing,
      createdAt: NOW,
      recovery: { signing: recovery.signing, sealing: recovery.other.publicKey },
    });
    const numbers = [one, two, three].map(({ account }) => safetyNumber(alice, account));
    expect(new Set(await Promise.all(numbers)).size).toBe(1);
    const { state: other } = await startChain(second);
    expect(await safetyNumber(alice, other.account)).not.toBe(await numbers[0]);
  });

  it('is not made of one account, or of no account', async () => {
    for (const wrong of [alice, '', 'AAAA', `${bob}AA`, `${bob.slice(0, -1)}!`]) {
      await expect(async () => safetyNumber(alice, wrong)).rejects.toThrow(malformed);
      expect(() => safetyQr(wrong, alice)).toThrow(malformed);
    }
  });
});

describe('a QR code', () => {
  const shown = safetyQr(bob, alice);

  it('matches when both see the same accounts', () => {
    expect(matchesSafetyQr(alice, bob, shown)).toBe(true);
    expect(matchesSafetyQr(bob, alice, safetyQr(alice, bob))).toBe(true);
  });

  it('A1 does not match for any other account on either side, or for one’s own code', () => {
    for (const other of [safetyQr(bob, carol), safetyQr(carol, alice), safetyQr(alice, bob)]) {
      expect(matchesSafetyQr(alice, bob, other)).toBe(false);
    }
  });

  it('is refused when it is changed, cut, longer, or something else', () => {
    const length = shown.length - 64;
    for (let at = 0; at < shown.length; at += 1) {
      const changed = flipped(shown, at);
      expect(() => matchesSafetyQr(alice, bob, shown.slice(0, at))).toThrow(malformed);
      if (at >= length) expect(matchesSafetyQr(alice, bob, changed)).toBe(false);
      else expect(() => matchesSafetyQr(alice, bob, changed)).toThrow(/^(?:bad-encoding|unsupported)/);
    }
    expect(() => matchesSafetyQr(alice, bob, concat(shown, u8(0)))).toThrow(malformed);
    expect(() => matchesSafetyQr(alice, bob, flipped(shown, length - 1))).toThrow(
      expect.objectContaining({ code: 'unsupported' }),
    );
    expect(() => matchesSafetyQr(alice, bob, utf8('https://chat.example/#/add/bob'))).toThrow(malformed);
  });
});
