import { RelayError } from '@sotto/contract/errors';
import { LIMITS } from '@sotto/contract/limits';
import express, { type Request, type Response } from 'express';

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
 * The value of a whole body. Of a name that stands twice in an object another reader may take the other value: that is
 * refused too.
 * @throws RelayError `bad-request`
 */
export const parseJson = (text: Buffer): unknown => {
  let value: unknown;
  try {
    value = JSON.parse(text.toString());
  } catch {
    throw new RelayError('bad-request');
  }
  if (membersIn(text) !== membersOf(value)) throw new RelayError('bad-request');
  return value;
};

const readerOf = (limit: number) => express.raw({ type: 'application/json', limit, inflate: false });
const small = readerOf(LIMITS.requestBytes);
const large = readerOf(LIMITS.largeRequestBytes);

/** The body of a request; undefined when there is none, or none of JSON. */
export const readBody = async (request: Request, response: Response, isLarge = false): Promise<unknown> => {
  await new Promise<void>((resolve, reject) => {
    const done = (error?: unknown) => (error ? reject(error as Error) : resolve());
    void (isLarge ? large : small)(request, response, done);
  });
  return Buffer.isBuffer(request.body) ? parseJson(request.body) : undefined;
};
