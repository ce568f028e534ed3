export type StartErrorCode =
  | 'config-invalid'
  | 'port-in-use'
  | 'data-in-use'
  | 'database-failed'
  | 'migration-edited'
  | 'migration-failed'
  | 'database-older'
  | 'database-newer';

/** Why a relay cannot start or go on. The message is one line for the person who runs it. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly code: StartErrorCode;

  constructor(code: StartErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
