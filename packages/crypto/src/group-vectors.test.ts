import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  hkdfSync,
  verify,
} from 'node:crypto';
import { describe, expect, it } from 'vitest';
import vectors from '../vectors/group.json';
import { openEntry, openPost } from './channel-seal.ts';
import { acceptGroupKeys, createGroupKey } from './channel.ts';
import { codeOf } from './group-suite.ts';
import { readGroupMessage } from './group-message.ts';
import { readEntry } from './membership-operation.ts';
import { encodeState, type GroupState } from './membership-state.ts';
import { applyEntries, applyEntry } from './membership.ts';
import { acceptSenderKey, decryptGroupMessage, type SenderKeys } from './sender-key-receive.ts';
import { fromHex, toHex } from './test-support.ts';

// A reference over node:crypto alone, which shares no line with the code: docs/protocol.md, once more.

const NONE = Buffer.alloc(0);
const Z = Buffer.alloc(32);
const hex = (text: string) => Buffer.from(text, 'hex');
const id = (text: string) => Buffer.from(text, 'base64url');
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest();
const hmac = (key: Uint8Array, bytes: Uint8Array) => createHmac('sha256', key).update(bytes).digest();

const number = (size: number, value: number) => {
  const bytes = Buffer.alloc(size);
  bytes.writeUIntBE(value, 0, size);
  return bytes;
};
const lp = (bytes: Uint8Array) => Buffer.concat([number(2, bytes.length), bytes]);
const info = (label: string, context: Uint8Array = NONE) =>
  Buffer.concat([lp(Buffer.from(`sotto/1/${label}`)), number(2, 1), context]);
const derive = (key: Uint8Array, label: string, context?: Uint8Array) =>
  Buffer.from(hkdfSync('sha256', key, Z, info(label, context), 32));

/** AES-256 of the counter blocks 0 and 1. */
const unwrapped = (secret: Uint8Array) => createCipheriv('aes-256-ctr', secret, Buffer.alloc(16)).update(Z);
const nextChain = (chain: Uint8Array) => unwrapped(derive(chain, 'next'));

const decrypt = (key: Uint8Array, iv: Uint8Array, aad: Uint8Array, sealed: Uint8Array) => {
  const decipher = createDecipheriv('aes-256-gcm', key, iv);
  decipher.setAAD(aad);
  decipher.setAuthTag(sealed.subarray(-16));
  return Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]);
};

const verified = (publicKey: string, signature: Uint8Array, statement: Uint8Array) => {
  const point = hex(publicKey);
  const [x, y] = [point.subarray(1, 33), point.subarray(33)].map((part) => part.toString('base64url'));
  const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: x!, y: y! }, format: 'jwk' });
  return verify('sha256', statement, { key, dsaEncoding: 'ieee-p1363' }, signature);
};

const { group, alice, secrets, ids, membership, senderKey, channel } = vectors;
const { log } = membership;
const address = Buffer.concat([lp(id(alice.account)), lp(id(alice.device))]);
const devices = () => fromHex(alice.signing.public);
const entries = log.map(({ entry }) => fromHex(entry));
const readLog = () => applyEntries({ state: undefined, entries, devices });
/** The secret that a carrier carries. */
const opened = (name: keyof typeof secrets) => unwrapped(hex(secrets[name]));

