import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { IncomingLive } from '@sotto/contract/envelope';
import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import { Handshake, type ClientEvents } from '@sotto/contract/events/client';
import type { RelayEvents } from '@sotto/contract/events/relay';
import type { DeviceId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { WIRE_VERSION } from '@sotto/contract/version';
import type pg from 'pg';
import { Server } from 'socket.io';
import { parse, problemOf } from '../problem.ts';
import type { Redis } from '../redis.ts';
import { Live } from '../services/live.ts';
import type { Origins } from '../services/origins.ts';
import { idBytes } from '../store/id-bytes.ts';
import { selectStandings } from '../store/standings.ts';
import { Connection, type ConnectionParts, type DeviceSocket } from './connection.ts';
import * as parser from './parser.ts';
import { APART_CHANNEL } from './removals.ts';

const EXPIRY_MS = 1_000;
/** Of one device: an app has one, and may be late to see that another has ended. */
const SOCKETS_PER_DEVICE = 8;
/** How often the database is asked for what is new while other relays cannot ring. */
const LOOK_MS = 1_000;

export interface Gateway {
  /** Tells the device's sockets why, and ends them. */
  disconnect(device: DeviceId, code: ErrorCode): void;
  /** An event for the device's sockets, here and at the other relays; lost where there are none. */
  tell<Name extends keyof RelayEvents>(
    device: DeviceId,
    event: Name,
    payload: Parameters<RelayEvents[Name]>[0],
  ): void;
  /** The devices that are connected here. */
  connected(): DeviceId[];
  /** Ends the sockets of devices that were removed, or that have another account by now. */
  check(): Promise<void>;
  /** Rings for what is there, whoever put it there. */
  look(): void;
  /** Ends every socket and stops listening. */
  close(): Promise<void>;
}

export interface GatewayParts extends Omit<ConnectionParts, 'live'> {
  pool: pg.Pool;
  /** Where there are other relays. */
  redis?: Redis | undefined;
  /** Why a socket is not even let to the sign-in; undefined: it is. */
  refusal?: ((request: IncomingMessage) => ErrorCode | undefined) | undefined;
}

/** What relays say to each other. */
interface PeerEvents {
  /** The body as base64: what is said here is JSON. */
  live: (devices: readonly DeviceId[], live: Omit<IncomingLive, 'body'>, body: string) => void;
  /** Something may have gone unsaid. */
  look: () => void;
  tell: (device: DeviceId, event: keyof RelayEvents, payload: never) => void;
}

/** A refusal in the form in which Socket.IO hands it to the client's `connect_error`. */
class ConnectError extends Error {
  readonly data: { code: ErrorCode };

  constructor(code: ErrorCode) {
    super(code);
    this.data = { code };
  }
}

// Listeners that all sockets share.
function onAny(this: DeviceSocket, name: string, ...args: unknown[]): void {
  this.data.connection.receive(name, args);
}
function onDisconnect(this: DeviceSocket): void {
  this.data.connection.end();
}

/** Puts the sockets of devices onto an HTTP server. */
export const openGateway = (http: HttpServer, origins: Origins, parts: GatewayParts): Gateway => {
  const { signIn, doorbell, pool, limits, redis, now, log } = parts;
  // The answer to the upgrade and Engine.IO's first packet leave together.
  http.prependListener('upgrade', (_request, stream) => {
    stream.cork();
    setImmediate(() => stream.uncork());
  });
  const io = new Server<ClientEvents, RelayEvents, PeerEvents, DeviceSocket['data']>(http, {
    transports: ['websocket'],
    allowUpgrades: false,
    serveClient: false,
    perMessageDeflate: false,
    maxHttpBufferSize: LIMITS.frameBytes,
    connectTimeout: 10_000,
    parser,
    ...(redis && { adapter: redis.adapter }),
    allowRequest: (request, answer) => {
      const refused = origins.admits(request.headers.origin) ? parts.refusal?.(request) : 'origin-refused';
      answer(refused ?? null, refused === undefined);
    },
  });
  // Kept for the life of a socket otherwise, with its headers.
  io.engine.on('connection', (raw: { request: unknown }) => void (raw.request = null));

  const connectionsOf = (device: DeviceId): Connection[] =>
    (doorbell.at(device) ?? []).filter((listener) => listener instanceof Connection);
  const liveHere = (devices: readonly DeviceId[], live: IncomingLive): void => {
    for (const device of devices) for (const connection of connectionsOf(device)) connection.hearLive(live);
  };
  const tellHere: PeerEvents['tell'] = (device, event, payload) => {
    for (const connection of connectionsOf(device)) connection.tell(event, payload);
  };

  const live = new Live(pool, {
    limits,
    deliver: (devices, message) => {
      liveHere(devices, message);
      const { body, ...rest } = message;
      if (redis?.up) io.serverSideEmit('live', devices, rest, Buffer.from(body).toString('base64'));
    },
  });
  const shared: ConnectionParts = { ...parts, live };

  const admit = async (socket: DeviceSocket): Promise<void> => {
    const { auth } = socket.handshake;
    if ((auth as { token?: unknown }).token === undefined) throw new RelayError('unauthenticated');
    const { version, token } = parse(Handshake, auth);
    if (version !== WIRE_VERSION) throw new RelayError('unsupported-version');
    // From here on it hears of its removal, so that one look is enough.
    const connection = new Connection(socket, await signIn.verify(token), shared);
    socket.data.connection = connection;
    const others = connectionsOf(connection.device);
    if (others.length > SOCKETS_PER_DEVICE) others[0]!.close('too-many-requests');
    socket.handshake.auth = {};
    try {
      const { waiting } = await signIn.standing(connection.identity);
      connection.assertWanted();
      socket.data.waiting = waiting;
    } catch (error) {
      connection.end();
      throw error;
    }
  };

  io.use((socket, next) => {
    admit(socket as unknown as DeviceSocket).then(
      () => {
        socket.data.connection.cork();
        next();
        // Socket.IO says nothing of a socket that went away meanwhile.
        setImmediate(() => socket.connected || socket.data.connection.end());
      },
      (error: unknown) => {
        next(new ConnectError(problemOf(error, log).code));
        // After the refusal has left.
        setImmediate(() => void socket.conn.close());
      },
    );
  });

  io.on('connection', (socket) => {
    socket.onAny(onAny);
    socket.on('disconnect', onDisconnect);
    socket.data.connection.open(socket.data.waiting);
  });

  const expiring = setInterval(() => {
    const at = now();
    for (const { data } of io.sockets.sockets.values()) data.connection.checkExpiry(at);
  }, EXPIRY_MS);
  expiring.unref();

  let nextLook: NodeJS.Timeout | undefined;
  let again = false;
  // Every relay that is cut off asks for it: in between, the last one is remembered.
  const look = (): void => {
    if (nextLook) return void (again = true);
    nextLook = setTimeout(() => {
      nextLook = undefined;
      if (again) look();
    }, LOOK_MS / 2).unref();
    again = false;
    const devices = doorbell.devices();
    if (devices.length === 0) return;
    selectStandings(pool, devices).then(
      (standings) => doorbell.ringHere(devices.filter((_device, n) => standings[n]!.waiting)),
      // Who is still cut off asks again, and so does who sends again.
      () => undefined,
    );
  };
  let apart: NodeJS.Timeout | undefined;
  if (redis) {
    doorbell.elsewhere = (devices) => redis.ring(devices);
    redis.onRing = (devices) => doorbell.ringHere(devices);
    io.on('live', (devices, rest, body) => liveHere(devices, { ...rest, body: Buffer.from(body, 'base64') }));
    io.on('tell', tellHere);
    io.on('look', look);
    redis.onBack = () => {
      look();
      io.serverSideEmit('look');
    };
    apart = setInterval(() => {
      // The others may hear each other and not this one.
      if (!redis.up) pool.query(`NOTIFY ${APART_CHANNEL}`).catch(() => undefined);
    }, LOOK_MS);
    apart.unref();
  }

  return {
    disconnect: (device, code) => {
      for (const connection of connectionsOf(device)) connection.close(code);
    },
    tell: (device, event, payload) => {
      tellHere(device, event, payload as never);
      if (redis?.up) io.serverSideEmit('tell', device, event, payload as never);
    },
    connected: () => doorbell.devices(),
    check: async () => {
      const connections = doorbell.devices().flatMap(connectionsOf);
      const standings = await selectStandings(
        pool,
        connections.map(({ device }) => device),
      );
      for (const [n, connection] of connections.entries()) {
        const { account, removed } = standings[n]!;
        if (removed || !account?.equals(idBytes(connection.identity.account)))
          connection.close('device-removed');
      }
    },
    look,
    close: () => {
      clearInterval(expiring);
      clearInterval(apart);
      clearTimeout(nextLook);
      return new Promise((resolve) => void io.close(() => resolve()));
    },
  };
};
