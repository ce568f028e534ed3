import { concat, lp, u16, utf8, type Bytes } from './bytes.ts';

/** ECDH and ECDSA over P-256, HKDF and hashes with SHA-256, AES-256-GCM. */
export const SUITE = 1;

/** Every label there is. One use, one label: no signature or key serves two purposes. */
export const LABELS = ['chain', 'seal', 'sealing-key', 'sign-in', 'signed'] as const;

export type Label = (typeof LABELS)[number];

/** `"sotto/1/"` and the label. */
export const L = (label: Label): Bytes => utf8(`sotto/1/${label}`);

/** What is signed, or bound as info: the label, the suite, and the context that they are about. */
export const I = (label: Label, context: Uint8Array): Bytes => concat(lp(L(label)), u16(SUITE), context);
