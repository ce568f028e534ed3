import { beforeAll, describe, expect, it } from 'vitest';
import protocol from '../../../docs/protocol.md?raw';
import { deviceBytes, encodeAddress } from './address.ts';
import { concat, fromBase64url, lp, toBase64url, u32, u64, u8, utf8, type Bytes } from './bytes.ts';
import { encodeEvent, parseEvent } from './chain-event.ts';
import { verifyHead } from './chain-head.ts';
import { join, newDevice, NOW, startChain } from './chain-suite.ts';
import { verifyChain } from './chain.ts';
import { CryptoError } from './errors.ts';
import { open } from './channel-seal.ts';
import { checkJoinRequest, openJoinRequest, openLink, sealJoinRequest, signedRequest } from './group-link.ts';
import { bind } from './group-message.ts';
import { checkGroupSignal, makeGroupSignal, readGroupSignal, signedSignal } from './group-signal.ts';
import { devicesOf, encryptAll, pairOf, someGroup } from './group-suite.ts';
import { generateAgreementKey, generateSealingPair, sign, verify, type KeyPair } from './keys.ts';
import { DERIVATION_LABELS, I, L, LABELS, SIGNATURE_LABELS, type SignatureLabel } from './labels.ts';
import { encodeEntry, readEntry } from './membership-operation.ts';
import { applyEntry } from './membership.ts';
import { PREKEY_KINDS, publicPrekey, signPrekey, verifyPrekey } from './prekeys.ts';
import { verifySealingKey } from './sealing-key.ts';
import { decryptGroupMessage } from './sender-key-receive.ts';
import { signInStatement, verifySignIn } from './sign-in.ts';
import { pre } from './step.ts';
import { random, toHex } from './test-support.ts';

const NONE = new Uint8Array(0);

