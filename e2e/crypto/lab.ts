import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { readFile } from 'node:fs/promises';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { build } from 'vite';

const ROOT = path.resolve(import.meta.dirname, '../..');
const BUNDLES = path.join(ROOT, 'test-results', 'bundles');
const VECTORS = path.join(ROOT, 'packages/crypto/wycheproof');

const PAGE = `<!doctype html><meta charset="utf-8"><title>lab</title><link rel="icon" href="data:,">
<script type="module">globalThis.lab = await import('/bundle.js'); document.title = 'ready';</script>`;

/** Isolated: a browser then tells the time to 5 µs instead of 100. */
const HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-embedder-policy': 'require-corp',
};

const TYPES: Record<string, string> = { '.js': 'text/javascript', '.json': 'application/json' };

/**
 * Bundles a module for a browser. `alias`: where packages are that are not installed beside it.
 * @returns the folder with `bundle.js`
 */
export const bundle = async (
  entry: string,
  name: string,
  alias: Record<string, string> = {},
): Promise<string> => {
  const outDir = path.join(BUNDLES, name);
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'error',
    publicDir: false,
    resolve: { alias },
    build: {
      target: 'es2022',
      outDir,
      emptyOutDir: true,
      minify: false,
      reportCompressedSize: false,
      lib: { entry: path.resolve(ROOT, entry), formats: ['es'], fileName: () => 'bundle.js' },
    },
  });
  return outDir;
};

export interface Lab {
  /** On localhost, where a browser grants `crypto.subtle`. */
  url: string;
  close: () => Promise<void>;
}

/** Serves a bundle in an empty page as `lab`, and the Wycheproof files. `answer` comes first: true when it took it. */
export const serve = async (
  folder: string,
  answer?: (request: IncomingMessage, response: ServerResponse) => boolean,
): Promise<Lab> => {
  const server = createServer((request, response) => {
    if (answer?.(request, response)) return;
    const { pathname } = new URL(request.url ?? '/', 'http://localhost');
    const send = (type: string, body: string | Buffer) => {
      response.writeHead(200, { ...HEADERS, 'content-type': `${type}; charset=utf-8` });
      response.end(body);
    };
    if (pathname === '/') {
      send('text/html', PAGE);
      return;
    }
    const file = path.basename(pathname);
    const from = pathname.startsWith('/wycheproof/') ? VECTORS : folder;
    readFile(path.join(from, file)).then(
      (body) => send(TYPES[path.extname(file)] ?? 'application/octet-stream', body),
      () => response.writeHead(404).end(),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://localhost:${port}`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
