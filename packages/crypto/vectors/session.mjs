// Writes session.json: `npm run vectors`.
import { encodeAddress } from '../src/address.ts';
import { concat, fromBase64url, lp, toBase64url, u32, u64, u8, utf8 } from '../src/bytes.ts';
import { kemPairFromSeed } from '../src/kem.ts';
import { deviceId } from '../src/keys.ts';
import { I } from '../src/labels.ts';
import { PREKEY_KINDS, publicPrekey, signPrekey } from '../src/prekeys.ts';
import { decrypt, encrypt, encryptKey, startSession } from '../src/session.ts';
import { encryptSignal } from '../src/signal.ts';
import { fromHex, toHex } from '../src/test-support.ts';
import { fixed, key as pair, sign, write } from './fixed.mjs';
import * as reference from './session-reference.mjs';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';

const now = 1_770_000_000_000;
/** Also the scalar of `pair(…, name)`. */
const secret = (name) => fixed(`key ${name}`);

const person = async (name) => {
  const [signing, identity] = await Promise.all([
    pair('ECDSA', `${name} signing`),
    pair('ECDH', `${name} identity`),
  ]);
  const address = { account: toBase64url(secret(`${name} account`)), device: await deviceId(signing.pair.publicKey) };
  return {
    own: { ...address, signing: signing.pair, identity: identity.pair },
    open: { ...address, signing: signing.pair.publicKey, identity: identity.pair.publicKey },
    json: { ...address, signing: signing.hex, identity: identity.hex },
  };
};
const [alice, bob] = [await person('alice'), await person('bob')];
const parties = ({ open }) => ({
  account: fromBase64url(open.account),
  device: fromBase64url(open.device),
  signing: open.signing,
  identity: open.identity,
});

const prekey = async (kind, id) => {
  const isPq = kind.startsWith('pq-');
  const seed = Buffer.concat([secret(`bob ${kind} d`), secret(`bob ${kind} z`)]);
  const made = isPq ? undefined : await pair('ECDH', `bob ${kind}`);
  const keys = made?.pair ?? (await kemPairFromSeed(new Uint8Array(seed)));
  const { account, device, signing } = bob.own;
  const own = await signPrekey({ account, device, signing: signing.privateKey, kind, id, createdAt: now, pair: keys });
  const times = concat(u64(own.createdAt), u64(own.expiresAt));
  const statement = I(
    'prekey',
    concat(encodeAddress(bob.own), u8(PREKEY_KINDS[kind]), u32(id), times, lp(own.publicKey)),
  );
  const signature = sign(bob.json.signing.private, statement);
  const json = {
    kind,
    id,
    createdAt: own.createdAt,
    expiresAt: own.expiresAt,
    private: isPq ? toHex(seed) : made.hex.private,
    public: toHex(own.publicKey),
    statement: toHex(statement),
    signature: toHex(signature),
  };
  return { own: { ...own, signature }, json };
};
const prekeys = await Promise.all(
  [['signed', 7], ['one-time', 8], ['pq-last-resort', 9], ['pq-one-time', 10]].map(([kind, id]) => prekey(kind, id)),
);
const [signed, oneTime, lastResort, pqOneTime] = prekeys.map(({ own }) => own);

/** A handshake in all its intermediate values, by the reference. */
const handshake = async (name, bundle) => {
  const base = await pair('ECDH', `${name} base`);
  const message = new Uint8Array(secret(`${name} kem message`));
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(bundle.pq.publicKey, message);
  const opening = {
    signed: bundle.signed,
    oneTime: bundle.oneTime,
    pq: { ...bundle.pq, kind: PREKEY_KINDS[bundle.pq.kind] },
    generation: 1,
    baseKey: base.pair.publicKey,
    ciphertext: cipherText,
  };
  const th = reference.transcript({ ...opening, initiator: parties(alice), responder: parties(bob) });
  const scalar = (who, key) => secret(`${who} ${key}`);
  const dh1 = reference.ecdh(scalar('alice', 'identity'), bundle.signed.publicKey);
  const dh2 = reference.ecdh(secret(`${name} base`), bob.open.identity);
  const dh3 = reference.ecdh(secret(`${name} base`), bundle.signed.publicKey);
  const dh4 = bundle.oneTime && reference.ecdh(secret(`${name} base`), bundle.oneTime.publicKey);
  const root = reference.cascade(
    dh3,
    [['dh1', dh1], ['dh2', dh2], ...(dh4 ? [['dh4', dh4]] : []), ['kem', sharedSecret]],
    th,
  );
  return {
    base: base.pair,
    message,
    root,
    th,
    json: {
      prekeys: [bundle.signed, bundle.oneTime, bundle.pq].filter(Boolean).map(({ kind }) => kind),
      base: base.hex,
      kemMessage: toHex(message),
      handshake: toHex(reference.encodeHandshake(opening)),
      th: toHex(th),
      dh1: toHex(dh1),
      dh2: toHex(dh2),
      dh3: toHex(dh3),
      ...(dh4 && { dh4: toHex(dh4) }),
      kem: toHex(sharedSecret),
      root: toHex(root),
      signalKeys: { initiator: toHex(reference.signalKey(root, 1)), responder: toHex(reference.signalKey(root, 2)) },
    },
  };
};
const full = await handshake('full', { signed, oneTime, pq: pqOneTime });
const drained = await handshake('drained', { signed, pq: lastResort });

