import * as z from 'zod/mini';

/** Bytes on a socket (msgpack `bin`). Node hands over a Buffer, which is a Uint8Array. */
export const bytes = (bounds: { min?: number; max: number }) =>
  z
    .custom<Uint8Array<ArrayBuffer>>((value) => value instanceof Uint8Array)
    .check(
      z.refine((value) => value.length >= (bounds.min ?? 1) && value.length <= bounds.max, {
        message: 'length',
      }),
    );

const LAST = ['', '', 'AQgw', 'AEIMQUYcgkosw048'] as const;

/** Canonical base64url without padding: length, alphabet and the unused bits of the last character. */
const isBase64url = (text: string): boolean => {
  const rest = text.length % 4;
  if (rest === 1 || !/^[A-Za-z0-9_-]*$/.test(text)) return false;
  return rest === 0 || LAST[rest]!.includes(text.at(-1)!);
};

/** Bytes in JSON: canonical base64url text of `min` to `max` bytes. */
export const base64url = (bounds: { min?: number; max: number }) =>
  z
    .string()
    .check(
      z.minLength(Math.ceil(((bounds.min ?? 1) * 4) / 3)),
      z.maxLength(Math.ceil((bounds.max * 4) / 3)),
      z.refine(isBase64url, { message: 'base64url' }),
    );
