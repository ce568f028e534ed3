// The checks of groups, attachments, recovery and the archive. See mutants-list.mjs.
import { of } from './mutants-list.mjs';

const GROUPS = [
  ...of(
    'sender-key-receive.ts',
    ['sender-key-receive.test.ts', 'sender-key-hand-over.test.ts'],
    [
      [
        'the signature',
        "if (!(await verify(key.signing, signature, signed))) throw new CryptoError('cannot-decrypt');",
        '',
      ],
      ['the group', "if (group !== state.group) throw new CryptoError('cannot-decrypt');", ''],
      ['whose keys', "if (!isTheirs) throw new CryptoError('cannot-decrypt');", ''],
      ['how far ahead', "if (n - from.n > MAX_FORWARD_JUMP) throw new CryptoError('too-far-ahead');", ''],
      [
        'another signing key under a known id',
        "if (!equal(known.signing, signing)) throw new CryptoError('cannot-decrypt');",
        '',
      ],
    ],
  ),
  ...of(
    'sender-key.ts',
    ['sender-key.test.ts'],
    [
      [
        'a sender key that is due',
        "if (isSenderKeyDue(own, state, now)) throw new CryptoError('sender-key-due');",
        '',
      ],
      ['rotation when somebody left', 'state.lastDeparture > own.epoch ||', ''],
      ['rotation by age', 'now - own.madeAt >= SENDER_KEY_LIFETIME ||', ''],
      ['rotation by count', ' ||\n  own.n >= SENDER_KEY_COUNTERS', ''],
    ],
  ),
  ...of(
    'group-signal.ts',
    ['group-signal.test.ts'],
    [
      [
        'the signature',
        'return verify(key.signing, signature, signedSignal(keys.group, encode(signal)));',
        'return true;',
      ],
      [
        'whose keys',
        'const isTheirs = keys.from.account === from.account && keys.from.device === from.device;',
        'const isTheirs = true;',
      ],
      ['which key', 'keys.keys.find((one) => one.chainId === chainId)', 'keys.keys[0]'],
      ['its moment', ' || Math.abs(now - sentAt) > SIGNAL_LIFETIME', ''],
      ['the group', 'concat(lp(groupBytes(group)), signal)', 'concat(signal)'],
      ['one encoding', "if (typing > 1) throw new CryptoError('bad-encoding', 'unknown');", ''],
      ['nothing behind it', 'reader.end();', ''],
    ],
  ),
  ...of(
    'channel.ts',
    ['channel.test.ts'],
    [
      [
        'a key that fits its id',
        "if (!equal(key.id, stated[purpose])) throw new CryptoError('cannot-decrypt');",
        '',
      ],
      [
        'the keys in force',
        "if (!isOf(state, keys) || !isNamed || state.rekeyDue) throw new CryptoError('channel-key-due');",
        '',
      ],
      ['a removal not yet followed by a key', ' || state.rekeyDue) throw', ') throw'],
      [
        'a key of before for who was there',
        'heldUntil(state, keys.channel.id, to)',
        'state.earlier?.at(-1)?.until',
      ],
    ],
  ),
  ...of(
    'membership.ts',
    ['membership.test.ts'],
    [
      ['the signature', 'if (!isUnchecked && !(await isSigned(bytes, devices)))', 'if (false)'],
      [
        'another group',
        "if (entry.group !== state.group) throw new CryptoError('membership-invalid', 'another group');",
        '',
      ],
      [
        'entries that are missing',
        "if (entry.epoch > state.epoch + 1) throw new CryptoError('membership-gap');",
        '',
      ],
      ['a fork', "if (!equal(entry.previous, state.head)) throw new CryptoError('group-fork');", ''],
      [
        'two entries for one epoch',
        '    if (isInHistory(state, entry.epoch, hash)) return state;\n    throw new',
        '    if (state) return state;\n    throw new',
      ],
    ],
  ),
  ...of(
    'membership-rules.ts',
    ['membership-rules.test.ts', 'membership-state.test.ts'],
    [
      [
        'who may add',
        "if (rank(actor) < ADMIN && (state.policy & POLICY.membersAdd) === 0) refuse('may not add');",
        '',
      ],
      [
        'whom an admin may remove',
        "if (rank(role) >= rank(actor.role) && actor.role !== 'owner') refuse('not below the actor');",
        '',
      ],
      [
        'who may change roles',
        "if (actor.role !== 'owner' && !stepsDown) refuse('may not change roles');",
        '',
      ],
      [
        'the last owner',
        "if (members.length > 0 && !members.some(({ role }) => role === 'owner')) refuse('the last owner');",
        '',
      ],
      [
        'a new channel key at a removal',
        "if (equal(channel, state.channel)) refuse('the same channel key');",
        '',
      ],
      [
        'an actor who is a member',
        "roleOf(state, account) ?? refuse('not a member');\n  if (state.epoch",
        "roleOf(state, account) ?? 'member';\n  if (state.epoch",
      ],
      ['how many members', "if (known.size + accounts.length > MAX_MEMBERS) refuse('too many members');", ''],
      ['who may set the policy', "if (!manages) refuse('may not set the policy');", ''],
      ['who may edit', "if (!manages && !open) refuse('may not edit');", ''],
    ],
  ),
];