describe('the vectors of the membership log', () => {
  const everyone = [alice.account, ...vectors.others].map(id).toSorted(Buffer.compare);
  /** Byte of the role by account, as the reference keeps it. */
  type Roles = Map<string, number>;
  const encodeReference = (at: {
    epoch: number;
    head: Uint8Array;
    channel: string;
    due: number;
    policy: number;
    roles: Roles;
    fields: Map<number, Uint8Array>;
  }) => {
    const members = everyone.filter((one) => at.roles.has(one.toString('hex')));
    const fields = [...at.fields].toSorted(([a], [b]) => a - b);
    return Buffer.concat([
      lp(id(group)),
      number(4, at.epoch),
      at.head,
      hex(at.channel),
      hex(ids.log),
      number(1, at.due),
      number(1, at.policy),
      number(2, members.length),
      ...members.flatMap((one) => [one, number(1, at.roles.get(one.toString('hex'))!)]),
      number(1, fields.length),
      ...fields.flatMap(([field, value]) => [number(1, field), lp(value)]),
    ]);
  };

  it('hold by the reference: content, hash, signature, state', () => {
    const [bob, carol, dave] = vectors.others.map(id) as [Buffer, Buffer, Buffer];
    const me = id(alice.account).toString('hex');
    const title = Buffer.from('opaque title');
    const settings = Buffer.from('opaque settings');
    const roles: Roles = new Map([[me, 2]]);
    const fields = new Map<number, Uint8Array>();
    const at = { channel: ids.channel, due: 0, policy: 0, roles, fields };
    const enter = () => [bob, carol, dave].forEach((one) => roles.set(one.toString('hex'), 0));
    const steps: [number, Buffer, () => void][] = [
      [0, Buffer.concat([hex(ids.channel), hex(ids.log)]), () => {}],
      [1, Buffer.concat([number(2, 3), ...[bob, carol, dave].toSorted(Buffer.compare)]), enter],
      [4, Buffer.concat([bob, number(1, 1)]), () => roles.set(bob.toString('hex'), 1)],
      [4, Buffer.concat([carol, number(1, 2)]), () => roles.set(carol.toString('hex'), 2)],
      [5, Buffer.concat([number(1, 0), lp(title)]), () => fields.set(0, title)],
      [5, Buffer.concat([number(1, 3), lp(settings)]), () => fields.set(3, settings)],
      [6, number(1, 5), () => Object.assign(at, { policy: 5 })],
      [
        2,
        Buffer.concat([number(2, 1), dave, hex(ids.nextChannel)]),
        () => {
          roles.delete(dave.toString('hex'));
          at.channel = ids.nextChannel;
        },
      ],
    ];
    let previous: Uint8Array = Z;
    const check = (vector: (typeof log)[number], epoch: number, kind: number, body: Uint8Array) => {
      const content = Buffer.concat([
        number(1, 1),
        number(1, kind),
        lp(id(group)),
        number(4, epoch),
        previous,
        number(2, 0),
        number(6, vectors.createdAt),
        address,
        body,
      ]);
      expect(vector.content).toBe(content.toString('hex'));
      const head = sha256(info('membership', content));
      expect(vector.hash).toBe(head.toString('hex'));
      const entry = hex(vector.entry);
      expect(entry.subarray(0, -64)).toEqual(lp(content));
      expect(verified(alice.signing.public, entry.subarray(-64), info('membership', content))).toBe(true);
      const encoded = encodeReference({ ...at, epoch, head });
      expect(vector.state).toBe(encoded.toString('hex'));
      expect(vector.stateHash).toBe(sha256(info('group-state', encoded)).toString('hex'));
      return head;
    };
    for (const [epoch, [kind, body, change]] of steps.entries()) {
      change();
      previous = check(log[epoch]!, epoch, kind, body);
    }
    const [leave, rekey] = membership.alternatives;
    at.channel = ids.channel;
    check(rekey!, log.length, 7, hex(ids.channel));
    at.channel = ids.nextChannel;
    at.due = 1;
    roles.delete(me);
    check(leave!, log.length, 3, NONE);
  });

  it('are read by the code, one after the other', async () => {
    let state: GroupState | undefined;
    for (const vector of log) {
      state = await applyEntry({ state, entry: fromHex(vector.entry), devices });
      expect(toHex(state.head)).toBe(vector.hash);
      expect(toHex(encodeState(state))).toBe(vector.state);
      expect(toHex(state.hash)).toBe(vector.stateHash);
    }
    for (const one of membership.alternatives) {
      const after = await applyEntry({ state, entry: fromHex(one.entry), devices });
      expect(toHex(after.hash), one.name).toBe(one.stateHash);
    }
  });

  it('are refused as content where they say so', async () => {
    for (const content of Object.values(membership.refused)) {
      const entry = hex(content);
      const bytes = new Uint8Array(Buffer.concat([lp(entry), Buffer.alloc(64)]));
      expect(await codeOf(() => readEntry(bytes))).toBe('bad-encoding');
    }
  });
});

describe('the vectors of a sender key', () => {
  /** By counter: the chain there. */
  const chains = [opened('sender')];
  for (let n = 0; n < 8; n += 1) chains.push(nextChain(chains[n]!));

  it('hold by the reference: what is handed over', () => {
    for (const { n, context, carried } of senderKey.handOvers) {
      expect(carried).toBe(derive(chains[n]!, 'next').toString('hex'));
      expect(unwrapped(hex(carried))).toEqual(chains[n + 1]);
      const parts = [
        lp(id(group)),
        lp(id(senderKey.chainId)),
        number(4, n + 1),
        lp(hex(senderKey.signing.public)),
      ];
      expect(context).toBe(Buffer.concat(parts).toString('hex'));
    }
  });

  it('hold by the reference: messages, opened and checked', () => {
    const stateHash = hex(log.at(-1)!.stateHash);
    for (const { n, text, message } of senderKey.messages) {
      const bytes = hex(message);
      const said = Buffer.concat([
        lp(id(group)),
        address,
        lp(id(senderKey.chainId)),
        number(4, n),
        stateHash,
      ]);
      const header = bytes.subarray(0, said.length + 12);
      expect(header.subarray(0, -12)).toEqual(said);
      const tag = bytes.subarray(header.length, header.length + 32);
      const signature = bytes.subarray(header.length + 32, header.length + 96);
      const ciphertext = bytes.subarray(header.length + 96);
      const chain = chains[n]!;
      const digest = sha256(ciphertext);
      expect(tag).toEqual(hmac(derive(chain, 'commit'), Buffer.concat([header, digest])));
      const statement = info('group', Buffer.concat([header, tag, digest]));
      expect(verified(senderKey.signing.public, signature, statement)).toBe(true);
      expect(decrypt(derive(chain, 'message'), header.subarray(-12), header, ciphertext).toString()).toBe(
        text,
      );
    }
  });

  it('are read by the code, in the order of the transcript', async () => {
    const state = await readLog();
    const [{ context, carried }] = senderKey.handOvers as [(typeof senderKey.handOvers)[number]];
    const key = await crypto.subtle.importKey('raw', fromHex(carried), 'AES-CTR', false, ['unwrapKey']);
    const handed = { key, context: fromHex(context) };
    const now = vectors.createdAt;
    let keys: SenderKeys = await acceptSenderKey({ state: undefined, group, from: alice, handed, now });
    for (const { deliver, outcome } of senderKey.transcript) {
      const { message, text } = senderKey.messages[deliver]!;
      const read = readGroupMessage(fromHex(message));
      const result = await decryptGroupMessage({ keys, state, epoch: state.epoch, message: read, now });
      expect(result.outcome).toBe(outcome);
      if (result.outcome !== 'message') continue;
      keys = result.state;
      expect(Buffer.from(result.content).toString()).toBe(text);
      expect(result.standing).toEqual({ view: 'current', departed: false, role: 'owner' });
    }
  });
});

