// Writes archive.json: `npm run vectors`.
import { commitArchiveKey, sealArchiveKey, useArchiveKey } from '../src/archive-key.ts';
import { encodeManifest, manifestHash } from '../src/archive-manifest.ts';
import { sealArchiveObject } from '../src/archive.ts';
import { toBase64url, utf8 } from '../src/bytes.ts';
import { sha256 } from '../src/keys.ts';
import { toHex } from '../src/test-support.ts';
import { fixed, key, write } from './fixed.mjs';

const account = toBase64url(fixed('account'));
const generation = 2;
const raw = fixed('archive key');
const passing = await crypto.subtle.importKey('raw', raw, 'AES-CTR', true, ['unwrapKey']);
const used = await useArchiveKey(passing);

const [sealing, ephemeral] = await Promise.all([key('ECDH', 'sealing'), key('ECDH', 'ephemeral')]);
const device = toBase64url(fixed('device', 16));
const credential = fixed('credential', 20);
const prf = fixed('prf');
const iv = fixed('iv', 12);
const common = { account, generation, key: passing };
const { publicKey } = sealing.pair;
const copies = {
  device: await sealArchiveKey({
    ...common,
    to: { kind: 'device', device, sealing: { id: 7, publicKey } },
    ephemeral: ephemeral.pair,
  }),
  recovery: await sealArchiveKey({
    ...common,
    to: { kind: 'recovery', sealing: { publicKey } },
    ephemeral: ephemeral.pair,
  }),
  passkey: await sealArchiveKey({ ...common, to: { kind: 'passkey', credential, prf }, iv }),
};

const text = 'an archived chunk';
const chunk = { account, position: 5, version: 3 };
const sealed = await sealArchiveObject({ ...chunk, key: used, plaintext: utf8(text), iv });
const entries = [{ position: 5, version: 3, generation, hash: await sha256(sealed) }];
const manifest = encodeManifest({ account, version: 9, entries });

write('archive.json', {
  account,
  generation,
  archiveKey: toHex(raw),
  commitment: toHex(await commitArchiveKey({ account, generation }, used)),
  sealing: sealing.hex,
  ephemeral: ephemeral.hex,
  copies: {
    device: { device, keyId: 7, sealed: toHex(copies.device) },
    recovery: { sealed: toHex(copies.recovery) },
    passkey: { credential: toHex(credential), prf: toHex(prf), iv: toHex(iv), sealed: toHex(copies.passkey) },
  },
  chunk: { position: 5, version: 3, text, iv: toHex(iv), sealed: toHex(sealed) },
  manifest: {
    version: 9,
    encoded: toHex(manifest),
    hash: toHex(await manifestHash(manifest)),
    iv: toHex(iv),
    sealed: toHex(
      await sealArchiveObject({ account, position: 'manifest', version: 9, key: used, plaintext: manifest, iv }),
    ),
  },
});