const FILES = [
  ...of(
    'attachment.ts',
    ['attachment.test.ts'],
    [
      ['the index of a chunk', 'concat(u32(index), u8(last ? 1 : 0))', 'concat(u8(last ? 1 : 0))'],
      ['the last chunk', 'concat(u32(index), u8(last ? 1 : 0))', 'concat(u32(index))'],
      ['the hash', '!equal(await hash.end(size), reference.hash)', 'false'],
      ['chunks past the end', "if (part.index >= expected) throw new CryptoError('attachment-invalid');", ''],
      [
        'the length of a key',
        "if (key.length !== KEY_BYTES) throw new CryptoError('bad-encoding', 'key');",
        '',
      ],
    ],
  ),
  ...of(
    'archive.ts',
    ['archive.test.ts'],
    [
      ['the version of an object', 'concat(lp(concat(id, at)), u64(version))', 'concat(lp(concat(id, at)))'],
      ['the place of an object', 'concat(lp(concat(id, at)), u64(version))', 'concat(lp(id), u64(version))'],
      [
        'the account of an object',
        'concat(lp(concat(id, at)), u64(version))',
        'concat(lp(at), u64(version))',
      ],
    ],
  ),
  ...of(
    'archive-key.ts',
    ['archive.test.ts'],
    [
      [
        'the key that the chain states',
        "if (!equal(await commitArchiveKey(request, used), commitment)) refuse('another key');",
        '',
      ],
      ['the version', "if (reader.u8() !== VERSION) throw new CryptoError('unsupported');", 'reader.u8();'],
    ],
  ),
  ...of(
    'recovery.ts',
    ['recovery.test.ts'],
    [
      ['halves that fit', "if (!(await fits(keys))) throw new CryptoError('recovery-invalid');", ''],
      [
        'the account and the public halves',
        "const aad = I('recovery', concat(id, ...publics));\n  const open",
        "const aad = I('recovery', NONE);\n  const open",
      ],
      ['the version', "if (reader.u8() !== VERSION) throw new CryptoError('unsupported');", 'reader.u8();'],
    ],
  ),
  ...of(
    'recovery-code.ts',
    ['recovery.test.ts'],
    [
      [
        'the check',
        "if ((value & ((1n << CHECK_BITS) - 1n)) !== (await check(secret)))\n    throw new CryptoError('recovery-code-checksum');",
        '',
      ],
    ],
  ),
];

export const GROUPS_AND_FILES = [...GROUPS, ...FILES];
