import { describe, expect, it } from 'vitest';
import type { MessageRow, SendProblem } from '../rows.ts';
import { toChatMessage } from './chat-message.ts';

describe('a message that failed', () => {
  const retryOf = (problem?: SendProblem) =>
    toChatMessage(
      {
        id: 'm',
        from: 'me',
        text: 'x',
        status: 'failed',
        sentAt: 1,
        ...(problem && { problem }),
      } as MessageRow,
      undefined,
      'me',
    ).retry;

  it.each<[SendProblem, boolean]>([
    ['device-unknown', true],
    ['stale-devices', true],
    ['keys-invalid', true],
    ['unreachable', true],
    ['requests-full', true],
    ['other-handle', false],
    ['account-unknown', false],
    ['body-too-large', false],
  ])('says of %s whether to try again: %s', (problem, retry) => {
    expect(retryOf(problem)).toBe(retry);
  });

  it('says nothing where there is no problem', () => {
    expect(retryOf()).toBeUndefined();
  });
});
