import * as msgpack from 'socket.io-msgpack-parser';

/** Deeper than any event of the contract. */
const MAX_DEPTH = 8;

/** What Socket.IO itself says to a socket; from a client it would be taken for the real thing. */
const RESERVED = ['connect', 'connect_error', 'disconnect', 'disconnecting', 'newListener', 'removeListener'];

class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** Bytes that follow a type byte of fixed size: floats and integers, by the format of MessagePack. */
const FIXED: Record<number, number> = {
  0xc0: 0,
  0xc2: 0,
  0xc3: 0,
  0xca: 4,
  0xcb: 8,
  0xcc: 1,
  0xcd: 2,
  0xce: 4,
  0xcf: 8,
  0xd0: 1,
  0xd1: 2,
  0xd2: 4,
  0xd3: 8,
};

/** Bytes of a length that follows its type byte. */
const SIZED: Record<number, { bytes: 1 | 2 | 4; holds: 'bytes' | 'values' | 'pairs' }> = {
  0xc4: { bytes: 1, holds: 'bytes' },
  0xc5: { bytes: 2, holds: 'bytes' },
  0xc6: { bytes: 4, holds: 'bytes' },
  0xd9: { bytes: 1, holds: 'bytes' },
  0xda: { bytes: 2, holds: 'bytes' },
  0xdb: { bytes: 4, holds: 'bytes' },
  0xdc: { bytes: 2, holds: 'values' },
  0xdd: { bytes: 4, holds: 'values' },
  0xde: { bytes: 2, holds: 'pairs' },
  0xdf: { bytes: 4, holds: 'pairs' },
};

/**
 * Walks one MessagePack value and allocates nothing. The decoder behind it trusts every length that is declared and
 * recurses as deep as it is told to, and it meets frames before anybody has signed in.
 *
 * @throws FrameError for extension types, truncation, trailing bytes and nesting past MAX_DEPTH
 */
export const checkFrame = (frame: Uint8Array): void => {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let at = 0;
  const skip = (count: number): number => {
    if (count > frame.length - at) throw new FrameError('truncated');
    at += count;
    return at - count;
  };
  const length = (bytes: 1 | 2 | 4): number => {
    const from = skip(bytes);
    if (bytes === 1) return view.getUint8(from);
    return bytes === 2 ? view.getUint16(from) : view.getUint32(from);
  };
  const values = (count: number, depth: number): void => {
    if (depth > MAX_DEPTH) throw new FrameError('too deep');
    // Each takes a byte at least: a count past that ends here, before the loop.
    if (count > frame.length - at) throw new FrameError('truncated');
    for (let index = 0; index < count; index += 1) value(depth);
  };
  const value = (depth: number): void => {
    const type = view.getUint8(skip(1));
    if (type <= 0x7f || type >= 0xe0) return;
    if (type <= 0x8f) return values((type & 0x0f) * 2, depth + 1);
    if (type <= 0x9f) return values(type & 0x0f, depth + 1);
    if (type <= 0xbf) return void skip(type & 0x1f);
    const fixed = FIXED[type];
    if (fixed !== undefined) return void skip(fixed);
    // How the encoders of this parser write `undefined`.
    if (type === 0xd4 && view.getUint16(skip(2)) === 0) return;
    const sized = SIZED[type];
    if (!sized) throw new FrameError('an extension');
    const size = length(sized.bytes);
    if (sized.holds === 'bytes') return void skip(size);
    values(sized.holds === 'pairs' ? size * 2 : size, depth + 1);
  };
  value(0);
  if (at !== frame.length) throw new FrameError('trailing bytes');
};

/** Socket.IO's MessagePack decoder behind a check; what it throws ends the one connection that sent it. */
export class Decoder extends msgpack.Decoder {
  override add(frame: unknown): void {
    if (!(frame instanceof Uint8Array)) throw new FrameError('no bytes');
    checkFrame(frame);
    super.add(frame);
  }

  override checkPacket(packet: { type: unknown; data: unknown }): void {
    super.checkPacket(packet);
    if (packet.type !== msgpack.PacketType.EVENT) return;
    const [name] = packet.data as unknown[];
    if (typeof name !== 'string' || RESERVED.includes(name)) throw new FrameError('no event name');
  }
}

export { Encoder, protocol } from 'socket.io-msgpack-parser';
