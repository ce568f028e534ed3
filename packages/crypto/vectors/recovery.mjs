// Writes recovery.json: `npm run vectors`.
import { toBase64url } from '../src/bytes.ts';
import { formatRecoveryCode } from '../src/recovery-code.ts';
import { createRecovery, recoveryAccess } from '../src/recovery.ts';
import { fromHex, toHex } from '../src/test-support.ts';
import { fixed, key, write } from './fixed.mjs';

const account = toBase64url(fixed('account'));
const secrets = [fixed('recovery secret', 16), fromHex('00'.repeat(16)), fromHex('ff'.repeat(16))];
const codes = await Promise.all(
  secrets.map(async (secret) => ({ secret: toHex(secret), code: await formatRecoveryCode(secret) })),
);

const wrappable = async (algorithm, name) => {
  const { hex, pair } = await key(algorithm, name);
  const publicKey = await crypto.subtle.importKey(
    'raw',
    pair.publicKey,
    { name: algorithm, namedCurve: 'P-256' },
    true,
    algorithm === 'ECDSA' ? ['verify'] : [],
  );
  return { hex, keys: { publicKey, privateKey: pair.privateKey } };
};
const signing = await wrappable('ECDSA', 'recovery signing');
const sealing = await wrappable('ECDH', 'recovery sealing');
const [secret] = secrets;
const ivs = [fixed('iv 0', 12), fixed('iv 1', 12)];
const keys = { signing: signing.keys, sealing: sealing.keys };
const { blob } = await createRecovery({ account, secret, keys, ivs });
const { lookup, token } = await recoveryAccess(secret);

write('recovery.json', {
  codes,
  account,
  secret: toHex(secret),
  lookup: toHex(lookup),
  token: toHex(token),
  keys: { signing: signing.hex, sealing: sealing.hex },
  blob: toHex(blob),
});
