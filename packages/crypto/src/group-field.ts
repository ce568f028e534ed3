import { concat, equal, lp, Reader, u8, type Bytes } from './bytes.ts';
import { fieldKey, type GroupKey } from './channel.ts';
import { CryptoError } from './errors.ts';
import { gcm, GCM_IV_BYTES } from './group-message.ts';
import { sha256 } from './keys.ts';
import { I } from './labels.ts';
import { FIELDS, groupBytes, type Field } from './membership-operation.ts';

/** What a field of a group says. Whoever has both can hold them against the log. */
export interface FieldText {
  /** 16 random bytes: nobody finds a text by guessing. */
  readonly salt: Bytes;
  readonly text: Bytes;
}

const SALT_BYTES = 16;
const HASH_BYTES = 32;

const commitment = (group: string, field: Field, { salt, text }: FieldText): Promise<Bytes> =>
  sha256(I('field/commit', concat(lp(groupBytes(group)), u8(FIELDS.indexOf(field)), salt, text)));

const bound = (field: Field, commit: Bytes): Bytes => concat(u8(FIELDS.indexOf(field)), commit);

/**
 * A field's value for the log: who has the channel key reads it there, everybody else can only hold against it what they
 * are told. `source` is for vectors alone.
 */
export const sealField = async (
  key: GroupKey,
  field: Field,
  text: Bytes,
  source?: { salt: Bytes; iv: Bytes },
): Promise<{ value: Bytes; opened: FieldText }> => {
  const salt = source?.salt ?? crypto.getRandomValues(new Uint8Array(SALT_BYTES));
  const iv = source?.iv ?? crypto.getRandomValues(new Uint8Array(GCM_IV_BYTES));
  const opened = { salt, text };
  const commit = await commitment(key.group, field, opened);
  const plaintext = concat(salt, text);
  const sealed = await crypto.subtle.encrypt(gcm(iv, bound(field, commit)), await fieldKey(key), plaintext);
  return { value: concat(commit, iv, new Uint8Array(sealed)), opened };
};

/** Whether this is what the value of a field in the log stands for. */
export const isField = async (
  group: string,
  field: Field,
  value: Bytes,
  opened: FieldText,
): Promise<boolean> =>
  opened.salt.length === SALT_BYTES &&
  equal(value.subarray(0, HASH_BYTES), await commitment(group, field, opened));

/** What a field says, by the key that it was sealed under. Throws `cannot-open` for any other key, and for all else. */
export const openField = async (key: GroupKey, field: Field, value: Bytes): Promise<FieldText> => {
  try {
    const reader = new Reader(value);
    const commit = reader.take(HASH_BYTES);
    const iv = reader.take(GCM_IV_BYTES);
    const algorithm = gcm(iv, bound(field, commit));
    const plaintext = new Uint8Array(
      await crypto.subtle.decrypt(algorithm, await fieldKey(key), reader.rest()),
    );
    const opened = { salt: plaintext.slice(0, SALT_BYTES), text: plaintext.slice(SALT_BYTES) };
    if (await isField(key.group, field, value, opened)) return opened;
    throw new CryptoError('cannot-open');
  } catch (error) {
    const refused =
      error instanceof CryptoError || (error instanceof Error && error.name === 'OperationError');
    throw refused ? new CryptoError('cannot-open') : error;
  }
};
