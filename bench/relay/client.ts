// As little of a client as there can be, so that the cores go to the relay: WebSocket, Engine.IO and Socket.IO as far as a
// relay speaks them to a client that behaves.
import { connect, type Socket as Stream } from 'node:net';
import * as parser from 'socket.io-msgpack-parser';

const encoder = new parser.Encoder() as unknown as { encode: (packet: unknown) => [Buffer] };
const [CONNECT, EVENT] = [0, 2];
const [TEXT, BINARY, CLOSE] = [1, 2, 8];
const MASK = [0x5a, 0xc3, 0x17, 0x8e];

const encodeFrame = (opcode: number, payload: Buffer): Buffer => {
  const { length } = payload;
  const header = length < 126 ? 6 : length < 65536 ? 8 : 14;
  const out = Buffer.allocUnsafe(header + length);
  out[0] = 0x80 | opcode;
  if (header === 6) out[1] = 0x80 | length;
  else if (header === 8) {
    out[1] = 0x80 | 126;
    out.writeUInt16BE(length, 2);
  } else {
    out[1] = 0x80 | 127;
    out.writeBigUInt64BE(BigInt(length), 2);
  }
  out.set(MASK, header - 4);
  for (let i = 0; i < length; i += 1) out[header + i] = payload[i]! ^ MASK[i & 3]!;
  return out;
};

export type Listener = (event: string, payload: unknown, client: Client) => void;

/** One socket to a relay. */
export class Client {
  readonly #stream: Stream;
  readonly #decoder = new parser.Decoder();
  readonly #ready: { resolve: () => void; reject: (error: Error) => void };
  /** When the relay let it in. */
  readonly ready: Promise<void>;
  readonly #listener: Listener;
  #auth: unknown;
  #rest: Buffer = Buffer.alloc(0);
  #upgraded = false;
  #closed = false;

  constructor(port: number, auth: unknown, listener: Listener = () => undefined) {
    this.#listener = listener;
    this.#auth = auth;
    let ready!: { resolve: () => void; reject: (error: Error) => void };
    this.ready = new Promise((resolve, reject) => (ready = { resolve, reject }));
    this.#ready = ready;
    (this.#decoder as unknown as NodeJS.EventEmitter).on('decoded', (packet) => this.#packet(packet));
    this.#stream = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#stream.write(
      `GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: localhost:${port}\r\nUpgrade: websocket\r\n` +
        'Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c290dG8gbWVhc3VyZXMgIQ==\r\n\r\n',
    );
    this.#stream.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#stream.on('error', (error) => this.#ready.reject(error));
    this.#stream.on('close', () => this.#lost('the connection ended'));
  }

  emit(event: string, payload: unknown): void {
    this.#send(BINARY, encoder.encode({ type: EVENT, nsp: '/', data: [event, payload] })[0]);
  }

  close(): void {
    this.#closed = true;
    this.#stream.destroy();
  }

  #lost(why: string): void {
    if (this.#closed) return;
    this.#ready.reject(new Error(why));
    this.#listener('lost', why, this);
  }

  /** What is sent in one turn is written at once. */
  #send(opcode: number, payload: Buffer): void {
    if (this.#stream.writableCorked === 0) {
      this.#stream.cork();
      process.nextTick(() => this.#stream.uncork());
    }
    this.#stream.write(encodeFrame(opcode, payload));
  }

  #read(chunk: Buffer): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (!this.#upgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) return void (this.#rest = data);
      if (!data.subarray(0, 16).toString().startsWith('HTTP/1.1 101')) {
        this.#lost(data.toString('latin1'));
        return this.close();
      }
      this.#upgraded = true;
      data = data.subarray(end + 4);
    }
    let at = 0;
    while (data.length - at >= 2) {
      const short = data[at + 1]! & 127;
      const header = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (data.length - at < header) break;
      const length =
        short < 126 ? short : short === 126 ? data.readUInt16BE(at + 2) : data.readUInt32BE(at + 6);
      if (data.length - at < header + length) break;
      this.#frame(data[at]! & 15, data.subarray(at + header, at + header + length));
      at += header + length;
    }
    this.#rest = data.subarray(at);
  }

  #frame(opcode: number, payload: Buffer): void {
    if (opcode === BINARY) return this.#decoder.add(payload);
    if (opcode === CLOSE) return this.#lost('the relay closed it');
    if (opcode !== TEXT) return;
    // Engine.IO: open, and ping to be answered by pong.
    if (payload[0] === 0x30)
      this.#send(BINARY, encoder.encode({ type: CONNECT, nsp: '/', data: this.#auth })[0]);
    else if (payload[0] === 0x32) this.#send(TEXT, Buffer.from('3'));
  }

  #packet({ type, data }: { type: number; data: unknown }): void {
    if (type === EVENT) {
      const [event, payload] = data as [string, unknown];
      this.#listener(event, payload, this);
    } else if (type === CONNECT) {
      this.#auth = undefined;
      this.#ready.resolve();
    } else this.#lost(JSON.stringify(data));
  }
}
