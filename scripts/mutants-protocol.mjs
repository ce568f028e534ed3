// The checks of the account chain and of sessions. See mutants-list.mjs.
import { of } from './mutants-list.mjs';

const CHAIN = [
  ...of(
    'chain-event.ts',
    ['chain.test.ts', 'chain-append.test.ts', 'chain-view.test.ts', 'chain-vectors.test.ts'],
    [
      [
        'the length of an event',
        "if (event.length > MAX_EVENT_BYTES) throw new CryptoError('bad-encoding', 'length');",
        '',
      ],
      [
        'the version',
        "if (reader.u8() !== VERSION) throw new CryptoError('bad-encoding', 'version');",
        'reader.u8();',
      ],
      ['bytes behind the content', '  reader.end();\n', ''],
      ['bytes behind the signatures', '  outer.end();\n', ''],
      ['a label of its own for who joins', "I('chain/join', content)", "I('chain', content)"],
    ],
  ),
  ...of(
    'chain-head.ts',
    ['chain-view.test.ts', 'chain-vectors.test.ts'],
    [
      [
        'a device that is active',
        'if (author === undefined || ',
        'if (author === undefined) return true;\n  if (',
      ],
      ['the head', ' || !equal(head.head, state.head)', ''],
      [
        'the signature',
        'return await verify(author.signing, head.signature, statement(state, head.device, head.signedAt));',
        'await verify(author.signing, head.signature, statement(state, head.device, head.signedAt));\n    return true;',
      ],
    ],
  ),
  ...of(
    'chain-rules.ts',
    ['chain.test.ts', 'chain-append.test.ts', 'chain-view.test.ts', 'chain-vectors.test.ts'],
    [
      [
        "the author's signature",
        "if (unasked !== 'all') await signedBy(author, signatures[0], authored(content));",
        '',
      ],
      [
        'the signature of the first event',
        "if (unasked !== 'all') await signedBy(signing, event.signatures[0], authored(event.content));",
        '',
      ],
      [
        'the signature of the key that joins',
        'if (joins && unasked === undefined) await signedBy(body.signing, signatures[1], joined(content));',
        '',
      ],
      [
        'an author that is active',
        "refuse('author')",
        'state.revoked.find(({ device }) => device === author)!.signing',
      ],
      ['the event before', "if (!equal(event.previous, state.head)) refuse('previous');", ''],
      ['nothing before the first', "if (event.previous.length !== 0) refuse('previous');", ''],
      ['one key for two purposes', "if (equal(first, second)) refuse('one key for two purposes');", ''],
      [
        'a key that was used before',
        "if (used.some((key) => equal(key, first) || equal(key, second))) refuse('a key that was used before');",
        '',
      ],
      ['the point of the second key', '  checkPoint(second);\n', ''],
      ['how many devices', "if (state.devices.length === MAX_DEVICES) refuse('too many devices');", ''],
      [
        'somebody left',
        "if (devices.length === 0 && state.recovery === undefined) refuse('nobody left');",
        '',
      ],
      ['an older manifest', "if (version <= (state.archive?.version ?? 0)) refuse('an older manifest');", ''],
      ['an archive key used before', "if (known) refuse('an archive key that was used before');", ''],
      [
        'an archive key that a revoked device knows',
        "if (state.archiveKeyDue) refuse('an archive key that a revoked device knows');",
        '',
      ],
      ['a second creation', "if (body.kind === 'create') return refuse('a second creation');", ''],
    ],
  ),
];

