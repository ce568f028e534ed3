import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import express from 'express';

/** The address that a request came from. */
export type AddressOf = (request: IncomingMessage) => string;

/**
 * X-Forwarded-For is read from its end, the part that the nearest proxy wrote, as long as whoever wrote it is trusted.
 * `onUntrusted` is called when there is one and nobody is.
 */
export const addressReader = (trustProxy: string[] | number, onUntrusted: () => void): AddressOf => {
  const trusts = express().set('trust proxy', trustProxy).get('trust proxy fn') as (
    address: string,
    hop: number,
  ) => boolean;
  return (request) => {
    let address = request.socket.remoteAddress ?? '';
    const header = request.headers['x-forwarded-for'];
    if (header === undefined) return address;
    if (!trusts(address, 0)) onUntrusted();
    const written = String(header).split(',').toReversed();
    for (const [hop, text] of written.entries()) {
      const next = text.trim();
      if (!trusts(address, hop) || isIP(next) === 0) break;
      address = next;
    }
    return address;
  };
};
