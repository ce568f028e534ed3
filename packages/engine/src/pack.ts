/** Stands for bytes in the JSON, with where they begin and how many they are. */
const BYTES = '\0bytes';

const ENCODER = new TextEncoder();
const DECODER = new TextDecoder();

/** What stands in place of an object that is not plain: under a name that begins with a zero, which no other has. */
export type Foreign = (object: object) => Record<`\0${string}`, unknown> | undefined;

/** JSON takes what IndexedDB takes, as far as rows go; anything else is refused rather than changed in silence. */
const toJson = (value: unknown, parts: Uint8Array[], at: { offset: number }, foreign?: Foreign): unknown => {
  if (value instanceof Uint8Array) {
    const start = at.offset;
    parts.push(value);
    at.offset += value.length;
    return { [BYTES]: [start, value.length] };
  }
  if (Array.isArray(value)) return value.map((item) => toJson(item, parts, at, foreign));
  if (typeof value === 'object' && value !== null) {
    const prototype: unknown = Object.getPrototypeOf(value);
    const plain = prototype === Object.prototype || prototype === null;
    const given = plain ? value : foreign?.(value);
    if (!given) throw new TypeError('a value that cannot be packed');
    const members: Record<string, unknown> = Object.create(null);
    for (const [key, member] of Object.entries(given)) {
      if (plain && key.startsWith('\0')) throw new TypeError('a name that cannot be packed');
      if (member !== undefined) members[key] = toJson(member, parts, at, foreign);
    }
    return members;
  }
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw new TypeError('a value that cannot be packed');
};

/**
 * Plain data as bytes: the length of its JSON, the JSON, the bytes in it one after the other. A member that is `undefined`
 * is left out.
 *
 * @throws TypeError for anything else that JSON and bytes do not hold
 */
export const pack = (value: unknown, foreign?: Foreign): Uint8Array<ArrayBuffer> => {
  const parts: Uint8Array[] = [];
  const json = ENCODER.encode(JSON.stringify(toJson(value, parts, { offset: 0 }, foreign)));
  const size = parts.reduce((sum, { length }) => sum + length, 4 + json.length);
  const whole = new Uint8Array(size);
  new DataView(whole.buffer).setUint32(0, json.length);
  let offset = 4;
  for (const part of [json, ...parts]) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
};

/** Puts bytes back where they stood in what was parsed. A reviver of JSON.parse takes several times as long. */
const restore = (value: unknown, bytes: Uint8Array<ArrayBuffer>): unknown => {
  if (typeof value !== 'object' || value === null) return value;
  const range = (value as { [BYTES]?: [start: number, length: number] })[BYTES];
  if (range) return bytes.slice(range[0], range[0] + range[1]);
  const members = value as Record<string, unknown>;
  for (const key of Object.keys(members)) {
    const member = members[key];
    if (typeof member === 'object' && member !== null) members[key] = restore(member, bytes);
  }
  return value;
};

/** What was packed; of what was foreign, what stood for it. */
export const unpack = (whole: Uint8Array<ArrayBuffer>): unknown => {
  const view = new DataView(whole.buffer, whole.byteOffset);
  const start = 4 + view.getUint32(0);
  return restore(JSON.parse(DECODER.decode(whole.subarray(4, start))), whole.subarray(start));
};
