import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import { Router } from 'express';
import { asyncApi, openApi } from './documents.ts';

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <title>Sotto relay</title>
    <link rel="icon" href="data:," />
    <link rel="stylesheet" href="/docs/swagger-ui.css" />
  </head>
  <body>
    <div id="page"></div>
    <script src="/docs/swagger-ui-bundle.js"></script>
    <script src="/docs/start.js"></script>
  </body>
</html>
`;

// Without a validator: that one is asked over the network.
const START = `SwaggerUIBundle({ url: '/openapi.json', dom_id: '#page', validatorUrl: null });\n`;

/** Of this page alone: Swagger UI writes styles into what it shows and takes no Trusted Types. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join(';');

/** What the interface is, for programs and for people. */
export const documentRoutes = (): Router => {
  const root = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));
  const router = Router();
  const documents: Record<string, () => unknown> = { '/openapi.json': openApi, '/asyncapi.json': asyncApi };
  for (const [path, make] of Object.entries(documents)) {
    let made: unknown;
    router.get(path, (_request, response) => void response.json((made ??= make())));
  }
  router.use('/docs', (_request, response, next) => {
    response.set('content-security-policy', POLICY);
    next();
  });
  router.get('/docs', (_request, response) => void response.type('html').send(PAGE));
  router.get('/docs/start.js', (_request, response) => void response.type('js').send(START));
  for (const file of ['swagger-ui.css', 'swagger-ui-bundle.js'])
    router.get(`/docs/${file}`, (_request, response) => response.sendFile(file, { root }));
  return router;
};
