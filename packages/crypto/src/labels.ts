import { concat, lp, u16, utf8, type Bytes } from './bytes.ts';

/** ECDH and ECDSA over P-256, HKDF and hashes with SHA-256, AES-256-GCM. */
export const SUITE = 1;

/** Labels of signatures. */
export const SIGNATURE_LABELS = [
  'chain',
  'chain/head',
  'chain/join',
  'group',
  'group/join',
  'group/signal',
  'membership',
  'prekey',
  'sealing-key',
  'sign-in',
] as const;

/** Labels of derived keys, of what is bound to a key, and of hashes. */
export const DERIVATION_LABELS = [
  'seal',
  'kem-seed',
  'handshake',
  'hs/dh1',
  'hs/dh2',
  'hs/dh4',
  'hs/kem',
  'hs/mix/dh1',
  'hs/mix/dh2',
  'hs/mix/dh4',
  'hs/mix/kem',
  'root-dh',
  'root',
  'root-chain',
  'message',
  'next',
  'signal',
  'archive',
  'archive/commit',
  'archive/key',
  'archive/manifest',
  'archive/passkey',
  'attachment',
  'recovery',
  'recovery/check',
  'recovery/lookup',
  'recovery/token',
  'recovery/wrap',
  'safety-number',
  'commit',
  'channel',
  'channel/id',
  'channel/keys',
  'channel/hand-over',
  'log',
  'log/id',
  'group-state',
  'field',
  'field/commit',
  'link',
  'link/id',
  'link/token',
] as const;

/** Every label there is. One use, one label: no signature or key serves two purposes. */
export const LABELS = [...SIGNATURE_LABELS, ...DERIVATION_LABELS] as const;

export type SignatureLabel = (typeof SIGNATURE_LABELS)[number];
export type Label = (typeof LABELS)[number];

/** `"sotto/1/"` and the label. */
export const L = (label: Label): Bytes => utf8(`sotto/1/${label}`);

const PREFIXES = new Map(LABELS.map((label) => [label, concat(lp(L(label)), u16(SUITE))]));

/** What is signed, or bound as info: the label, the suite, and the context that they are about. */
export const I = (label: Label, context: Uint8Array): Bytes => concat(PREFIXES.get(label)!, context);
