// Writes protocol-1.json, the vectors that docs/protocol.md refers to: `npx tsx packages/crypto/vectors/generate.mjs`.
// Keys are SHA-256 of their names, so that only ECDSA signatures, which are random, change from run to run.
import { createECDH, createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { encodeAddress } from '../src/address.ts';
import { concat, lp, u32, u64, u8, utf8 } from '../src/bytes.ts';
import { encode } from '../src/canonical.ts';
import { createChain } from '../src/chain.ts';
import { deviceId, sign } from '../src/keys.ts';
import { I } from '../src/labels.ts';
import { paddedLength } from '../src/padding.ts';
import { seal } from '../src/seal.ts';
import { signInStatement, signSignIn } from '../src/sign-in.ts';
import { KIND_SIGNED, signBody } from '../src/signed.ts';
import { importPair, toHex } from '../src/test-support.ts';

const createdAt = 1_767_225_600_000;

const key = async (algorithm, name) => {
  const privateKey = createHash('sha256').update(`sotto test key ${name}`).digest();
  const ecdh = createECDH('prime256v1');
  ecdh.setPrivateKey(privateKey);
  const hex = { private: privateKey.toString('hex'), public: ecdh.getPublicKey('hex') };
  return { hex, pair: await importPair(algorithm, hex.private, hex.public) };
};

const person = async (name) => {
  const signing = await key('ECDSA', `${name} signing`);
  const identity = await key('ECDH', `${name} identity`);
  const sealing = await key('ECDH', `${name} sealing`);
  const { account, event } = await createChain({ signing: signing.pair, identity: identity.pair, createdAt });
  const address = { account, device: await deviceId(signing.pair.publicKey) };
  const id = 1;
  const statement = I(
    'sealing-key',
    concat(encodeAddress(address), u32(id), u64(createdAt), lp(sealing.pair.publicKey)),
  );
  const signature = await sign(signing.pair.privateKey, statement);
  const json = {
    ...address,
    keys: { signing: signing.hex, identity: identity.hex, sealing: sealing.hex },
    chain: { createdAt, event: toHex(event) },
    sealingKey: { id, createdAt, statement: toHex(statement), signature: toHex(signature) },
  };
  return { address, signing: signing.pair, sealing: { id, publicKey: sealing.pair.publicKey }, json };
};

const alice = await person('alice');
const bob = await person('bob');
const ephemeral = await key('ECDH', 'ephemeral');

const signIn = { origin: 'https://chat.example', device: alice.address.device, challenge: 'a challenge' };
const message = { kind: 'text', id: 'AAECAwQFBgcICQoLDA0ODw', sentAt: createdAt, text: 'Servus, Bob 👋' };
const content = encode(message);
const body = await signBody({
  from: alice.address,
  to: bob.address,
  signing: alice.signing.privateKey,
  content,
});
const envelope = await seal({
  from: alice.address,
  to: { ...bob.address, sealingKey: bob.sealing },
  kind: KIND_SIGNED,
  body,
  ephemeral: ephemeral.pair,
});

const vectors = {
  alice: alice.json,
  bob: bob.json,
  signIn: {
    ...signIn,
    statement: toHex(signInStatement(signIn)),
    signature: toHex(await signSignIn(alice.signing.privateKey, signIn)),
  },
  message: {
    value: message,
    content: toHex(content),
    statement: toHex(I('signed', concat(encodeAddress(bob.address), encodeAddress(alice.address), lp(content)))),
    body: toHex(body),
    ephemeral: ephemeral.hex,
    info: toHex(I('seal', concat(encodeAddress(bob.address), u32(bob.sealing.id)))),
    aad: toHex(concat(u8(1), u32(bob.sealing.id))),
    envelope: toHex(envelope),
  },
  canonical: {
    encodings: [null, -1, '"\\/\n\u0000é👋', [1, [], {}], { b: 1, a: 'x', Z: null, '': true, 10: 0, 9: 0 }].map(
      (value) => ({ value, encoding: toHex(encode(value)) }),
    ),
    refused: [
      ' 1',
      '1.0',
      '-0',
      '1e2',
      '9007199254740993',
      '{"b":1,"a":2}',
      '{"a":1,"a":1}',
      '"\\u0061"',
      '"\\/"',
      '"\\ud800"',
      '\ufeff1',
    ].map((text) => toHex(utf8(text))),
  },
  padding: [0, 1, 1024, 1025, 2048, 2049, 4096, 4097, 10_000, 65_000].map((length) => [
    length,
    paddedLength(length),
  ]),
};

writeFileSync(new URL('protocol-1.json', import.meta.url), `${JSON.stringify(vectors, null, 2)}\n`);
