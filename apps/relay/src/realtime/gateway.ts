import type { Server as HttpServer } from 'node:http';
import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import { Handshake, type ClientEvents } from '@sotto/contract/events/client';
import type { RelayEvents } from '@sotto/contract/events/relay';
import type { DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { WIRE_VERSION } from '@sotto/contract/version';
import { Server } from 'socket.io';
import { parse, problemOf, Refusal } from '../problem.ts';
import type { Origins } from '../services/origins.ts';
import type { Identity } from '../services/tokens.ts';
import { serveConnection, type ConnectionParts } from './connection.ts';
import * as parser from './parser.ts';

export interface Gateway {
  /** Tells the device's sockets why, and ends them. */
  disconnect(device: DeviceId, code: ErrorCode): void;
  /** The devices that are connected here. */
  connected(): DeviceId[];
  /** Ends every socket and stops listening. */
  close(): Promise<void>;
}

/** A refusal in the form in which Socket.IO hands it to the client's `connect_error`. */
class ConnectError extends Error {
  readonly data: { code: ErrorCode };

  constructor(code: ErrorCode) {
    super(code);
    this.data = { code };
  }
}

const roomOf = (device: DeviceId): string => `device ${device}`;

/** Puts the sockets of devices onto an HTTP server. */
export const openGateway = (http: HttpServer, origins: Origins, parts: ConnectionParts): Gateway => {
  const { signIn, log } = parts;
  const io = new Server<ClientEvents, RelayEvents, Record<string, never>, { identity: Identity }>(http, {
    transports: ['websocket'],
    allowUpgrades: false,
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: LIMITS.frameBytes,
    connectTimeout: 10_000,
    parser,
    allowRequest: (request, answer) => {
      const admitted = origins.admits(request.headers.origin);
      answer(admitted ? null : 'origin-refused', admitted);
    },
  });

  io.use((socket, next) => {
    const admit = async (): Promise<void> => {
      const { token, version } = parse(Handshake, socket.handshake.auth);
      if (version !== WIRE_VERSION) throw new Refusal('bad-request', 'version');
      const identity = await signIn.authenticate(token);
      socket.data.identity = identity;
    };
    const refused = (error: unknown): ErrorCode => {
      const anonymous = !(socket.handshake.auth as { token?: unknown }).token;
      return problemOf(anonymous ? new RelayError('unauthenticated') : error, log).code;
    };
    admit().then(
      () => next(),
      (error: unknown) => next(new ConnectError(refused(error))),
    );
  });

  const disconnect: Gateway['disconnect'] = (device, code) => {
    const room = io.in(roomOf(device));
    room.emit('problem', { code });
    room.disconnectSockets(true);
  };

  io.on('connection', (socket) => {
    const { device } = socket.data.identity;
    void socket.join(roomOf(device));
    serveConnection(socket, parts);
  });

  return {
    disconnect,
    connected: () => [
      ...new Set([...io.sockets.sockets.values()].map((socket) => socket.data.identity.device)),
    ],
    close: () => new Promise((resolve) => void io.close(() => resolve())),
  };
};
