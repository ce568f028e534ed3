import { describe, expect, it } from 'vitest';
import { isOutage } from './database.ts';

describe('what may succeed later', () => {
  it.each(['40P01', '40001', '55P03', 'P2034', '25P03', '57014'])(
    'is told by %s, also as a cause',
    (code) => {
      expect(isOutage({ code })).toBe(true);
      expect(isOutage({ cause: { code } })).toBe(true);
      const driverAdapterError = { cause: { originalCode: code } };
      expect(isOutage({ code: 'P2010', meta: { driverAdapterError } })).toBe(true);
    },
  );
  it.each(['23505', '22P02', 'P2002'])('is not told by %s', (code) => {
    expect(isOutage({ code })).toBe(false);
  });
});
