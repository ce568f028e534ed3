export type EngineErrorCode =
  | 'not-ready'
  | 'already-registered'
  | 'yourself'
  | 'empty'
  | 'too-long'
  | 'no-conversation'
  | 'bad-name'
  | 'other-handle';

/** A call that cannot be carried out as things stand; nothing was changed. */
export class EngineError extends Error {
  override readonly name = 'EngineError';
  readonly code: EngineErrorCode;

  constructor(code: EngineErrorCode) {
    super(`engine: ${code}`);
    this.code = code;
  }
}
