import { encodeAddress, readAddress, type Address } from './address.ts';
import { concat, fromBase64url, lp, Reader, toBase64url, u8, u16, u32, u64, type Bytes } from './bytes.ts';
import { CryptoError } from './errors.ts';
import { sha256 } from './keys.ts';
import { I } from './labels.ts';

/** What a member may do; the place in the list is the byte that stands for it, and the rank. */
export const ROLES = ['member', 'admin', 'owner'] as const;
export type Role = (typeof ROLES)[number];

/** What a group says of itself. The values are opaque here: sealed, or a hash of what is sent elsewhere. */
export const FIELDS = ['title', 'description', 'picture', 'settings'] as const;
export type Field = (typeof FIELDS)[number];

/** Bits of the policy. */
export const POLICY = { membersAdd: 1, membersEdit: 2, adminsPost: 4, adminsDelete: 8 } as const;

export const MAX_MEMBERS = 1_000;
export const MAX_FIELD_BYTES = 1_024;
/** Of one group: what a newcomer has to check is bounded. */
export const MAX_OPERATIONS = 65_536;

/**
 * What changes in a group. `channel` is the id of a new channel key. Lists of accounts are not empty, without
 * repeats, and in the order of their bytes.
 */
export type Operation =
  | { readonly kind: 'create'; readonly channel: Bytes; readonly log: Bytes }
  | { readonly kind: 'add'; readonly accounts: readonly string[] }
  | { readonly kind: 'remove'; readonly accounts: readonly string[]; readonly channel: Bytes }
  | { readonly kind: 'leave' }
  | { readonly kind: 'role'; readonly account: string; readonly role: Role }
  /** Empty takes the field away. */
  | { readonly kind: 'field'; readonly field: Field; readonly value: Bytes }
  | { readonly kind: 'policy'; readonly policy: number }
  | { readonly kind: 'rekey'; readonly channel: Bytes };

/** One entry of the log: `lp(content) signature(64)`. */
export interface Entry {
  /** 16 bytes, base64url. */
  readonly group: string;
  /** 0 in the first entry; one more in each. */
  readonly epoch: number;
  /** The hash of the entry before: 32 bytes; 32 zero bytes in the first. */
  readonly previous: Bytes;
  /** Milliseconds since 1970 by the actor's clock: a claim. */
  readonly createdAt: number;
  readonly actor: Address;
  readonly operation: Operation;
}

const VERSION = 1;
const KINDS = ['create', 'add', 'remove', 'leave', 'role', 'field', 'policy', 'rekey'] as const;
const ACCOUNT_BYTES = 32;
const GROUP_BYTES = 16;
const HASH_BYTES = 32;
const SIGNATURE_BYTES = 64;

const sized = (bytes: Bytes, length: number): Bytes => {
  if (bytes.length !== length) throw new CryptoError('bad-encoding', `not ${length} bytes`);
  return bytes;
};

/** 16 bytes. Throws `bad-encoding`. */
export const groupBytes = (group: string): Bytes => sized(fromBase64url(group), GROUP_BYTES);
/** 32 bytes. Throws `bad-encoding`. */
export const accountBytes = (account: string): Bytes => sized(fromBase64url(account), ACCOUNT_BYTES);

/** Below zero when `a` comes first. */
export const compareBytes = (a: Uint8Array, b: Uint8Array): number => {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at === -1 ? 0 : a[at]! - b[at]!;
};

/** The order in which an operation lists them. Throws `bad-encoding` for what is no account id. */
export const sortAccounts = (accounts: readonly string[]): string[] =>
  accounts.map(accountBytes).toSorted(compareBytes).map(toBase64url);

const encodeAccounts = (accounts: readonly string[]): Bytes =>
  concat(u16(accounts.length), ...accounts.map(accountBytes));

