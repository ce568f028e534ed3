import { RelayError } from '@sotto/contract/errors';
import type { Request, RequestHandler, Response } from 'express';
import helmet from 'helmet';
import type { Origins } from '../services/origins.ts';

/** Headers of every answer. The app brings all that it needs; nothing from anywhere else runs or loads. */
export const securityHeaders = (origins: Origins): RequestHandler =>
  helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        'default-src': ["'none'"],
        'script-src': ["'self'"],
        'style-src': ["'self'"],
        'img-src': ["'self'", 'data:', 'blob:'],
        'font-src': ["'self'"],
        // Not every browser counts the socket's scheme as 'self'.
        'connect-src': ["'self'", ...origins.all.map((origin) => origin.replace(/^http/, 'ws'))],
        'manifest-src': ["'self'"],
        'worker-src': ["'self'"],
        'base-uri': ["'none'"],
        'form-action': ["'none'"],
        'frame-ancestors': ["'none'"],
        'require-trusted-types-for': ["'script'"],
        'trusted-types': ['sotto'],
      },
    },
    frameguard: { action: 'deny' },
    strictTransportSecurity: origins.main.startsWith('https:') && { maxAge: 31_536_000 },
  });

/** The same as a list of names and values, for what express does not answer. */
export const securityHeaderList = (origins: Origins): string[] => {
  const list: string[] = [];
  const setHeader = (name: string, value: string): void => void list.push(name, value);
  const response = { setHeader, removeHeader: () => undefined } as unknown as Response;
  securityHeaders(origins)({} as Request, response, () => undefined);
  return list;
};

/** Foreign pages, and those without an origin of their own (`null`), get nothing from the interface. */
export const checkOrigin =
  (origins: Origins): RequestHandler =>
  (request, _response, next) => {
    if (!origins.admits(request.headers.origin)) throw new RelayError('origin-refused');
    next();
  };
