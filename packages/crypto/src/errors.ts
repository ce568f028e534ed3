/**
 * Why an operation failed. A code is never reused for something else. Nothing that a peer can observe may depend on
 * which one it was.
 *
 * - `bad-key`: not an uncompressed point of P-256.
 * - `bad-signature`: a sealing key that was not signed by the device that it is said to be of.
 * - `bad-encoding`: not the one encoding of a value, or a value that has none.
 * - `unsupported`: a version that this code does not know.
 * - `unknown-sealing-key`: sealed to a key that this device does not hold.
 * - `cannot-open`: every other reason why a sealed message does not open.
 * - `chain-invalid`: not a valid account chain.
 * - `chain-fork`: a valid chain that parts from the known one and does not outrank it.
 * - `chain-rollback`: a chain that ends before the known one does.
 * - `chain-gap`: events that follow one that is not known.
 * - `attachment-invalid`: not the file, or the part of it, that the reference names.
 * - `archive-invalid`: not the archive key, object or manifest that was asked for.
 * - `recovery-code-malformed`: not 28 characters of the alphabet.
 * - `recovery-code-checksum`: 28 characters of which some are wrong.
 * - `recovery-invalid`: wrapped recovery keys that this code does not open.
 * - `bad-bundle`: prekeys that are unsigned, expired, incomplete or in the wrong place.
 * - `no-session`: no session to send in, or a message of a session that is not known here.
 * - `session-expired`: the session to send in was never answered and is too old.
 * - `prekey-unknown`: a first message to a prekey that this device no longer holds, or never did.
 * - `replayed`: a first message whose prekeys and base key served before.
 * - `too-far-ahead`: a message further ahead in its chain than is followed.
 * - `message-expired`: a message whose key was given up, or that came before so long ago that it is forgotten.
 * - `cannot-decrypt`: every other reason why a session message is refused, or one of a group.
 * - `sender-key-unknown`: a group message under a sender key that this device was not handed.
 * - `sender-key-due`: nothing more may be sent under this sender key: make a new one and hand it over.
 * - `channel-key-unknown`: sealed under a key of a group that this device does not hold.
 * - `channel-key-due`: nothing may be posted under this channel key: it is not the one in force.
 * - `membership-invalid`: not an entry of this group's log, or not its actor's to make.
 * - `membership-gap`: entries of the log are missing before this can be judged.
 * - `group-fork`: two entries were accepted for one epoch: the group stops.
 * - `roster-mismatch`: the relay delivers to others than the log names: the group stops.
 */
export type CryptoErrorCode =
  | 'bad-key'
  | 'bad-signature'
  | 'bad-encoding'
  | 'unsupported'
  | 'unknown-sealing-key'
  | 'cannot-open'
  | 'chain-invalid'
  | 'chain-fork'
  | 'chain-rollback'
  | 'chain-gap'
  | 'attachment-invalid'
  | 'archive-invalid'
  | 'recovery-code-malformed'
  | 'recovery-code-checksum'
  | 'recovery-invalid'
  | 'bad-bundle'
  | 'no-session'
  | 'session-expired'
  | 'prekey-unknown'
  | 'replayed'
  | 'too-far-ahead'
  | 'message-expired'
  | 'cannot-decrypt'
  | 'sender-key-unknown'
  | 'sender-key-due'
  | 'channel-key-unknown'
  | 'channel-key-due'
  | 'membership-invalid'
  | 'membership-gap'
  | 'group-fork'
  | 'roster-mismatch';

export class CryptoError extends Error {
  override readonly name = 'CryptoError';
  readonly code: CryptoErrorCode;

  constructor(code: CryptoErrorCode, detail?: string) {
    super(detail === undefined ? code : `${code}: ${detail}`);
    this.code = code;
  }
}