describe('the vectors of the channel', () => {
  const groupBytes = lp(id(group));
  const open = (sealed: string, key: Uint8Array, keyId: string) => {
    const bytes = hex(sealed);
    const epoch = bytes.readUInt32BE(1);
    expect(bytes[0]).toBe(1);
    expect(bytes.subarray(5, 37).toString('hex')).toBe(keyId);
    const aad = Buffer.concat([number(1, 1), groupBytes, number(4, epoch), hex(keyId)]);
    const plaintext = decrypt(key, bytes.subarray(37, 49), aad, bytes.subarray(49));
    const length = plaintext.readUInt32BE(1);
    return { epoch, kind: plaintext[0], body: plaintext.subarray(5, 5 + length), length: plaintext.length };
  };

  it('hold by the reference: ids, a post, an entry, a hand-over', () => {
    const idOf = (secret: keyof typeof secrets, purpose: string) =>
      hmac(derive(opened(secret), `${purpose}/id`), groupBytes).toString('hex');
    expect(idOf('channel', 'channel')).toBe(ids.channel);
    expect(idOf('nextChannel', 'channel')).toBe(ids.nextChannel);
    expect(idOf('log', 'log')).toBe(ids.log);

    const post = open(channel.post, derive(opened('nextChannel'), 'channel', groupBytes), ids.nextChannel);
    const body = hex(senderKey.messages.at(-1)!.message);
    expect(post).toEqual({ epoch: channel.epoch, kind: channel.kind, body, length: 1_024 });
    const entry = open(channel.entry.sealed, derive(opened('log'), 'log', groupBytes), ids.log);
    expect(entry).toEqual({ epoch: 1, kind: 0, body: hex(log[1]!.entry), length: 1_024 });

    const context = hex(channel.handOver.context);
    const keyIds = [hex(ids.nextChannel), hex(ids.log)];
    const stated = [groupBytes, number(4, channel.epoch), hex(log.at(-1)!.stateHash), ...keyIds];
    const head = info('channel/keys', Buffer.concat(stated));
    expect(context.subarray(0, head.length)).toEqual(head);
    const keeper = derive(opened('handOver'), 'channel/hand-over');
    const carried = (['nextChannel', 'log'] as const).map((name, i) => {
      const wrapped = context.subarray(head.length + 60 * i, head.length + 60 * (i + 1));
      const aad = Buffer.concat([head, number(1, i)]);
      expect(decrypt(keeper, wrapped.subarray(0, 12), aad, wrapped.subarray(12)).toString('hex')).toBe(
        secrets[name],
      );
      return wrapped.length;
    });
    expect(context.length).toBe(head.length + carried.reduce((sum, one) => sum + one, 0));
  });

  it('are read by the code', async () => {
    const key = await crypto.subtle.importKey('raw', fromHex(secrets.handOver), 'AES-CTR', false, [
      'unwrapKey',
    ]);
    const taken = await acceptGroupKeys({ key, context: fromHex(channel.handOver.context) });
    const state = await readLog();
    expect(taken).toMatchObject({ group, epoch: state.epoch, stateHash: state.hash });
    const { keys } = taken;
    expect(await openPost([keys.channel], fromHex(channel.post))).toEqual({
      epoch: channel.epoch,
      kind: channel.kind,
      body: fromHex(senderKey.messages.at(-1)!.message),
    });
    const entry = fromHex(log[1]!.entry);
    expect(await openEntry(keys.log, fromHex(channel.entry.sealed))).toEqual({ epoch: 1, entry });
    const secret = await crypto.subtle.importKey('raw', fromHex(secrets.channel), 'AES-CTR', true, [
      'unwrapKey',
    ]);
    expect(toHex((await createGroupKey('channel', group, secret)).id)).toBe(ids.channel);
  });
});
