import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { RelayError } from '@sotto/contract/errors';
import { LIMITS } from '@sotto/contract/limits';
import {
  ChallengeRequest,
  ChallengeResponse,
  TokenRequest,
  TokenResponse,
} from '@sotto/contract/rest/session';
import type { Services } from '../compose.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { parse } from '../problem.ts';
import type { Origins } from '../services/origins.ts';
import type { AddressOf } from './address.ts';
import { refusalOf } from './errors.ts';
import { parseJson } from './json.ts';
import { open, type Route } from './route.ts';
import { securityHeaderList } from './security.ts';

export const SESSION: Route[] = [
  open('post', '/session/challenges', {
    summary: 'A challenge for a device, also for one that does not exist.',
    limit: 'challenge',
    request: ChallengeRequest,
    response: ChallengeResponse,
    handle: ({ signIn }, { body }) => signIn.challenge(body.device),
  }),
  open('post', '/session/tokens', {
    summary: 'An access token for a signed challenge.',
    limit: 'token',
    request: TokenRequest,
    response: TokenResponse,
    errors: ['challenge-expired', 'signature-invalid', 'device-unknown', 'device-removed'],
    handle: ({ signIn }, { body }) => signIn.token(body),
  }),
];

/** JSON of a length that is known and small, as it stands. */
const isPlain = ({ method, headers }: IncomingMessage): boolean =>
  method === 'POST' &&
  headers['content-type'] === 'application/json' &&
  Number(headers['content-length']) <= LIMITS.requestBytes &&
  headers['content-encoding'] === undefined;

const bodyOf = (request: IncomingMessage): Promise<Buffer> =>
  new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
  });

/**
 * Puts the same routes before `others`, without express, whose way costs several times what a sign-in does: after a
 * restart everybody signs in. What is unusual in any way goes by express.
 */
export const sessionFirst = (
  others: RequestListener,
  services: Services,
  parts: { origins: Origins; addressOf: AddressOf; metrics: Metrics; log: Logger },
): RequestListener => {
  const { origins, addressOf, metrics, log } = parts;
  const routes = new Map(SESSION.map((route) => [`/v1${route.path}`, route]));
  const fixed = [
    ...securityHeaderList(origins),
    'cache-control',
    'no-store',
    'content-type',
    'application/json; charset=utf-8',
  ];
  const write = (response: ServerResponse, status: number, value: object, headers: string[] = []): void => {
    const text = JSON.stringify(value);
    const length = String(Buffer.byteLength(text));
    response.writeHead(status, [...fixed, ...headers, 'content-length', length]).end(text);
  };
  const answerTo = async (request: IncomingMessage, { limit, request: schema, handle }: Route) => {
    if (!origins.admits(request.headers.origin)) throw new RelayError('origin-refused');
    const address = addressOf(request);
    services.limits.takeAddress('requests', address);
    services.limits.takeAddress(limit!, address);
    return handle(services, { address, body: parse(schema!, parseJson(await bodyOf(request))) });
  };
  return (request, response) => {
    const route = routes.get(request.url ?? '');
    if (!route || !isPlain(request)) return others(request, response);
    answerTo(request, route).then(
      (value) => write(response, 200, value as object),
      (error: unknown) => {
        const { status, problem, headers } = refusalOf(error, log, metrics);
        write(response, status, problem, headers);
      },
    );
  };
};
