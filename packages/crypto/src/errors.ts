/**
 * Why an operation failed. A code is never reused for something else. Nothing that a peer can observe may depend on
 * which one it was.
 *
 * - `bad-key`: not an uncompressed point of P-256.
 * - `bad-signature`: the body of a sealed message was not signed by who it claims to be from.
 * - `bad-encoding`: not the one encoding of a value, or a value that has none.
 * - `unsupported`: a version that this code does not know.
 * - `unknown-sealing-key`: sealed to a key that this device does not hold.
 * - `cannot-open`: every other reason why a sealed message does not open.
 * - `chain-invalid`: not a valid account chain.
 */
export type CryptoErrorCode =
  | 'bad-key'
  | 'bad-signature'
  | 'bad-encoding'
  | 'unsupported'
  | 'unknown-sealing-key'
  | 'cannot-open'
  | 'chain-invalid';

export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.code = code;
  }
}
