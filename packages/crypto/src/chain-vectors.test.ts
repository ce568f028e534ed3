import { describe, expect, it } from 'vitest';
import vectors from '../vectors/chain.json';
import { parseEvent } from './chain-event.ts';
import { verifyHead } from './chain-head.ts';
import { extendChain, viewChain } from './chain-view.ts';
import { verifyChain } from './chain.ts';
import { hex, id, info, int, lp, sha, signed } from './reference-suite.ts';
import { fromHex, toHex } from './test-support.ts';

const { keys, account } = vectors;
const EVENTS = vectors.chain.map(({ event }) => fromHex(event));
const OUTRANKING = vectors.outranking.events.map(({ event }) => fromHex(event));
const T = 1_767_225_600_000;

/** The first 16 bytes of the hash of a point. */
const keyId = (point: string) => sha(hex(point)).subarray(0, 16);
const head = (kind: number, at: number, previous: Uint8Array) =>
  Buffer.concat([int(1, 1), int(kind, 1), int(at, 8), lp(previous)]);

describe('the published vectors of the chain', () => {
  it('are laid out as the specification says', () => {
    const { laptop, phone, recovery, recovery2 } = keys;
    const [laptopId, phoneId] = [laptop, phone].map((device) => lp(keyId(device.signing.public)));
    const pairOf = (a: string, b: string) => [lp(hex(a)), lp(hex(b))];
    const archive = vectors.chain[3]!.archive!;
    const bodies: [number, Buffer[]][] = [
      [1, pairOf(laptop.signing.public, laptop.identity.public)],
      [2, [laptopId!, ...pairOf(phone.signing.public, phone.identity.public)]],
      [4, [laptopId!, ...pairOf(recovery.signing.public, recovery.sealing.public)]],
      [5, [phoneId!, int(1, 4), lp(hex(archive.commitments[0]!)), int(1, 8), lp(hex(archive.manifest))]],
      [4, [phoneId!, ...pairOf(recovery2.signing.public, recovery2.sealing.public)]],
      [3, [phoneId!, laptopId!]],
    ];
    let previous: Uint8Array = new Uint8Array(0);
    for (const [at, [kind, body]] of bodies.entries()) {
      const event = vectors.chain[at]!;
      const content = Buffer.concat([head(kind, T + at, previous), ...body]);
      expect(content.toString('hex')).toBe(event.content);
      const hash = sha(info('chain', content));
      previous = hash;
      expect(hash.toString('hex')).toBe(event.hash);
      const whole = Buffer.concat([lp(content), ...event.signatures.map(hex)]);
      expect(whole.toString('hex')).toBe(event.event);
    }
    expect(id(account).toString('hex')).toBe(vectors.chain[0]!.hash);
  });

  it('are signed by whom they should be', () => {
    const { laptop, phone, tablet, recovery, recovery2 } = keys;
    const signers = [[laptop], [laptop, phone], [laptop, recovery], [phone], [phone, recovery2], [phone]];
    const outranking = [[recovery, tablet], [recovery]];
    const pairs = [
      ...signers.map((names, at) => ({ names, event: vectors.chain[at]! })),
      ...outranking.map((names, at) => ({ names, event: vectors.outranking.events[at]! })),
    ];
    for (const { names, event } of pairs) {
      expect(event.signatures.length).toBe(names.length);
      for (const [at, { signing }] of names.entries()) {
        const message = info(at === 0 ? 'chain' : 'chain/join', hex(event.content));
        expect(signed(signing.public, hex(event.signatures[at]!), message)).toBe(true);
      }
    }
  });

  it('add up to what they say', async () => {
    for (const [at, expected] of vectors.chain.entries()) {
      const state = await verifyChain(EVENTS.slice(0, at + 1));
      expect(state.account).toBe(account);
      expect(toHex(state.head)).toBe(expected.hash);
      expect(state.devices.map(({ device }) => device)).toEqual(expected.devices);
      expect(state.recovery?.id).toBe(expected.recovery);
      const { archive } = state;
      const shown = archive && {
        version: archive.version,
        manifest: toHex(archive.manifest),
        commitments: archive.commitments.map(toHex),
      };
      expect(shown).toEqual(expected.archive);
      expect(toHex(parseEvent(EVENTS[at]!).content)).toBe(expected.content);
    }
  });

  it('outrank each other as they say', async () => {
    const view = await viewChain(EVENTS, T);
    const { chain, dropped } = await extendChain(view, OUTRANKING, T);
    expect(dropped.length).toBe(EVENTS.length - vectors.outranking.after);
    const expected = vectors.outranking.events.at(-1)!;
    expect(toHex(chain.state.head)).toBe(expected.hash);
    expect(chain.state.devices.map(({ device }) => device)).toEqual(expected.devices);
  });

  it('hold for the signed head', async () => {
    const { head, device, signedAt, statement, signature } = vectors.head;
    const context = [lp(id(account)), lp(hex(head)), int(EVENTS.length, 4), lp(id(device)), int(signedAt, 8)];
    expect(info('chain/head', ...context).toString('hex')).toBe(statement);
    expect(signed(keys.phone.signing.public, hex(signature), hex(statement))).toBe(true);
    const said = { head: fromHex(head), device, signedAt, signature: fromHex(signature) };
    expect(await verifyHead(await verifyChain(EVENTS), said)).toBe(true);
  });
});