// Loss, reordering, a repeat, turns, a key handed over. `deliver` lists when what is read, and what comes of it.
const sends = [
  ['alice', 'a0'], ['alice', 'a1'], ['alice', 'a2'],
  ['bob', 'b0'], ['bob', 'b1'],
  ['alice', 'a3'], ['alice', 'a4'],
  ['bob', 'b2'],
  ['alice', 'a5'], ['alice', 'a6'],
];
const LOST = ['a4'];
const KEY = 'a6';
const schedule = [
  ['send', 0], ['send', 1], ['send', 2],
  ['read', 2], ['read', 0], ['read', 0],
  ['send', 3], ['send', 4], ['read', 4],
  ['send', 5], ['send', 6], ['read', 5],
  ['send', 7], ['read', 7], ['read', 3],
  ['send', 8], ['send', 9], ['read', 9], ['read', 8], ['read', 1],
];
const states = {};
const people = { alice, bob };
const bundle = { signed: publicPrekey(signed), oneTime: publicPrekey(oneTime), pq: publicPrekey(pqOneTime) };
const random = { baseKey: full.base, kemMessage: full.message };
states.alice = (await startSession({ me: alice.own, peer: bob.open, bundle, now, random })).state;
const handed = await crypto.subtle.importKey('raw', secret('handed over'), 'AES-CTR', true, ['encrypt']);
const context = utf8('what the key is for');
const messages = [];
const events = [];
for (const [what, i] of schedule) {
  const [from, name] = sends[i];
  const to = from === 'alice' ? 'bob' : 'alice';
  if (what === 'send') {
    const turn = states[from].sessions[0].ratchet.sending === undefined;
    const ratchet = turn ? await pair('ECDH', `ratchet ${name}`) : undefined;
    const iv = new Uint8Array(secret(`iv ${name}`).subarray(0, 12));
    const made = { ...(ratchet && { ratchet: ratchet.pair }), iv };
    const request = { state: states[from], now, random: made };
    const { state, body } =
      name === KEY
        ? await encryptKey({ ...request, key: handed, context })
        : await encrypt({ ...request, plaintext: utf8(`message ${name}`) });
    states[from] = state;
    messages[i] = {
      name,
      from,
      iv: toHex(iv),
      ...(ratchet && { ratchet: ratchet.hex }),
      ...(name === KEY
        ? { key: toHex(secret('handed over')), context: toHex(context) }
        : { plaintext: toHex(utf8(`message ${name}`)) }),
      body: toHex(body),
    };
    events.push({ send: name });
  } else {
    const result = await decrypt({
      me: people[to].own,
      peer: people[from].open,
      state: states[to],
      prekeys: { signed, oneTime, pq: pqOneTime },
      body: fromHex(messages[i].body),
      now,
    });
    if (result.outcome === 'message') states[to] = result.state;
    events.push({ read: name, outcome: result.outcome });
  }
}
const iv = new Uint8Array(secret('iv signal').subarray(0, 12));
const live = await encryptSignal({ state: states.bob, plaintext: utf8('typing'), now, iv });

const chain = secret('a chain');
const salt = secret('a salt');
const vectors = {
  now,
  alice: alice.json,
  bob: bob.json,
  prekeys: prekeys.map(({ json }) => json),
  derivations: {
    step: {
      key: toHex(chain),
      salt: toHex(salt),
      info: toHex(reference.info('root')),
      result: toHex(reference.step(chain, salt, reference.info('root'))),
    },
    pre: {
      secret: toHex(chain),
      info: toHex(reference.info('root-dh')),
      result: toHex(reference.pre(chain, reference.info('root-dh'))),
    },
    chain: { key: toHex(chain), message: toHex(reference.messageKey(chain)), next: toHex(reference.nextChain(chain)) },
  },
  handshakes: { full: full.json, drained: drained.json },
  conversation: { lost: LOST, messages, events },
  signal: { from: 'bob', sentAt: now, iv: toHex(iv), plaintext: toHex(utf8('typing')), body: toHex(live.body) },
};

write('session.json', vectors);
