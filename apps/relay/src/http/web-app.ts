import { existsSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';
import express, { type RequestHandler, Router } from 'express';

const NOT_BUILT = 'The relay is running, but the app is not built. Start it with `npm start`.\n';

/** Names that the build may have written a second time, as `<name>.br`. */
const COMPRESSED = /^(?:\/[\w-]+)*\/[\w-]+(?:\.[\w-]+)*\.(?:js|css|html|svg|webmanifest)$/;

/** Leads to the compressed file where there is one and the client takes it. */
const compressed =
  (folder: string): RequestHandler =>
  (request, response, next) => {
    const name = request.path === '/' ? '/index.html' : request.path;
    if (!COMPRESSED.test(name) || !existsSync(join(folder, `${name}.br`))) return next();
    response.vary('accept-encoding');
    if (request.acceptsEncodings('br') === false) return next();
    response.type(extname(name)).set('content-encoding', 'br');
    request.url = `${name}.br`;
    next();
  };

/** The built web app. Only files whose names carry a hash may be kept by a cache without asking. */
export const webApp = (folder: string): Router => {
  const router = Router();
  router.get('/', (_request, response, next) => {
    if (existsSync(join(folder, 'index.html'))) return next();
    response.status(503).type('text/plain').set('cache-control', 'no-store').send(NOT_BUILT);
  });
  router.use(
    compressed(folder),
    express.static(folder, {
      redirect: false,
      cacheControl: false,
      setHeaders: (response, path) => {
        const hashed = relative(folder, path).startsWith(`assets${sep}`);
        response.setHeader('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
      },
    }),
  );
  router.use((_request, response) => {
    response.status(404).type('text/plain').set('cache-control', 'no-store').send('Not found.\n');
  });
  return router;
};
