type Bytes = Uint8Array<ArrayBuffer>;

export function hex(text: string): Bytes;
export function info(name: string, context?: Uint8Array): Bytes;
export function sha256(bytes: Uint8Array): Bytes;
export function step(key: Uint8Array, salt: Uint8Array, context: Uint8Array): Bytes;
export function pre(secret: Uint8Array, context: Uint8Array): Bytes;
export function messageKey(chain: Uint8Array): Bytes;
export function nextChain(chain: Uint8Array): Bytes;
export function signalKey(root: Uint8Array, direction: number): Bytes;
export function ecdh(privateKey: Uint8Array, publicKey: Uint8Array): Bytes;
export function decrypt(key: Uint8Array, iv: Uint8Array, aad: Uint8Array, ciphertext: Uint8Array): Bytes;
export function cascade(
  dh3: Uint8Array,
  secrets: readonly (readonly [string, Uint8Array])[],
  th: Uint8Array,
): Bytes;
export function rootStep(
  root: Uint8Array,
  dh: Uint8Array,
  sender: Uint8Array,
  receiver: Uint8Array,
): { t: Bytes; root: Bytes; chain: Bytes };

interface Party {
  account: Uint8Array;
  device: Uint8Array;
  signing: Uint8Array;
  identity: Uint8Array;
}
interface Opening {
  signed: { id: number; publicKey: Uint8Array };
  oneTime?: { id: number; publicKey: Uint8Array } | undefined;
  pq: { kind: number; id: number; publicKey: Uint8Array };
  generation: number;
  baseKey: Uint8Array;
  ciphertext: Uint8Array;
}
export function transcript(request: Opening & { initiator: Party; responder: Party }): Bytes;
export function encodeHandshake(request: Opening): Bytes;

export function parse(body: Uint8Array): {
  type: number;
  handshake: false | { baseKey: Bytes; ciphertext: Bytes; generation: number; oneTimeId: number | undefined };
  header: Bytes;
  ratchet: Bytes;
  pn: number;
  n: number;
  iv: Bytes;
  context: Bytes;
  ciphertext: Bytes;
};

export class ReferenceSession {
  constructor(request: {
    th: Uint8Array;
    root: Uint8Array;
    own?: { privateKey: Uint8Array; publicKey: Uint8Array } | undefined;
    peer?: Uint8Array | undefined;
  });
  root: Bytes;
  next(
    iv: Uint8Array,
    ratchet?: { privateKey: Uint8Array; publicKey: Uint8Array },
  ): { key: Bytes; header: Bytes };
  decrypt(body: Uint8Array): Bytes;
}
