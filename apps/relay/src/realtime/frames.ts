import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { RelayEvents } from '@sotto/contract/events/relay';
import { LIMITS } from '@sotto/contract/limits';
import { Encoder, PacketType } from 'socket.io-msgpack-parser';

const encoder = new Encoder() as unknown as { encode: (packet: unknown) => [Buffer] };

/** An event as it stands on the wire. */
export const encodeEvent = <Name extends keyof RelayEvents>(
  name: Name,
  ...payload: Parameters<RelayEvents[Name]>
): Buffer => encoder.encode({ type: PacketType.EVENT, data: [name, ...payload], nsp: '/' })[0];

/** Cuts a list where the bodies of a piece would go past a frame. */
const cut = (envelopes: readonly IncomingEnvelope[]): IncomingEnvelope[][] => {
  const pieces: IncomingEnvelope[][] = [];
  let room = -1;
  for (const envelope of envelopes) {
    if (envelope.body.length > room) {
      pieces.push([]);
      room = LIMITS.frameBytes / 2;
    }
    pieces.at(-1)!.push(envelope);
    room -= envelope.body.length;
  }
  return pieces;
};

let last: { envelopes: readonly IncomingEnvelope[]; frames: readonly Buffer[] } | undefined;

/** `deliver` events. The same envelopes for the next socket, as of a channel's posts, are encoded once. */
export const encodeDelivery = (envelopes: readonly IncomingEnvelope[]): readonly Buffer[] => {
  const same =
    last?.envelopes.length === envelopes.length && envelopes.every((one, n) => one === last!.envelopes[n]);
  if (!same) {
    const frames = cut(envelopes).map((piece) => encodeEvent('deliver', { envelopes: piece }));
    last = { envelopes, frames };
  }
  return last!.frames;
};

/** At the end of a turn: what was encoded is let go. */
export const forgetDelivery = (): void => {
  last = undefined;
};
