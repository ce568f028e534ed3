import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import fc from 'fast-check';

/** A frame of a WebSocket as nobody's library would write it. */
interface Frame {
  fin: boolean;
  /** 0 in all that is right. */
  rsv: number;
  opcode: number;
  masked: boolean;
  payload: Uint8Array;
  /** Instead of the payload's own. */
  length: number | undefined;
}

export const TEXT = 1;
export const BINARY = 2;

const encodeFrame = ({ fin, rsv, opcode, masked, payload, length }: Frame): Buffer => {
  const told = length ?? payload.length;
  const first = (fin ? 0x80 : 0) | (rsv << 4) | opcode;
  const bit = masked ? 0x80 : 0;
  let head: Buffer;
  if (told < 126) head = Buffer.from([first, bit | told]);
  else if (told < 65_536) head = Buffer.from([first, bit | 126, told >> 8, told & 255]);
  else {
    head = Buffer.alloc(10);
    head[0] = first;
    head[1] = bit | 127;
    head.writeBigUInt64BE(BigInt(told), 2);
  }
  if (!masked) return Buffer.concat([head, payload]);
  const mask = randomBytes(4);
  return Buffer.concat([head, mask, payload.map((byte, n) => byte ^ mask[n % 4]!)]);
};

/** What a well-behaved client would write. */
export const plainFrame = (opcode: number, payload: Uint8Array | string): Buffer =>
  encodeFrame({
    fin: true,
    rsv: 0,
    opcode,
    masked: true,
    payload: Buffer.from(payload as string),
    length: undefined,
  });

/** Frames and bytes; `good` are payloads that mean something, to be cut, bent and repeated. */
export const frames = (good: readonly Uint8Array[]): fc.Arbitrary<Buffer[]> => {
  const bent = fc
    .tuple(fc.constantFrom(...good), fc.nat(), fc.integer({ min: 1, max: 255 }), fc.nat(9))
    .map(([bytes, at, change, kind]) => {
      const copy = Uint8Array.from(bytes);
      if (kind < 5 && copy.length > 0) copy[at % copy.length]! ^= change;
      if (kind === 8) return copy.subarray(0, at % (copy.length + 1));
      return copy;
    });
  const payload = fc.oneof(bent, fc.uint8Array({ maxLength: 200 }), fc.uint8Array({ maxLength: 8 }));
  const lie = fc.constantFrom(0, 1, 125, 65_535, 65_536, 2 ** 31, 2 ** 53 - 1);
  const frame = fc
    .record({
      fin: fc.oneof({ weight: 6, arbitrary: fc.constant(true) }, fc.boolean()),
      rsv: fc.oneof({ weight: 8, arbitrary: fc.constant(0) }, fc.nat(7)),
      opcode: fc.oneof({ weight: 6, arbitrary: fc.constantFrom(TEXT, BINARY, BINARY) }, fc.nat(15)),
      masked: fc.oneof({ weight: 8, arbitrary: fc.constant(true) }, fc.boolean()),
      payload,
      length: fc.oneof({ weight: 8, arbitrary: fc.constant(undefined) }, lie),
    })
    .map(encodeFrame);
  const noise = fc.uint8Array({ minLength: 1, maxLength: 100 }).map((bytes) => Buffer.from(bytes));
  return fc.array(fc.oneof({ weight: 8, arbitrary: frame }, noise), { minLength: 1, maxLength: 12 });
};

/** A connection that has been upgraded to a WebSocket, and no more. */
export const upgrade = async (port: number): Promise<Socket> => {
  const socket = createConnection(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\n` +
      `sec-websocket-version: 13\r\nsec-websocket-key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
  );
  const [answer] = (await once(socket, 'data')) as [Buffer];
  if (!answer.toString('latin1').startsWith('HTTP/1.1 101 ')) throw new Error('not upgraded');
  return socket;
};
