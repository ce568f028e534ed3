// Writes group.json: `npm run vectors`. What the code itself chooses at random is replaced, signatures included.
import { concat, fromBase64url, toBase64url, u8, utf8 } from '../src/bytes.ts';
import { KIND_GROUP_MESSAGE, sealEntry, sealPost } from '../src/channel-seal.ts';
import { createGroupKey, handOverGroupKeys } from '../src/channel.ts';
import { linkPin, openLink, sealJoinRequest, sealPreview } from '../src/group-link.ts';
import { readGroupMessage } from '../src/group-message.ts';
import { deviceId } from '../src/keys.ts';
import { readEntry, sortAccounts } from '../src/membership-operation.ts';
import { encodeState } from '../src/membership-state.ts';
import { createGroup, propose } from '../src/membership.ts';
import { createSenderKey, encryptGroupMessage, handOverSenderKey } from '../src/sender-key.ts';
import { toHex } from '../src/test-support.ts';
import { createdAt, fixed, key, sign, write } from './fixed.mjs';

let drawn = 0;
const draw = (bytes) => {
  drawn += 1;
  bytes.set(fixed(`group random ${drawn}`, bytes.length));
  return bytes;
};
Object.defineProperty(crypto, 'getRandomValues', { value: draw });
const subtleSign = crypto.subtle.sign.bind(crypto.subtle);
const fixedSign = async (algorithm, privateKey, message) => {
  if (algorithm.name !== 'ECDSA') return subtleSign(algorithm, privateKey, message);
  const { d } = await crypto.subtle.exportKey('jwk', privateKey);
  return sign(toHex(fromBase64url(d)), message);
};
Object.defineProperty(crypto.subtle, 'sign', { value: fixedSign });

const carrier = (name) =>
  crypto.subtle.importKey('raw', fixed(`group secret ${name}`), 'AES-CTR', true, ['unwrapKey']);
const raw = async (secret) => toHex(new Uint8Array(await crypto.subtle.exportKey('raw', secret)));
const account = (name) => toBase64url(fixed(`group account ${name}`));

const signing = await key('ECDSA', 'group alice');
const alice = { account: account('alice'), device: await deviceId(signing.pair.publicKey) };
const others = ['bob', 'carol', 'dave'].map(account);
const group = toBase64url(fixed('group', 16));

const secrets = {
  channel: await carrier('channel'),
  log: await carrier('log'),
  nextChannel: await carrier('next channel'),
  handOver: await carrier('hand-over'),
  sender: await carrier('sender'),
};
const channel = await createGroupKey('channel', group, secrets.channel);
const log = await createGroupKey('log', group, secrets.log);
const nextChannel = await createGroupKey('channel', group, secrets.nextChannel);

const author = { actor: alice, signing: signing.pair.privateKey, createdAt };
const steps = [await createGroup({ ...author, group, channel: channel.id, log: log.id })];
const operations = [
  { kind: 'add', accounts: sortAccounts(others) },
  { kind: 'role', account: others[0], role: 'admin' },
  { kind: 'role', account: others[1], role: 'owner' },
  { kind: 'field', field: 'title', value: utf8('opaque title') },
  { kind: 'field', field: 'settings', value: utf8('opaque settings') },
  { kind: 'policy', policy: 5 },
  { kind: 'remove', accounts: [others[2]], channel: nextChannel.id },
];
for (const operation of operations) {
  steps.push(await propose({ ...author, state: steps.at(-1).state, operation }));
}
const { state } = steps.at(-1);
const left = await propose({ ...author, state, operation: { kind: 'leave' } });
const rekeyed = await propose({ ...author, state, operation: { kind: 'rekey', channel: channel.id } });

const entryJson = ({ entry, state: after }) => ({
  entry: toHex(entry),
  content: toHex(readEntry(entry).content),
  hash: toHex(after.head),
  state: toHex(encodeState(after)),
  stateHash: toHex(after.hash),
});

const senderSigning = await key('ECDSA', 'group sender');
const chainId = toBase64url(fixed('group chain id', 16));
let own = await createSenderKey({
  state,
  owner: alice,
  now: createdAt,
  source: { chainId, carrier: secrets.sender, signing: senderSigning.pair },
});
const handOver = async () => {
  const { n } = own;
  const given = await handOverSenderKey({ own, state, now: createdAt });
  ({ own } = given);
  return { n, context: toHex(given.handed.context), carried: await raw(given.handed.key) };
};
const message = async (text) => {
  const sent = await encryptGroupMessage({ own, state, content: utf8(text), now: createdAt });
  ({ own } = sent);
  return { n: readGroupMessage(sent.message).n, text, message: toHex(sent.message) };
};
const first = await handOver();
const early = [await message('one'), await message('two 👋')];
const second = await handOver();
const messages = [...early, await message(''), await message('four')];

const keys = { channel: nextChannel, log };
const body = new Uint8Array(Buffer.from(messages.at(-1).message, 'hex'));
const handedKeys = await handOverGroupKeys({ keys, state, carrier: secrets.handOver });
const secretJson = await Promise.all(Object.entries(secrets).map(async ([name, one]) => [name, await raw(one)]));

const secret = toBase64url(fixed('group link', 16));
const link = await openLink(group, secret);
const previewText = '{"approval":true,"title":"Hikers"}';
const request = {
  from: alice,
  id: toBase64url(fixed('group request', 16)),
  createdAt,
  delivery: toBase64url(fixed('group delivery', 16)),
  name: 'Ann Ämter',
};

write('group.json', {
  group,
  createdAt,
  alice: { ...alice, signing: signing.hex },
  others,
  secrets: Object.fromEntries(secretJson),
  ids: { channel: toHex(channel.id), log: toHex(log.id), nextChannel: toHex(nextChannel.id) },
  membership: {
    log: steps.map(entryJson),
    alternatives: [entryJson(left), entryJson(rekeyed)].map((one, i) => ({ name: ['leave', 'rekey'][i], ...one })),
    refused: {
      unknownOperation: toHex(concat(u8(1), u8(8), readEntry(left.entry).content.slice(2))),
      leaveWithMore: toHex(concat(readEntry(left.entry).content, u8(0))),
    },
  },
  senderKey: {
    chainId,
    signing: senderSigning.hex,
    handOvers: [first, second],
    messages,
    transcript: [
      { deliver: 3, outcome: 'message' },
      { deliver: 0, outcome: 'message' },
      { deliver: 0, outcome: 'duplicate' },
      { deliver: 2, outcome: 'message' },
      { deliver: 3, outcome: 'duplicate' },
      { deliver: 1, outcome: 'message' },
    ],
  },
  channel: {
    epoch: state.epoch,
    kind: KIND_GROUP_MESSAGE,
    post: toHex(await sealPost({ keys, state, kind: KIND_GROUP_MESSAGE, body })),
    handOver: { context: toHex(handedKeys.context) },
    entry: { epoch: 1, sealed: toHex(await sealEntry(log, 1, steps[1].entry)) },
  },
  link: {
    secret,
    pin: linkPin(steps[0].state.head),
    id: toHex(link.id),
    token: toHex(link.token),
    previewText,
    preview: toHex(await sealPreview(link, utf8(previewText))),
    request,
    sealedRequest: toHex(await sealJoinRequest(link, request, signing.pair.privateKey)),
  },
});
