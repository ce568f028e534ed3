// Writes chain.json: `npm run vectors`.
import { authored, encodeEvent, joined, parseEvent } from '../src/chain-event.ts';
import { signHead } from '../src/chain-head.ts';
import { applyEvent } from '../src/chain-rules.ts';
import {
  acceptDevice,
  createChain,
  proposeDevice,
  revokeDevice,
  setArchive,
  setRecoveryKey,
  verifyChain,
} from '../src/chain.ts';
import { concat, fromBase64url, lp, u32, u64 } from '../src/bytes.ts';
import { I } from '../src/labels.ts';
import { deviceId } from '../src/keys.ts';
import { toHex } from '../src/test-support.ts';
import { createdAt, fixed, key, sign, write } from './fixed.mjs';

const member = async (name, other) => {
  const [signing, second] = await Promise.all([key('ECDSA', `${name} signing`), key('ECDH', `${name} ${other}`)]);
  const id = await deviceId(signing.pair.publicKey);
  return { id, signing, second, json: { id, signing: signing.hex, [other]: second.hex } };
};
const laptop = await member('laptop', 'identity');
const phone = await member('phone', 'identity');
const tablet = await member('tablet', 'identity');
const recovery = await member('recovery', 'sealing');
const recovery2 = await member('recovery 2', 'sealing');

/** The same event with signatures that do not change from run to run. */
const settle = (event, ...signers) => {
  const { content } = parseEvent(event);
  const signatures = signers.map(({ signing }, at) => sign(signing.hex.private, (at === 0 ? authored : joined)(content)));
  return encodeEvent(content, ...signatures);
};

const describe = async (state, event) => {
  const next = await applyEvent(state, event);
  const { content, signatures } = parseEvent(event);
  const archive = next.archive && {
    version: next.archive.version,
    manifest: toHex(next.archive.manifest),
    commitments: next.archive.commitments.map(toHex),
  };
  const json = {
    content: toHex(content),
    signatures: signatures.map(toHex),
    event: toHex(event),
    hash: toHex(next.head),
    devices: next.devices.map(({ device }) => device),
    ...(next.recovery && { recovery: next.recovery.id }),
    ...(archive && { archive }),
  };
  return { state: next, json };
};

const add = async (state, author, joining) => {
  const device = { signing: joining.signing.pair.publicKey, identity: joining.second.pair.publicKey };
  const draft = { state, author: author.signing.pair, createdAt: createdAt + state.length, device };
  const proposal = await proposeDevice(draft);
  const { event } = await acceptDevice({ state, proposal, signing: joining.signing.pair, identity: joining.second.pair });
  return settle(event, author, joining);
};
const draft = (state, author) => ({ state, author: author.signing.pair, createdAt: createdAt + state.length });
const recover = async (state, author, { signing, second }) => {
  const publics = { signing: signing.pair, sealing: second.pair.publicKey };
  const { event } = await setRecoveryKey({ ...draft(state, author), recovery: publics });
  return settle(event, author, { signing });
};

const created = await createChain({ signing: laptop.signing.pair, identity: laptop.second.pair, createdAt });
const chain = [await describe(undefined, settle(created.event, laptop))];
const follow = async (list, event) => list.push(await describe(list.at(-1).state, event));
const last = (list) => list.at(-1).state;

await follow(chain, await add(last(chain), laptop, phone));
await follow(chain, await recover(last(chain), laptop, recovery));
const archive = { generation: 1, commitment: fixed('commitment'), version: 1, manifest: fixed('manifest') };
await follow(chain, settle((await setArchive({ ...draft(last(chain), phone), ...archive })).event, phone));
const parts = chain.length;
await follow(chain, await recover(last(chain), phone, recovery2));
const revoked = await revokeDevice({ ...draft(last(chain), phone), device: laptop.id });
await follow(chain, settle(revoked.event, phone));

// The first recovery key undoes the last two.
const recovered = [chain[parts - 1]];
await follow(recovered, await add(last(recovered), recovery, tablet));
const away = await revokeDevice({ ...draft(last(recovered), recovery), device: phone.id });
await follow(recovered, settle(away.event, recovery));

const state = last(chain);
const signedAt = createdAt + 1000;
await signHead({ state, signing: phone.signing.pair, signedAt });
const context = concat(lp(fromBase64url(state.account)), lp(state.head), u32(state.length), lp(fromBase64url(phone.id)));
const statement = I('chain/head', concat(context, u64(signedAt)));

await verifyChain(chain.map(({ json }) => new Uint8Array(Buffer.from(json.event, 'hex'))));
write('chain.json', {
  account: state.account,
  keys: Object.fromEntries(
    Object.entries({ laptop, phone, tablet, recovery, recovery2 }).map(([name, { json }]) => [name, json]),
  ),
  chain: chain.map(({ json }) => json),
  outranking: { after: parts, events: recovered.slice(1).map(({ json }) => json) },
  head: {
    head: toHex(state.head),
    device: phone.id,
    signedAt,
    statement: toHex(statement),
    signature: toHex(sign(phone.signing.hex.private, statement)),
  },
});
