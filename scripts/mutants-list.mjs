// The security checks of packages/crypto, and what takes each out: here those of the primitives and of what is signed
// and sealed, in mutants-protocol.mjs and mutants-groups.mjs the others. One entry by check:
//   file     below packages/crypto/src
//   find     its text, which stands in the file exactly once
//   replace  what stands there without it
//   tests    the files of which some test must fail then
// A check whose text changes has to be found here again: the command says so.

/** @typedef {{ name: string, file: string, find: string, replace: string, tests: readonly string[] }} Mutant */

/**
 * The mutants of one file.
 * @param {string} file
 * @param {readonly string[]} tests
 * @param {readonly (readonly [name: string, find: string, replace: string])[]} entries
 * @returns {Mutant[]}
 */
export const of = (file, tests, entries) =>
  entries.map(([name, find, replace]) => ({ name, file, find, replace, tests }));

const PRIMITIVES = [
  ...of(
    'keys.ts',
    ['keys.test.ts'],
    [
      [
        'length and form of a point',
        "if (publicKey.length !== POINT_BYTES || publicKey[0] !== 4) throw new CryptoError('bad-key');",
        '',
      ],
      ['a point past the field', 'x >= P || y >= P || ', ''],
      ['a point off the curve', ' || (y * y - (x * x * x - 3n * x + B)) % P !== 0n', ''],
      [
        'the point of an agreement key',
        '  checkPoint(publicKey);\n  return crypto.subtle.importKey',
        '  return crypto.subtle.importKey',
      ],
      ['the length of a signature', 'if (signature.length !== SIGNATURE_BYTES) return false;', ''],
      ['r of zero', 'r === 0n || ', ''],
      ['r past the order', 'r >= N || ', ''],
      ['s of zero', 's === 0n || ', ''],
      ['a high s', ' || s > N / 2n) return false', ') return false'],
      [
        'signing with a low s',
        's > N / 2n ? concat(signature.subarray(0, 32), toScalar(N - s)) : signature',
        'signature',
      ],
      [
        'the signature itself',
        'return crypto.subtle.verify(algorithm, key, signature, message);',
        'await crypto.subtle.verify(algorithm, key, signature, message);\n  return true;',
      ],
      [
        'private keys that cannot be exported',
        "{ name, namedCurve: 'P-256' }, false, usages",
        "{ name, namedCurve: 'P-256' }, true, usages",
      ],
      ['a signing key for signing alone', "generate('ECDSA', ['sign'])", "generate('ECDH', ['deriveBits'])"],
      [
        'an identity key that gives no bytes',
        "generate('ECDH', ['deriveKey'])",
        "generate('ECDH', ['deriveKey', 'deriveBits'])",
      ],
      [
        'the point of a device id',
        '  checkPoint(signingPublic);\n  return toBase64url',
        '  return toBase64url',
      ],
    ],
  ),
  ...of(
    'keys.ts',
    ['wycheproof.test.ts'],
    [
      ['Wycheproof: a high s', ' || s > N / 2n) return false', ') return false'],
      [
        'Wycheproof: a point off the curve or of another form',
        "if (x >= P || y >= P || (y * y - (x * x * x - 3n * x + B)) % P !== 0n) throw new CryptoError('bad-key');",
        '',
      ],
    ],
  ),
  ...of(
    'hpke.ts',
    ['hpke.test.ts'],
    [
      ['the recipient in the shared secret', 'concat(enc, recipient)', 'concat(enc, enc)'],
      ['the info', 'extract(INFO_HASH, info)', 'extract(INFO_HASH, NONE)'],
      ['the length of the tag', 'tagLength: 8 * TAG_BYTES', 'tagLength: 32'],
      ['the associated data', '  additionalData,\n', ''],
      [
        'one error for all',
        "error instanceof CryptoError || (error instanceof Error && error.name === 'OperationError')",
        'false',
      ],
      [
        'a fresh ephemeral key',
        'ephemeral ?? (await generateSealingPair())',
        'ephemeral ?? (await ((globalThis as { fixed?: Promise<KeyPair> }).fixed ??= generateSealingPair()))',
      ],
    ],
  ),
  ...of(
    'padding.ts',
    ['padding.test.ts', 'seal.test.ts'],
    [
      ['the padded length on opening', 'padded.length === paddedLength(length) && ', ''],
      ['the zeros on opening', 'padded.subarray(length).every((byte) => byte === 0)', 'true'],
      [
        'padding at all',
        'const padded = new Uint8Array(paddedLength(bytes.length));',
        'const padded = new Uint8Array(bytes.length);',
      ],
    ],
  ),
  ...of(
    'bytes.ts',
    ['bytes.test.ts'],
    [
      [
        'a lone surrogate',
        "if (/\\p{Surrogate}/u.test(text)) throw new CryptoError('bad-encoding', 'lone surrogate');",
        '',
      ],
      [
        'an integer out of bounds',
        'if (!Number.isSafeInteger(value) || value < 0 || value >= 2 ** (8 * size))',
        'if (false)',
      ],
      [
        'bytes that do not suffice',
        "if (length > this.#bytes.length - this.#at) throw new CryptoError('bad-encoding', 'truncated');",
        '',
      ],
      [
        'trailing bytes',
        "if (this.#at !== this.#bytes.length) throw new CryptoError('bad-encoding', 'trailing bytes');",
        '',
      ],
      ['stray bits in base64url', ' || (bits & ((1 << held) - 1)) !== 0', ''],
      [
        'other letters in base64url',
        "if (value === undefined) throw new CryptoError('bad-encoding', 'base64url');",
        'if (value === undefined) continue;',
      ],
      ['the whole of two arrays', 'difference |= a[i]! ^ b[i]!', 'difference = a[i]! ^ b[i]!'],
    ],
  ),
  ...of(
    'canonical.ts',
    ['canonical.test.ts'],
    [
      ['the one encoding', "if (!equal(encode(value), bytes)) refuse('not canonical');", ''],
      ['the order of keys', 'Object.keys(value).toSorted()', 'Object.keys(value)'],
      ['the depth', "if (depth === MAX_DEPTH) return refuse('depth');", ''],
      [
        'a key that sets a prototype',
        "(key === '__proto__' ? refuse('key') : writeText(key))",
        'writeText(key)',
      ],
      [
        'a lone surrogate',
        "/\\p{Surrogate}/u.test(text) ? refuse('text') : JSON.stringify(text)",
        'JSON.stringify(text)',
      ],
      ['numbers that are no integers', 'Number.isSafeInteger(value) && ', ''],
      ['negative zero', ' && !Object.is(value, -0)', ''],
      [
        'objects of a class',
        "if (!isPlain(value)) return refuse('object');",
        "if (!isPlain(value)) return '{}';",
      ],
      ['arrays with holes', "if (Object.keys(value).length !== value.length) return refuse('array');", ''],
    ],
  ),
];

