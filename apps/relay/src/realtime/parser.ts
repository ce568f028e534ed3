import * as msgpack from 'socket.io-msgpack-parser';

/** Deeper than any event of the contract. */
const MAX_DEPTH = 8;

/** What Socket.IO itself says to a socket; from a client it would be taken for the real thing. */
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];

class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** How many bytes follow a type byte from 0xc0 to 0xdf, by the format of MessagePack; of bin, str, array and map those of a size. */
const BYTES: readonly number[] = [
  // nil, (never), false, true
  0, -1, 0, 0,
  // bin, ext
  1, 2, 4, -1, -1, -1,
  // floats, unsigned and signed integers
  4, 8, 1, 2, 4, 8, 1, 2, 4, 8,
  // fixed ext: the first as far as the encoders of this parser write `undefined` so
  -1, -1, -1, -1, -1,
  // str, array, map
  1, 2, 4, 2, 4, 2, 4,
];
const [BIN, EXT, STR, ARRAY, MAP, END] = [0xc4, 0xc7, 0xd9, 0xdc, 0xde, 0xe0];
const UNDEFINED = 0xd4;

/** The frame that is walked: one at a time, and nothing is allocated for it. */
let bytes: Uint8Array = new Uint8Array();

const need = (at: number, count: number): number => {
  if (count > bytes.length - at) throw new FrameError('truncated');
  return at + count;
};

const sizeAt = (at: number, width: number): number => {
  need(at, width);
  let size = 0;
  for (let n = 0; n < width; n += 1) size = size * 256 + bytes[at + n]!;
  return size;
};

/** Walks `count` values from `at`; returns where they end. */
const past = (start: number, count: number, depth: number): number => {
  if (depth > MAX_DEPTH) throw new FrameError('too deep');
  // Each takes a byte at least: a count past that ends here, before the loop.
  need(start, count);
  let at = start;
  for (let n = 0; n < count; n += 1) {
    const type = bytes[need(at, 1) - 1]!;
    at += 1;
    if (type <= 0x7f || type >= END) continue;
    if (type <= 0x8f) at = past(at, (type & 0x0f) * 2, depth + 1);
    else if (type <= 0x9f) at = past(at, type & 0x0f, depth + 1);
    else if (type <= 0xbf) at = need(at, type & 0x1f);
    else if (type === UNDEFINED && sizeAt(at, 2) === 0) at += 2;
    else {
      const width = BYTES[type - 0xc0]!;
      if (width < 0) throw new FrameError('an extension');
      const sized = (type >= BIN && type < EXT) || type >= STR;
      if (!sized) {
        at = need(at, width);
        continue;
      }
      const size = sizeAt(at, width);
      at += width;
      if (type >= MAP) at = past(at, size * 2, depth + 1);
      else if (type >= ARRAY) at = past(at, size, depth + 1);
      else at = need(at, size);
    }
  }
  return at;
};

/**
 * Walks one MessagePack value. The decoder behind it trusts every length that is declared and recurses as deep as it is
 * told to, and it meets frames before anybody has signed in.
 *
 * @throws FrameError for extension types, truncation, trailing bytes and nesting past MAX_DEPTH
 */
export const checkFrame = (frame: Uint8Array): void => {
  bytes = frame;
  if (past(0, 1, 0) !== frame.length) throw new FrameError('trailing bytes');
};

/** Socket.IO's MessagePack decoder behind a check; what it throws ends the one connection that sent it. */
export class Decoder extends msgpack.Decoder {
  #signingIn = false;

  override add(frame: unknown): void {
    if (!(frame instanceof Uint8Array)) throw new FrameError('no bytes');
    checkFrame(frame);
    super.add(frame);
  }

  override checkPacket(packet: { type: unknown; data: unknown }): void {
    super.checkPacket(packet);
    if (packet.type === msgpack.PacketType.CONNECT) {
      // Each has a signature checked.
      if (this.#signingIn) throw new FrameError('a second sign-in');
      this.#signingIn = true;
    }
    if (packet.type !== msgpack.PacketType.EVENT) return;
    const [name] = packet.data as unknown[];
    if (typeof name !== 'string' || RESERVED.includes(name)) throw new FrameError('no event name');
  }
}

export { Encoder, protocol } from 'socket.io-msgpack-parser';