const SESSIONS = [
  ...of(
    'step.ts',
    ['step.test.ts'],
    [
      [
        'the length of a salt',
        "if (salt.length !== SALT_BYTES) throw new CryptoError('bad-encoding', 'salt');",
        '',
      ],
      [
        'a step that gives no bytes',
        "'HKDF', false, ['deriveKey']);\n};",
        "'HKDF', false, ['deriveKey', 'deriveBits']);\n};",
      ],
      [
        'a message key that cannot be exported',
        "{ name: 'AES-GCM', length: 256 }, false, usages",
        "{ name: 'AES-GCM', length: 256 }, true, usages",
      ],
      ['who sends in a root step', 'concat(sender, receiver)', 'concat(sender)'],
    ],
  ),
  ...of(
    'kem.ts',
    ['kem.test.ts', 'prekeys.test.ts'],
    [
      [
        'the length of a public key',
        "if (publicKey.length !== KEM_PUBLIC_BYTES) throw new CryptoError('bad-key', NAME);",
        '',
      ],
      [
        'the length of a ciphertext',
        "if (ciphertext.length !== KEM_CIPHERTEXT_BYTES) throw new CryptoError('bad-encoding', NAME);",
        '',
      ],
      [
        'the public key bound to the seed',
        "additionalData: I('kem-seed', publicKey)",
        "additionalData: I('kem-seed', new Uint8Array(0))",
      ],
    ],
  ),
  ...of(
    'prekeys.ts',
    ['prekeys.test.ts'],
    [
      [
        'the signature',
        'return await verify(signingPublic, prekey.signature, statement(request, kind, prekey));',
        'await verify(signingPublic, prekey.signature, statement(request, kind, prekey));\n    return true;',
      ],
      [
        'the kind',
        'if (prekey.kind !== kind || !isCurrent(prekey, now)) return false;',
        'if (!isCurrent(prekey, now)) return false;',
      ],
      [
        'the time',
        'if (prekey.kind !== kind || !isCurrent(prekey, now)) return false;',
        'if (prekey.kind !== kind) return false;',
      ],
      ['made in the future', 'key.createdAt <= now + CLOCK_TOLERANCE &&', ''],
      ['expired', 'key.expiresAt > now &&', ''],
      ['a lifetime too long', ' &&\n  key.expiresAt - key.createdAt <= lifetime(key.kind)', ''],
      ['the point', 'else checkPoint(prekey.publicKey);', ''],
      ['the post-quantum key of a bundle', '!signed || !pq || !isPq(pq.kind)', '!signed'],
      ['every key of a bundle', "if (valid.includes(false)) throw new CryptoError('bad-bundle');", ''],
      ['one key for two purposes', "throw new CryptoError('bad-bundle', 'one key for two purposes');", ''],
      ['the kind in the signature', 'u8(PREKEY_KINDS[kind]), u32(key.id)', 'u32(key.id)'],
      ['the owner in the signature', '[encodeAddress(owner), u8', '[u8'],
      ['the times in the signature', 'times, lp(key.publicKey)', 'lp(key.publicKey)'],
    ],
  ),
  ...of(
    'session.ts',
    ['session.test.ts', 'session-order.test.ts', 'session-border.test.ts'],
    [
      ['the bundle verified before use', '  await verifyBundle({ peer, bundle, now });\n', ''],
      [
        'the session and header as associated data',
        'const algorithm = gcm(header.iv, additionalData(th, header));\n      return { type',
        'const algorithm = gcm(header.iv, additionalData(th, { ...header, bytes: header.iv }));\n      return { type',
      ],
      ['the state of this peer', '  checkPeer(state, peer);\n  const read', '  const read'],
      [
        'an expired session',
        "if (handshakeDue(state, now) === 'unanswered') throw new CryptoError('session-expired');",
        '',
      ],
      [
        'a replayed first message',
        'const remembered = await withReplay(state, handshake);',
        'const remembered = state;',
      ],
      [
        'one error for what is malformed',
        "throw malformed ? new CryptoError('cannot-decrypt') : error;",
        'throw error;',
      ],
      [
        'a key handed over that only unwraps',
        "'AES-CTR', false, ['unwrapKey']",
        "'AES-CTR', true, ['unwrapKey', 'encrypt']",
      ],
    ],
  ),
  ...of(
    'handshake.ts',
    ['session.test.ts', 'session-order.test.ts', 'session-border.test.ts', 'session-vectors.test.ts'],
    [
      [
        'which signed prekey',
        "if (signed?.kind !== 'signed' || signed.id !== signedId) throw new CryptoError('prekey-unknown', 'signed');",
        "if (!signed) throw new CryptoError('prekey-unknown', 'signed');",
      ],
      ['the initiator in the transcript', '      party(initiator),\n', ''],
      ['the responder in the transcript', '      party(responder),\n', ''],
      ['the base key in the transcript', '      lp(baseKey),\n', ''],
      ['the ciphertext in the transcript', '      lp(ciphertext),\n', ''],
    ],
  ),
  ...of(
    'ratchet.ts',
    ['ratchet.test.ts', 'session.test.ts', 'session-order.test.ts'],
    [
      ['how far ahead', "if (n - from.n > MAX_FORWARD_JUMP) throw new CryptoError('too-far-ahead');", ''],
      ['a used counter', '        if (used) return { outcome: used };\n'.trimStart(), ''],
      [
        'a counter past the end of an old chain',
        "if (chain.old && header.n >= chain.old.end) throw new CryptoError('cannot-decrypt');",
        '',
      ],
      [
        'keys kept too long',
        'const skipped = ratchet.skipped.filter(({ at }) => !isOld(at)).slice(-MAX_SKIPPED);',
        'const skipped = ratchet.skipped.slice(-MAX_SKIPPED);',
      ],
      ['how many keys are kept', '.slice(-MAX_SKIPPED);', ';'],
      ['how many old chains', '.slice(0, MAX_OLD_CHAINS)', ''],
      [
        'a skipped key used once',
        'const skipped = ratchet.skipped.filter((key) => key !== waiting);',
        'const { skipped } = ratchet;',
      ],
    ],
  ),
];

const BORDER = of(
  'session-body.ts',
  ['session-border.test.ts'],
  [
    ['the version', 'reader.u8() !== VERSION || ', '(reader.u8(), false) || '],
    ['the suite', 'reader.u16() !== SUITE', '(reader.u16(), false)'],
    ['the type', "if (type < MESSAGE || type > SIGNAL) throw new CryptoError('unsupported');", ''],
  ],
);

const REPAIR = of(
  'repair.ts',
  ['repair.test.ts'],
  [
    ['one request whatever failed', '!SILENT.includes(why)', "why === 'cannot-decrypt'"],
    ['one repair an hour', 'recent(log.handshakes, REPAIR_INTERVAL, now).length > 0', 'false'],
    ['ten requests in three hours', 'resends.length >= RESEND_REQUESTS', 'false'],
    ['nothing again that was acknowledged', '!sent.acknowledged &&', ''],
    ['nothing again that is a week old', 'now < sent.at + RESEND_LIFETIME &&', ''],
    ['nothing again to another account', 'sent.to.account === requester.account &&', ''],
    ['nothing again to another device', 'sent.to.device === requester.device &&', ''],
    ['nothing again under another identity key', ' &&\n    equal(sent.identity, requester.identity)', ''],
  ],
);

export const PROTOCOL = [...CHAIN, ...SESSIONS, ...BORDER, ...REPAIR];
