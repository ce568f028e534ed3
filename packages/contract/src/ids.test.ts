import { describe, expect, it } from 'vitest';
import { base64url, bytes } from './bytes.ts';
import { AccountId, EnvelopeId, Handle } from './ids.ts';

/** `length` bytes of one value as canonical base64url. */
const text = (length: number, value = 0): string =>
  btoa(String.fromCharCode(...new Uint8Array(length).fill(value)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '');

describe('A6 ids and bytes have one spelling', () => {
  const id16 = text(16, 0xff);
  const id32 = text(32, 0xff);

  it('takes the canonical text of 16 and of 32 bytes', () => {
    expect(EnvelopeId.safeParse(id16).success).toBe(true);
    expect(AccountId.safeParse(id32).success).toBe(true);
  });

  it.each([
    ['unused bits set', `${id16.slice(0, -1)}x`],
    ['padding', `${id16}==`],
    ['too short', id16.slice(1)],
    ['the other alphabet', `+/${id16.slice(2)}`],
    ['a trailing line feed', `${id16}\n`],
    ['32 bytes', id32],
    ['bytes', new Uint8Array(16)],
  ])('refuses %s for 16 bytes', (_, value) => {
    expect(EnvelopeId.safeParse(value).success).toBe(false);
  });

  it('refuses unused bits set for 32 bytes', () => {
    expect(AccountId.safeParse(`${id32.slice(0, -1)}9`).success).toBe(false);
  });

  it('bounds base64url by bytes and refuses a second spelling', () => {
    const schema = base64url({ min: 2, max: 4 });
    const accepts = (value: string) => schema.safeParse(value).success;
    expect([2, 3, 4].map((n) => accepts(text(n)))).toEqual([true, true, true]);
    expect([1, 5].map((n) => accepts(text(n)))).toEqual([false, false]);
    expect(['AAB', 'AAAAB', 'AA=', 'AA A'].map(accepts)).toEqual([false, false, false, false]);
  });

  it('bounds bytes and takes nothing that only looks like them', () => {
    const schema = bytes({ max: 3 });
    const accepts = (value: unknown) => schema.safeParse(value).success;
    expect([1, 3].map((n) => accepts(new Uint8Array(n)))).toEqual([true, true]);
    expect([0, 4].map((n) => accepts(new Uint8Array(n)))).toEqual([false, false]);
    expect([[1, 2], 'ab', { length: 2 }, new ArrayBuffer(2), null].map(accepts)).not.toContain(true);
  });

  it.each(['ann', 'a_1', 'abcdefghijklmnopqrstuvwx'])('takes the handle %s', (handle) => {
    expect(Handle.safeParse(handle).success).toBe(true);
  });

  it.each(['an', '1ann', '_ann', 'Ann', 'ann ', 'аnn', 'ann‮', 'ann\0', 'a%b', 'abcdefghijklmnopqrstuvwxy'])(
    'refuses the handle %j',
    (handle) => {
      expect(Handle.safeParse(handle).success).toBe(false);
    },
  );
});
