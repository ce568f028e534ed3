// Writes device.json: `npm run vectors`.
import { encodeAddress } from '../src/address.ts';
import { concat, lp, u32, u64, u8 } from '../src/bytes.ts';
import { authored, encodeEvent, parseEvent } from '../src/chain-event.ts';
import { createChain, verifyChain } from '../src/chain.ts';
import { deviceId } from '../src/keys.ts';
import { I } from '../src/labels.ts';
import { seal } from '../src/seal.ts';
import { KIND_SESSION } from '../src/session-body.ts';
import { signInStatement } from '../src/sign-in.ts';
import { toHex } from '../src/test-support.ts';
import { createdAt, fixed, key, sign, write } from './fixed.mjs';

const person = async (name) => {
  const signing = await key('ECDSA', `${name} signing`);
  const identity = await key('ECDH', `${name} identity`);
  const sealing = await key('ECDH', `${name} sealing`);
  const created = await createChain({ signing: signing.pair, identity: identity.pair, createdAt });
  const { content } = parseEvent(created.event);
  const event = encodeEvent(content, sign(signing.hex.private, authored(content)));
  const { account } = await verifyChain([event]);
  const address = { account, device: await deviceId(signing.pair.publicKey) };
  const id = 1;
  const statement = I(
    'sealing-key',
    concat(encodeAddress(address), u32(id), u64(createdAt), lp(sealing.pair.publicKey)),
  );
  const signature = sign(signing.hex.private, statement);
  const json = {
    ...address,
    keys: { signing: signing.hex, identity: identity.hex, sealing: sealing.hex },
    chain: { createdAt, event: toHex(event) },
    sealingKey: { id, createdAt, statement: toHex(statement), signature: toHex(signature) },
  };
  return { address, sealing: { id, publicKey: sealing.pair.publicKey }, json };
};

const [alice, bob] = [await person('alice'), await person('bob')];
const ephemeral = await key('ECDH', 'ephemeral');

const signIn = { origin: 'https://chat.example', device: alice.address.device, challenge: 'a challenge' };
const statement = signInStatement(signIn);

// What a session makes of a message is in session.json: here the body is any bytes.
const body = concat(fixed('body 0'), fixed('body 1', 10));
const envelope = await seal({
  from: alice.address,
  to: { ...bob.address, sealingKey: bob.sealing },
  kind: KIND_SESSION,
  body,
  ephemeral: ephemeral.pair,
});

write('device.json', {
  alice: alice.json,
  bob: bob.json,
  signIn: {
    ...signIn,
    statement: toHex(statement),
    signature: toHex(sign(alice.json.keys.signing.private, statement)),
  },
  seal: {
    kind: KIND_SESSION,
    body: toHex(body),
    ephemeral: ephemeral.hex,
    info: toHex(I('seal', concat(encodeAddress(bob.address), u32(bob.sealing.id)))),
    aad: toHex(concat(u8(1), u32(bob.sealing.id))),
    envelope: toHex(envelope),
  },
});
