import { createDecipheriv, createPublicKey, hkdfSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import vectors from '../vectors/group.json';
import { checkJoinRequest, linkPin, openJoinRequest, openLink, openPreview } from './group-link.ts';
import { fromHex, toHex } from './test-support.ts';

// A reference over node:crypto alone, which shares no line with the code: docs/protocol.md, once more.

const NONE = Buffer.alloc(0);
const hex = (text: string) => Buffer.from(text, 'hex');
const id = (text: string) => Buffer.from(text, 'base64url');
const number = (size: number, value: number) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, Math.max(0, size - 6), Math.min(size, 6));
  return bytes;
};
const lp = (bytes: Uint8Array) => Buffer.concat([number(2, bytes.length), bytes]);
const info = (label: string, context: Uint8Array = NONE) =>
  Buffer.concat([lp(Buffer.from(`sotto/1/${label}`)), number(2, 1), context]);

const { group, alice, link, membership, createdAt } = vectors;
const groupBytes = lp(id(group));
const derive = (label: string, length: number) =>
  Buffer.from(hkdfSync('sha256', id(link.secret), Buffer.alloc(32), info(label, groupBytes), length));

const open = (sealed: string) => {
  const bytes = hex(sealed);
  expect(bytes.subarray(0, 37)).toEqual(Buffer.concat([number(1, 1), number(4, 0), hex(link.id)]));
  const decipher = createDecipheriv('aes-256-gcm', derive('link', 32), bytes.subarray(37, 49));
  decipher.setAAD(Buffer.concat([number(1, 1), groupBytes, number(4, 0), hex(link.id)]));
  decipher.setAuthTag(bytes.subarray(-16));
  const plaintext = Buffer.concat([decipher.update(bytes.subarray(49, -16)), decipher.final()]);
  const length = plaintext.readUInt32BE(1);
  return { kind: plaintext[0], body: plaintext.subarray(5, 5 + length), length: plaintext.length };
};

describe('the vectors of a link', () => {
  it('hold by the reference: keys, pin, preview, request', () => {
    expect(derive('link/id', 32).toString('hex')).toBe(link.id);
    expect(derive('link/token', 16).toString('hex')).toBe(link.token);
    expect(hex(membership.log[0]!.hash).subarray(0, 16).toString('base64url')).toBe(link.pin);
    expect(open(link.preview)).toEqual({ kind: 3, body: Buffer.from(link.previewText), length: 1_024 });

    const { from, id: named, delivery, name } = link.request;
    const address = Buffer.concat([lp(id(from.account)), lp(id(from.device))]);
    const request = Buffer.concat([
      address,
      id(named),
      number(8, createdAt),
      id(delivery),
      lp(Buffer.from(name)),
    ]);
    const { kind, body, length } = open(link.sealedRequest);
    expect([kind, length]).toEqual([4, 1_024]);
    expect(body.subarray(0, -64)).toEqual(request);
    const point = hex(alice.signing.public);
    const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' });
    const signed = info('group/join', Buffer.concat([groupBytes, hex(link.id), request]));
    expect(verify('sha256', signed, { key, dsaEncoding: 'ieee-p1363' }, body.subarray(-64))).toBe(true);
  });

  it('are read by the code', async () => {
    const keys = await openLink(group, link.secret);
    expect([toHex(keys.id), toHex(keys.token)]).toEqual([link.id, link.token]);
    expect(linkPin(fromHex(membership.log[0]!.hash))).toBe(link.pin);
    expect(Buffer.from(await openPreview(keys, fromHex(link.preview))).toString()).toBe(link.previewText);
    const request = await openJoinRequest(keys, fromHex(link.sealedRequest));
    expect(request).toMatchObject(link.request);
    expect(await checkJoinRequest(keys, request, fromHex(alice.signing.public))).toBe(true);
  });
});
