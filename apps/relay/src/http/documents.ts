import { STATUS, type ErrorCode } from '@sotto/contract/errors';
import { Problem } from '@sotto/contract/problem';
import {
  AckEvent,
  Handshake,
  LiveEvent,
  PostEvent,
  RenewEvent,
  Reply,
  SendEvent,
} from '@sotto/contract/events/client';
import {
  AcceptedEvent,
  DeliverEvent,
  IncomingLiveEvent,
  PrekeysLowEvent,
} from '@sotto/contract/events/relay';
import { WIRE_VERSION } from '@sotto/contract/version';
import * as z from 'zod';
import { PARAMETERS, type Route } from './route.ts';
import { ROUTES } from './routes.ts';

type Json = Record<string, unknown>;

const schemaOf = (schema: z.core.$ZodType): Json =>
  z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      // Bytes on a socket.
      if (zodSchema._zod.def.type === 'custom')
        Object.assign(jsonSchema, { type: 'string', format: 'binary' });
      delete jsonSchema.$schema;
    },
  }) as Json;

const json = (schema: Json) => ({ 'application/json': { schema } });

const ALWAYS: ErrorCode[] = ['origin-refused', 'too-many-requests', 'internal', 'busy', 'no-space'];
const WITH_TOKEN: ErrorCode[] = ['unauthenticated', 'token-expired', 'device-removed'];
const WITH_INPUT: ErrorCode[] = ['bad-request', 'body-too-large'];

/** The refusals of a route, gathered by their status. */
const refusalsOf = ({ signedIn, errors = [] }: Route, withInput: boolean): Json => {
  const codes = [...errors, ...ALWAYS, ...(signedIn ? WITH_TOKEN : []), ...(withInput ? WITH_INPUT : [])];
  const byStatus: Record<string, ErrorCode[]> = {};
  for (const code of new Set(codes)) (byStatus[STATUS[code]] ??= []).push(code);
  return Object.fromEntries(
    Object.entries(byStatus).map(([status, some]) => [
      status,
      {
        description: some.map((code) => `\`${code}\``).join(', '),
        content: json({ $ref: '#/components/schemas/Problem' }),
      },
    ]),
  );
};

const operationOf = (route: Route): Json => {
  const parameters = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => name as keyof typeof PARAMETERS);
  const { summary, signedIn, query = [], request, response, status = 200 } = route;
  const withInput = parameters.length > 0 || query.length > 0 || request !== undefined;
  return {
    summary,
    ...(signedIn && { security: [{ token: [] }] }),
    parameters: [
      ...parameters.map((name) => ({
        name,
        in: 'path',
        required: true,
        schema: schemaOf(PARAMETERS[name]),
      })),
      ...query.map((name) => ({ name, in: 'query', schema: { type: 'integer', minimum: 0 } })),
    ],
    ...(request && { requestBody: { required: true, content: json(schemaOf(request)) } }),
    responses: {
      ...(response
        ? { [status]: { description: 'Done.', content: json(schemaOf(response)) } }
        : { 204: { description: 'Done.' } }),
      ...refusalsOf(route, withInput),
    },
  };
};

const INFO = {
  title: 'Sotto relay',
  version: String(WIRE_VERSION),
  license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
};

/** The interface over HTTP as OpenAPI 3.1. */
export const openApi = (): Json => {
  const paths: Record<string, Json> = {};
  for (const route of ROUTES) {
    const path = (paths[`/v1${route.path.replaceAll(/:(\w+)/g, '{$1}')}`] ??= {});
    path[route.method] = operationOf(route);
  }
  return {
    openapi: '3.1.0',
    info: INFO,
    paths,
    components: {
      schemas: { Problem: schemaOf(Problem) },
      securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
    },
  };
};

const FROM_CLIENT = { send: SendEvent, post: PostEvent, live: LiveEvent, ack: AckEvent, renew: RenewEvent };
const FROM_RELAY = {
  accepted: AcceptedEvent,
  deliver: DeliverEvent,
  live: IncomingLiveEvent,
  'prekeys-low': PrekeysLowEvent,
  'caught-up': undefined,
  problem: Problem,
};

/** The events on the socket as AsyncAPI 3.0. Both sides have a `live`: the names of messages tell them apart. */
export const asyncApi = (): Json => {
  const messages: Record<string, Json> = {};
  const side = (prefix: string, events: Record<string, z.core.$ZodType | undefined>): Json[] =>
    Object.entries(events).map(([name, schema]) => {
      messages[`${prefix}.${name}`] = { name, ...(schema && { payload: schemaOf(schema) }) };
      return { $ref: `#/channels/socket/messages/${prefix}.${name}` };
    });
  const channel = { $ref: '#/channels/socket' };
  const receive = { action: 'receive', channel, messages: side('client', FROM_CLIENT) };
  const send = { action: 'send', channel, messages: side('relay', FROM_RELAY) };
  return {
    asyncapi: '3.0.0',
    info: {
      title: INFO.title,
      version: INFO.version,
      description:
        'Socket.IO 4 over WebSocket alone, packets in MessagePack. `renew` is answered by its callback.',
    },
    channels: { socket: { address: '/socket.io/', messages } },
    operations: { receive, send },
    components: { schemas: { Handshake: schemaOf(Handshake), Reply: schemaOf(Reply) } },
  };
};
