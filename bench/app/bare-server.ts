// Passes on what a socket says to all others. Run by bare.ts in a process of its own, with the folder of the page's script.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { Server } from 'socket.io';

// As the relay has them.
const require = createRequire(new URL('../../apps/relay/package.json', import.meta.url));
const { Server: IO } = require('socket.io') as { Server: typeof Server };
const parser: unknown = require('socket.io-msgpack-parser');

const PAGE =
  '<!doctype html><meta charset="utf-8"><title>bare</title><link rel="icon" href="data:,"><body><script type="module" src="/bundle.js"></script>';
const script = readFileSync(path.join(process.argv[2]!, 'bundle.js'));

const server = createServer((request, response) => {
  const isScript = request.url === '/bundle.js';
  response.writeHead(200, { 'content-type': isScript ? 'text/javascript' : 'text/html' });
  response.end(isScript ? script : PAGE);
});
const io = new IO(server, { transports: ['websocket'], parser: parser as object });
io.on('connection', (socket) => {
  socket.onAny((event: string, ...args: unknown[]) => socket.broadcast.emit(event, ...args));
});
server.listen(0, '127.0.0.1', () => process.send!({ port: (server.address() as AddressInfo).port }));
process.on('disconnect', () => process.exit(0));
