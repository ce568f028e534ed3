export type EngineErrorCode =
  | 'not-ready'
  | 'already-registered'
  | 'yourself'
  | 'empty'
  | 'too-long'
  | 'no-conversation'
  | 'bad-name'
  | 'other-handle'
  /** The message may have left already. */
  | 'too-late'
  | 'no-message'
  /** Another wrote it, or it is no text. */
  | 'not-yours'
  /** It has not left yet. */
  | 'not-sent'
  | 'no-request'
  | 'blocked'
  /** The group waits for `accept`. */
  | 'not-joined'
  | 'group-stopped'
  /** This account is in that group no more. */
  | 'not-a-member'
  /** Of the group. */
  | 'no-member'
  /** Of those who are in the group, admins alone. */
  | 'not-allowed'
  /** A link to a group that shows nothing that can be read. */
  | 'bad-link'
  /** It lets nobody in any more. */
  | 'link-expired'
  | 'is-group'
  | 'too-many-blocked'
  /** More than a group holds. */
  | 'too-many-members'
  | 'bad-emoji'
  | 'bad-timer'
  /** The tab that was to do it went away: it may be done, or not. */
  | 'interrupted';

/** A call that cannot be carried out as things stand; nothing was changed. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode) {
    super(`engine: ${code}`);
    this.code = code;
  }
}
