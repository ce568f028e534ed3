import { RelayError } from '@sotto/contract/errors';
import express, { type RequestHandler } from 'express';

const QUOTE = '"'.charCodeAt(0);
const BACKSLASH = '\\'.charCodeAt(0);
const COLON = ':'.charCodeAt(0);

/** How many members the objects in a text have, those of the same name counted each. */
const membersIn = (text: Uint8Array): number => {
  let members = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const byte = text[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted && byte === BACKSLASH) at += 1;
    else if (!quoted && byte === COLON) members += 1;
  }
  return members;
};

const membersOf = (value: unknown): number => {
  let members = 0;
  // Not by recursion: it may be as deep as it is long.
  const left = [value];
  while (left.length > 0) {
    const next = left.pop();
    if (typeof next !== 'object' || next === null) continue;
    const values = Object.values(next);
    if (!Array.isArray(next)) members += values.length;
    for (const inner of values) left.push(inner);
  }
  return members;
};

/**
 * Reads a body of JSON of at most `limit` bytes. Of a name that stands twice in an object another reader may take the
 * other value: that is `bad-request`.
 */
export const jsonBody = (limit: number): RequestHandler => {
  const members = new WeakMap<object, number>();
  const parser = express.json({
    limit,
    inflate: false,
    verify: (request, _response, text) => void members.set(request, membersIn(text)),
  });
  return (request, response, next) =>
    parser(request, response, (error?: unknown) => {
      const written = members.get(request);
      const twice = !error && written !== undefined && written !== membersOf(request.body);
      next(twice ? new RelayError('bad-request') : error);
    });
};
