import { RelayError, type ErrorCode } from '@sotto/contract/errors';
import { Epoch } from '@sotto/contract/envelope';
import { AccountId, ChannelId, DeviceId, Handle, InviteId } from '@sotto/contract/ids';
import { type Request, Router } from 'express';
import * as z from 'zod/mini';
import type { Services } from '../compose.ts';
import { parse } from '../problem.ts';
import type { LimitKind } from '../services/limits.ts';
import type { Identity } from '../services/tokens.ts';
import { readBody } from './json.ts';

type Schema = z.core.$ZodType;
type Method = 'get' | 'put' | 'post' | 'delete';

/** What `:name` in a path is. */
export const PARAMETERS = {
  account: AccountId,
  device: DeviceId,
  handle: Handle,
  invite: InviteId,
  channel: ChannelId,
} as const satisfies Record<string, Schema>;
type Parameters = typeof PARAMETERS;

type NameIn<Path> = Path extends `${string}:${infer Name}/${string}`
  ? Name & keyof Parameters
  : Path extends `${string}:${infer Name}`
    ? Name & keyof Parameters
    : never;

/** A number in a query: digits, in one spelling. */
const Digits = z.pipe(
  z.pipe(z._default(z.string().check(z.regex(/^(0|[1-9]\d{0,9})$/)), '0'), z.transform(Number)),
  Epoch,
);

/** What a route is asked, all of it checked. */
interface Asked<Path, Asker, Query extends string, Body> {
  asker: Asker;
  /** Of the network. */
  address: string;
  path: { [Name in NameIn<Path>]: z.output<Parameters[Name]> };
  query: Record<Query, number>;
  body: Body;
}

interface Said<Body, Answer, Query> {
  summary: string;
  /** One point of it is taken: from the account that asks, or from its address where nobody is signed in. */
  limit?: LimitKind;
  /** Numbers in the query; one that is missing is 0. */
  query?: Query[];
  request?: Body;
  /** The body may be larger than most. */
  large?: true;
  /** Without one the answer is 204. */
  response?: Answer;
  status?: 201;
  /** Beside those that every route has. */
  errors?: ErrorCode[];
}

/** A route as it is served and as it is documented. */
export interface Route extends Said<Schema, Schema, string> {
  method: Method;
  /** Below `/v1`. */
  path: string;
  /** Asks for an access token. */
  signedIn: boolean;
  handle(services: Services, asked: unknown): Promise<unknown>;
}

const routes =
  <Asker>(signedIn: boolean) =>
  <
    Path extends string,
    Query extends string = never,
    Body extends Schema = never,
    Answer extends Schema = never,
  >(
    method: Method,
    path: Path,
    route: Said<Body, Answer, Query> & {
      handle(
        services: Services,
        asked: Asked<Path, Asker, Query, z.core.output<Body>>,
      ): Promise<[Answer] extends [never] ? void : z.core.output<Answer>>;
    },
  ): Route => ({
    method,
    path,
    signedIn,
    ...(route as Said<Schema, Schema, string> & Pick<Route, 'handle'>),
  });

/** For who shows an access token. */
export const signedIn = routes<Identity>(true);
/** For everybody. */
export const open = routes<undefined>(false);

/** Who asks. @throws RelayError `unauthenticated`, `token-expired`, `device-removed` */
const authenticate = async ({ signIn }: Services, request: Request): Promise<Identity> => {
  const token = /^Bearer ([\w.-]{1,2048})$/i.exec(request.headers.authorization ?? '')?.[1];
  if (token === undefined) throw new RelayError('unauthenticated');
  return signIn.authenticate(token);
};

/** Serves routes. Nobody's body is read before it is known who sends it and whether they may. */
export const serve = (table: readonly Route[], services: Services): Router => {
  const router = Router();
  for (const { method, path, signedIn: withToken, limit, query = [], request: body, ...route } of table) {
    router[method](path, async (request, response) => {
      const asker = withToken ? await authenticate(services, request) : undefined;
      const address = request.ip ?? '';
      if (limit && asker) services.limits.take(limit, asker.account);
      else if (limit) services.limits.takeAddress(limit, address);
      const answer = await route.handle(services, {
        asker,
        address,
        path: Object.fromEntries(
          Object.entries(request.params).map(([name, text]) => [
            name,
            parse(PARAMETERS[name as keyof Parameters] as Schema, text),
          ]),
        ),
        query: Object.fromEntries(query.map((name) => [name, parse(Digits, request.query[name])])),
        body: body && parse(body, await readBody(request, response, route.large)),
      });
      if (route.response) response.status(route.status ?? 200).json(answer);
      else response.status(204).end();
    });
  }
  return router;
};