const STATEMENTS = [
  ...of(
    'labels.ts',
    ['labels.test.ts', 'vectors.test.ts'],
    [
      ['the label', 'concat(lp(L(label)), u16(SUITE))', 'u16(SUITE)'],
      ['the suite', 'concat(lp(L(label)), u16(SUITE))', 'lp(L(label))'],
    ],
  ),
  ...of(
    'seal.ts',
    ['seal.test.ts'],
    [
      ['the version', "if (version !== VERSION) throw new CryptoError('unsupported');", ''],
      ['which sealing key', 'sealingKeys.find((key) => key.id === id)', 'sealingKeys[0]'],
      [
        'the padding',
        "if (!isPadded(plaintext, plaintext.length - reader.rest().length)) throw new CryptoError('cannot-open');",
        '',
      ],
      ['the recipient', "I('seal', concat(encodeAddress(to), u32(keyId)))", "I('seal', u32(keyId))"],
      [
        'the id of the key',
        "I('seal', concat(encodeAddress(to), u32(keyId)))",
        "I('seal', encodeAddress(to))",
      ],
      ['the header', 'const aad = concat(u8(version), u32(id));', 'const aad = concat(u8(version), u32(0));'],
      [
        'one error for all',
        "throw error instanceof CryptoError && !local ? new CryptoError('cannot-open') : error;",
        'throw error;',
      ],
    ],
  ),
  ...of(
    'sealing-key.ts',
    ['sealing-key.test.ts'],
    [
      [
        'the signature',
        'return await verify(signingPublic, sealingKey.signature, statement(request, sealingKey));',
        'await verify(signingPublic, sealingKey.signature, statement(request, sealingKey));\n    return true;',
      ],
      ['the point', 'checkPoint(sealingKey.publicKey);', ''],
      [
        'the owner',
        'concat(encodeAddress(owner), u32(key.id), u64(key.createdAt), lp(key.publicKey))',
        'concat(u32(key.id), u64(key.createdAt), lp(key.publicKey))',
      ],
      [
        'the id',
        'concat(encodeAddress(owner), u32(key.id), u64(key.createdAt), lp(key.publicKey))',
        'concat(encodeAddress(owner), u64(key.createdAt), lp(key.publicKey))',
      ],
      [
        'the time',
        'concat(encodeAddress(owner), u32(key.id), u64(key.createdAt), lp(key.publicKey))',
        'concat(encodeAddress(owner), u32(key.id), lp(key.publicKey))',
      ],
      [
        'the key',
        'concat(encodeAddress(owner), u32(key.id), u64(key.createdAt), lp(key.publicKey))',
        'concat(encodeAddress(owner), u32(key.id), u64(key.createdAt))',
      ],
      ['id 0', "if (key.id === 0) throw new CryptoError('bad-encoding', 'id 0');", ''],
    ],
  ),
  ...of(
    'sign-in.ts',
    ['sign-in.test.ts'],
    [
      [
        'the relay',
        'concat(lp(utf8(origin)), lp(deviceBytes(device)), lp(utf8(challenge)))',
        'concat(lp(deviceBytes(device)), lp(utf8(challenge)))',
      ],
      [
        'the device',
        'concat(lp(utf8(origin)), lp(deviceBytes(device)), lp(utf8(challenge)))',
        'concat(lp(utf8(origin)), lp(utf8(challenge)))',
      ],
      [
        'the challenge',
        'concat(lp(utf8(origin)), lp(deviceBytes(device)), lp(utf8(challenge)))',
        'concat(lp(utf8(origin)), lp(deviceBytes(device)))',
      ],
      [
        'the signature',
        'return await verify(signingPublic, signature, signInStatement(signIn));',
        'await verify(signingPublic, signature, signInStatement(signIn));\n    return true;',
      ],
    ],
  ),
  ...of(
    'address.ts',
    ['seal.test.ts', 'sign-in.test.ts'],
    [
      [
        'the length of an id',
        "if (bytes.length !== length) throw new CryptoError('bad-encoding', `an id is not of ${length} bytes`);",
        '',
      ],
    ],
  ),
];

/** One use, one label: each of the labels of signatures in the place of another. */
const USES = /** @type {const} */ ([
  ['chain-event.ts', 'chain', 'chain/join'],
  ['chain-event.ts', 'chain/join', 'chain'],
  ['chain-head.ts', 'chain/head', 'chain'],
  ['group-message.ts', 'group', 'membership'],
  ['group-signal.ts', 'group/signal', 'group'],
  ['membership-operation.ts', 'membership', 'group'],
  ['prekeys.ts', 'prekey', 'sealing-key'],
  ['sealing-key.ts', 'sealing-key', 'prekey'],
  ['sign-in.ts', 'sign-in', 'chain'],
]).flatMap(([file, label, other]) =>
  of(file, ['labels.test.ts'], [[`the label ${label} for one use`, `I('${label}', `, `I('${other}', `]]),
);

/** @type {readonly Mutant[]} */
export const BASIS = [...PRIMITIVES, ...STATEMENTS, ...USES];
