import { describe, expect, it } from 'vitest';
import { DAY, HOUR } from './limits.ts';
import { asksRepair, mayResend, NO_REPAIRS, tryRepair, tryResend, type RepairLog } from './repair.ts';
import { random, someDevice } from './test-support.ts';

const NOW = 1_770_000_000_000;

describe('repair', () => {
  it('must 8 is made once an hour', () => {
    const first = tryRepair(NO_REPAIRS, NOW);
    expect(first).toBeDefined();
    expect(tryRepair(first!, NOW)).toBeUndefined();
    expect(tryRepair(first!, NOW + HOUR - 1)).toBeUndefined();
    expect(tryRepair(first!, NOW + HOUR)).toBeDefined();
    expect(tryRepair(first!, NOW - DAY), 'the clock was put back').toBeUndefined();
    expect(NO_REPAIRS).toEqual({ handshakes: [], resends: [] });
  });

  it('must 8 is followed ten times in three hours', () => {
    let log: RepairLog = NO_REPAIRS;
    for (let i = 0; i < 10; i += 1) log = tryResend(log, NOW + i)!;
    expect(tryResend(log, NOW + 10)).toBeUndefined();
    expect(tryResend(log, NOW + 3 * HOUR - 1)).toBeUndefined();
    const later = tryResend(log, NOW + 3 * HOUR);
    expect(later?.resends).toHaveLength(10);
    expect(tryResend(later!, NOW + 3 * HOUR)).toBeUndefined();
  });

  it('must 12 is asked for alike whatever failed, and not for repeats', () => {
    const codes = [
      'cannot-decrypt',
      'no-session',
      'prekey-unknown',
      'too-far-ahead',
      'message-expired',
      'rollback',
    ] as const;
    for (const code of codes) expect(asksRepair(code), code).toBe(true);
    for (const code of ['duplicate', 'replayed', 'unsupported'] as const) {
      expect(asksRepair(code), code).toBe(false);
    }
  });

  it('sends again to the device that it was for alone, under its keys, unacknowledged, for seven days', async () => {
    const [device, other] = await Promise.all([someDevice(), someDevice()]);
    const identity = random(65);
    const requester = { account: device.account, device: device.device, identity };
    const sent = { to: device, identity, at: NOW, acknowledged: false };
    const request = { sent, requester, now: NOW + 7 * DAY - 1 };
    expect(mayResend(request)).toBe(true);
    expect(mayResend({ ...request, now: NOW + 7 * DAY })).toBe(false);
    expect(mayResend({ ...request, sent: { ...sent, acknowledged: true } })).toBe(false);
    const others = [
      { ...requester, account: other.account },
      { ...requester, device: other.device },
      { ...requester, identity: random(65) },
    ];
    for (const changed of others) expect(mayResend({ ...request, requester: changed })).toBe(false);
  });
});
