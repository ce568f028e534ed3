/**
 * Every way in which the relay says no. The value is the HTTP status; sockets carry the code alone.
 * A code is never reused for something else.
 */
export const STATUS = {
  'bad-request': 400,
  'unknown-event': 400,
  'chain-invalid': 400,
  'sealing-key-invalid': 400,
  'prekey-invalid': 400,
  unauthenticated: 401,
  'token-expired': 401,
  'challenge-expired': 401,
  'signature-invalid': 401,
  'device-removed': 401,
  'origin-refused': 403,
  /** Not among what this relay demands of a registration, or not proven. */
  'verification-required': 403,
  'verification-failed': 403,
  'invite-unknown': 403,
  'invite-expired': 403,
  'invite-used': 403,
  forbidden: 403,
  'not-found': 404,
  'account-unknown': 404,
  'device-unknown': 404,
  /** Also for who is no member. */
  'channel-unknown': 404,
  /** The channel has no link, or another by now; also for channels that there are not. */
  'link-unknown': 404,
  'handle-taken': 409,
  'invite-exists': 409,
  'too-many-prekeys': 409,
  'too-many-devices': 409,
  'too-many-members': 409,
  /** Somebody who would join is in as many as can be, or is asked by as many. */
  'too-many-channels': 409,
  'channel-exists': 409,
  /** Who asks to join is in already. */
  'already-member': 409,
  /** Its log is as long as can be: members can be removed, nothing else. */
  'channel-full': 409,
  /** The recipient's chain has gone on: fetch the account. */
  'stale-devices': 409,
  /** One's own chain has gone on. */
  'stale-head': 409,
  /** The channel has gone on. */
  'stale-epoch': 409,
  /** Once and for all: its first event registers nothing any more. */
  'account-deleted': 410,
  'body-too-large': 413,
  'unsupported-version': 426,
  'too-many-requests': 429,
  /** The recipient has as many requests of strangers as are kept. */
  'requests-full': 429,
  /** As much waits for the device as is kept; there is room again once it has fetched some of it, or that is too old. */
  'inbox-full': 429,
  internal: 500,
  busy: 503,
  /** The relay's disk is full. */
  'no-space': 507,
} as const;

export type ErrorCode = keyof typeof STATUS;

/** What a relay answered, or (`unreachable`) that none answered. */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: ErrorCode | 'unreachable';
  readonly detail: string | undefined;
  /** Seconds, where the relay named them. */
  readonly retryAfter: number | undefined;

  constructor(
    code: ErrorCode | 'unreachable',
    detail?: string,
    options?: ErrorOptions & { retryAfter?: number | undefined },
  ) {
    super(detail === undefined ? code : `${code}: ${detail}`, options);
    this.code = code;
    this.detail = detail;
    this.retryAfter = options?.retryAfter;
  }

  /** True when the same request may succeed later as it is. */
  get retry(): boolean {
    const { code } = this;
    return (
      code === 'unreachable' ||
      ['busy', 'inbox-full', 'internal', 'no-space', 'requests-full', 'too-many-requests'].includes(code)
    );
  }
}
