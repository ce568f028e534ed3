/** Two devices of libsignal's native client with a session between them, stores in memory. */
export interface SignalPair {
  /** One message, no new ratchet key. */
  oneWay: (plaintext: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** One message each way, each under a new ratchet key. */
  turn: (plaintext: Uint8Array<ArrayBuffer>) => Promise<void>;
  /** A new session from a new bundle, with its first message taken in. Prekeys are made ahead. */
  handshake: (plaintext: Uint8Array<ArrayBuffer>) => Promise<void>;
  prepare: (handshakes: number) => void;
}

export const signalPair: () => Promise<SignalPair>;