/** The names in the first column of the table of labels. */
const documented = () => {
  const [, table = ''] = /The labels are:\n+((?:\|.*\n)+)/.exec(protocol) ?? [];
  const [, , ...rows] = table.trim().split('\n');
  return rows.flatMap((row) => (row.split('|')[1] ?? '').match(/(?<=`)[^`\s]+(?=`)/g) ?? []);
};

describe('labels', () => {
  it('must 9 are those that docs/protocol.md lists, each once', () => {
    expect(documented().toSorted()).toEqual([...LABELS].toSorted());
    expect(new Set(LABELS).size).toBe(LABELS.length);
  });

  it('bind name, suite and context', () => {
    expect(toHex(L('seal'))).toBe(toHex(utf8('sotto/1/seal')));
    expect(toHex(I('seal', utf8('x')))).toBe(`000c${toHex(utf8('sotto/1/seal'))}000178`);
  });

  it('A8 are all different, and none can be read as another with a context', () => {
    const contexts = LABELS.map((label) => toHex(I(label, NONE)));
    for (const [i, one] of contexts.entries()) {
      for (const [j, other] of contexts.entries()) expect(one.startsWith(other), `${i} ${j}`).toBe(i === j);
    }
  });

  it('must 9 give another key each, out of one secret with one context', async () => {
    const secret = await crypto.subtle.importKey('raw', random(32), 'HKDF', false, ['deriveBits']);
    const keys = await Promise.all(
      DERIVATION_LABELS.map(async (label) => toHex(await pre(secret, I(label, utf8('context'))))),
    );
    expect(new Set(keys).size).toBe(DERIVATION_LABELS.length);
  });
});

/** Something signed: what stands behind label and suite, and whether a signature passes for it. */
interface Purpose {
  context: Bytes;
  holds: (signature: Bytes) => Promise<boolean>;
}

const passes = async (work: () => Promise<unknown>): Promise<boolean> => {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof CryptoError) return false;
    throw error;
  }
};

/** All that one device signs, with one key. */
const purposesOf = async (signing: KeyPair): Promise<Record<SignatureLabel, Purpose>> => {
  const me = { ...(await newDevice()), signing };
  const { event: first, state: chain } = await startChain(me);
  const { device } = chain.devices[0]!;
  const own = { account: chain.account, device };

  const author = await newDevice();
  const theirs = await startChain(author);
  const joined = parseEvent((await join(theirs.state, author, { ...me, id: device })).event);

  const person = { ...own, signing };
  const group = await someGroup(person);
  const { content: entry } = readEntry(group.entry);
  const { own: senderKey, keys } = await pairOf(group.state, person);
  const handed = { ...keys, keys: keys.keys.map((key) => ({ ...key, signing: signing.publicKey })) };
  const { messages } = await encryptAll(senderKey, group.state, [utf8('hello')]);
  const message = messages[0]!;
  const { header, digest } = await bind(message, message.ciphertext);

  const signal = await makeGroupSignal(senderKey, { typing: true, now: NOW });

  const link = await openLink(group.state.group, toBase64url(random(16)));
  const sealedRequest = await sealJoinRequest(
    link,
    {
      from: own,
      id: toBase64url(random(16)),
      createdAt: NOW,
      delivery: toBase64url(random(16)),
      name: 'Ann',
    },
    signing.privateKey,
  );
  const asked = await openJoinRequest(link, sealedRequest);
  const { body: requestBody } = await open([link], sealedRequest);
  const joinRequest = signedRequest(link, requestBody.slice(0, -64));

  const pair = await generateAgreementKey();
  const signed = { ...own, signing: signing.privateKey, kind: 'one-time' as const, id: 1, createdAt: NOW };
  const prekey = publicPrekey(await signPrekey({ ...signed, pair }));
  const { publicKey } = await generateSealingPair();
  const signIn = { origin: 'https://chat.example', device, challenge: toBase64url(random(32)) };

  return {
    chain: {
      context: parseEvent(first).content,
      holds: (signature) => passes(() => verifyChain([encodeEvent(parseEvent(first).content, signature)])),
    },
    'chain/join': {
      context: joined.content,
      holds: (signature) =>
        passes(() =>
          verifyChain([theirs.event, encodeEvent(joined.content, joined.signatures[0]!, signature)]),
        ),
    },
    'chain/head': {
      context: concat(
        lp(fromBase64url(chain.account)),
        lp(chain.head),
        u32(chain.length),
        lp(deviceBytes(device)),
        u64(NOW),
      ),
      holds: (signature) => verifyHead(chain, { head: chain.head, device, signedAt: NOW, signature }),
    },
    group: {
      context: concat(header, message.tag, digest),
      holds: (signature) =>
        passes(() =>
          decryptGroupMessage({
            keys: handed,
            state: group.state,
            epoch: group.state.epoch,
            message: { ...message, signature },
            now: NOW,
          }),
        ),
    },
    'group/signal': {
      context: signedSignal(group.state.group, signal.slice(0, -64)).slice(I('group/signal', NONE).length),
      holds: (signature) =>
        checkGroupSignal({ ...readGroupSignal(signal), signature }, { keys: handed, now: NOW }),
    },
    'group/join': {
      context: joinRequest.slice(I('group/join', NONE).length),
      holds: (signature) => checkJoinRequest(link, { ...asked, signature }, signing.publicKey),
    },
    membership: {
      context: entry,
      holds: (signature) =>
        passes(() =>
          applyEntry({
            state: undefined,
            entry: encodeEntry(entry, signature),
            devices: devicesOf([person]),
          }),
        ),
    },
    prekey: {
      context: concat(
        encodeAddress(own),
        u8(PREKEY_KINDS[prekey.kind]),
        u32(prekey.id),
        u64(prekey.createdAt),
        u64(prekey.expiresAt),
        lp(prekey.publicKey),
      ),
      holds: (signature) =>
        verifyPrekey({
          ...own,
          signingPublic: signing.publicKey,
          prekey: { ...prekey, signature },
          kind: prekey.kind,
          now: NOW,
        }),
    },
    'sealing-key': {
      context: concat(encodeAddress(own), u32(1), u64(NOW), lp(publicKey)),
      holds: (signature) =>
        verifySealingKey({
          ...own,
          signingPublic: signing.publicKey,
          sealingKey: { id: 1, createdAt: NOW, publicKey, signature },
        }),
    },
    'sign-in': {
      context: signInStatement(signIn).slice(I('sign-in', NONE).length),
      holds: (signature) => verifySignIn(signing.publicKey, signIn, signature),
    },
  };
};

describe('A8 must 9 a signature serves one purpose', () => {
  let signing: KeyPair;
  let purposes: Record<SignatureLabel, Purpose>;
  beforeAll(async () => {
    ({ signing } = await newDevice());
    purposes = await purposesOf(signing);
  });

  it.each(SIGNATURE_LABELS)(
    '%s, and fails in every other, over the very bytes that the other asks for',
    async (purpose) => {
      const { context, holds } = purposes[purpose];
      for (const label of LABELS) {
        const signature = await sign(signing.privateKey, I(label, context));
        expect(await verify(signing.publicKey, signature, I(label, context))).toBe(true);
        expect(await holds(signature), `${label} as ${purpose}`).toBe(label === purpose);
      }
      expect(await holds(await sign(signing.privateKey, context)), `no label as ${purpose}`).toBe(false);
    },
  );

  it.each(SIGNATURE_LABELS)('%s, and a real one passes for no other', async (made) => {
    const signature = await sign(signing.privateKey, I(made, purposes[made].context));
    for (const used of SIGNATURE_LABELS) {
      expect(await purposes[used].holds(signature), `${made} as ${used}`).toBe(made === used);
    }
  });
});