const readAccounts = (reader: Reader): string[] => {
  const count = reader.u16();
  if (count === 0) throw new CryptoError('bad-encoding', 'count');
  const accounts: Bytes[] = [];
  for (let i = 0; i < count; i += 1) {
    const account = reader.take(ACCOUNT_BYTES);
    const before = accounts.at(-1);
    if (before && compareBytes(before, account) >= 0) throw new CryptoError('bad-encoding', 'order');
    accounts.push(account);
  }
  return accounts.map(toBase64url);
};

const place = <T>(list: readonly T[], byte: number): T => {
  const value = list[byte];
  if (value === undefined) throw new CryptoError('bad-encoding', 'unknown');
  return value;
};

const encodeBody = (operation: Operation): Bytes => {
  switch (operation.kind) {
    case 'create':
      return concat(sized(operation.channel, HASH_BYTES), sized(operation.log, HASH_BYTES));
    case 'add':
      return encodeAccounts(operation.accounts);
    case 'remove':
      return concat(encodeAccounts(operation.accounts), sized(operation.channel, HASH_BYTES));
    case 'leave':
      return new Uint8Array(0);
    case 'role':
      return concat(accountBytes(operation.account), u8(ROLES.indexOf(operation.role)));
    case 'field':
      return concat(u8(FIELDS.indexOf(operation.field)), lp(operation.value));
    case 'policy':
      return u8(operation.policy);
    case 'rekey':
      return sized(operation.channel, HASH_BYTES);
  }
};

const readBody = (kind: (typeof KINDS)[number], reader: Reader): Operation => {
  switch (kind) {
    case 'create':
      return { kind, channel: reader.take(HASH_BYTES), log: reader.take(HASH_BYTES) };
    case 'add':
      return { kind, accounts: readAccounts(reader) };
    case 'remove':
      return { kind, accounts: readAccounts(reader), channel: reader.take(HASH_BYTES) };
    case 'leave':
      return { kind };
    case 'role':
      return {
        kind,
        account: toBase64url(reader.take(ACCOUNT_BYTES)),
        role: place(ROLES, reader.u8()),
      };
    case 'field':
      return { kind, field: place(FIELDS, reader.u8()), value: reader.lp() };
    case 'policy':
      return { kind, policy: reader.u8() };
    case 'rekey':
      return { kind, channel: reader.take(HASH_BYTES) };
  }
};

/** What an entry's signature covers, without label. Throws `bad-encoding`. */
export const encodeContent = (entry: Entry): Bytes =>
  concat(
    u8(VERSION),
    u8(KINDS.indexOf(entry.operation.kind)),
    lp(groupBytes(entry.group)),
    u32(entry.epoch),
    sized(entry.previous, HASH_BYTES),
    u64(entry.createdAt),
    encodeAddress(entry.actor),
    encodeBody(entry.operation),
  );

/** What is signed, and hashed. */
export const signedContent = (content: Bytes): Bytes => I('membership', content);

/** By which the next entry names this one. The signature is not hashed: it can be made anew. */
export const entryHash = (content: Bytes): Promise<Bytes> => sha256(signedContent(content));

export const encodeEntry = (content: Bytes, signature: Bytes): Bytes => concat(lp(content), signature);

/** Throws `bad-encoding` for what is malformed, of another version, or holds an operation that is unknown. */
export const readEntry = (bytes: Uint8Array): { entry: Entry; content: Bytes; signature: Bytes } => {
  const outer = new Reader(bytes);
  const content = outer.lp();
  const signature = outer.take(SIGNATURE_BYTES);
  outer.end();
  const reader = new Reader(content);
  if (reader.u8() !== VERSION) throw new CryptoError('bad-encoding', 'version');
  const kind = place(KINDS, reader.u8());
  const group = toBase64url(sized(reader.lp(), GROUP_BYTES));
  const epoch = reader.u32();
  const previous = reader.take(HASH_BYTES);
  const createdAt = reader.u64();
  const actor = readAddress(reader);
  const operation = readBody(kind, reader);
  reader.end();
  return { entry: { group, epoch, previous, createdAt, actor, operation }, content, signature };
};
