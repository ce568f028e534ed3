import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import vectors from '../vectors/attachment.json';
import { cut, type ByteSource } from './attachment-source.ts';
import {
  CHUNK_BYTES,
  decryptAttachment,
  decryptRange,
  encryptAttachment,
  sealedLength,
  sealedRange,
  type AttachmentReference,
} from './attachment.ts';
import { concat, equal, type Bytes } from './bytes.ts';
import { gcm, hex, info, int, lp, sha } from './reference-suite.ts';
import { flipped, fromHex, random, toHex, unchanged } from './test-support.ts';

const code = (name: string) => expect.objectContaining({ code: name });
const invalid = code('attachment-invalid');
const malformed = code('bad-encoding');
const SEALED = CHUNK_BYTES + 28;
const SIZES = [
  0,
  1,
  1000,
  CHUNK_BYTES - 1,
  CHUNK_BYTES,
  CHUNK_BYTES + 1,
  2 * CHUNK_BYTES,
  3 * CHUNK_BYTES + 9,
];

const patterned = (size: number): Bytes => {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 1) bytes[at] = at % 251;
  return bytes;
};

/** `bytes` in pieces of `length`, through one buffer that is overwritten each time, as a BYOB reader would do. */
async function* pieces(bytes: Bytes, length: number): AsyncGenerator<Bytes> {
  const buffer = new Uint8Array(length);
  for (let at = 0; at < bytes.length; at += length) {
    buffer.fill(0xee);
    const part = bytes.subarray(at, at + length);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
  }
  buffer.fill(0xee);
}

const encrypt = async (source: ByteSource, options: { key?: Bytes; iv?: (index: number) => Bytes } = {}) => {
  const chunks: Bytes[] = [];
  const write = (chunk: Bytes) => void chunks.push(chunk);
  const reference = await encryptAttachment({ source, write, ...options });
  return { reference, chunks, ciphertext: concat(...chunks) };
};

const decrypt = async (reference: AttachmentReference, source: ByteSource): Promise<Bytes> => {
  const chunks: Bytes[] = [];
  await decryptAttachment({ reference, source, write: (chunk) => void chunks.push(chunk) });
  return concat(...chunks);
};

describe('the published vectors of attachments', () => {
  const key = fromHex(vectors.key);

  it.each(vectors.files)(
    'hold for $size bytes',
    async ({ size, ivs, ciphertextSha256, hash, ciphertext }) => {
      const file = patterned(size);
      const made = await encrypt([file], { key, iv: (index) => fromHex(ivs[index]!) });
      const sealed = ivs.map((iv, index) => {
        const aad = info('attachment', int(index, 4), int(index === ivs.length - 1 ? 1 : 0, 1));
        const part = file.subarray(index * 262_144, (index + 1) * 262_144);
        return Buffer.concat([hex(iv), gcm(key, hex(iv), aad, part)]);
      });
      const expected = Buffer.concat(sealed);
      expect(sha(expected).toString('hex')).toBe(ciphertextSha256);
      expect(sha(made.ciphertext).toString('hex')).toBe(ciphertextSha256);
      if (ciphertext !== undefined) expect(toHex(made.ciphertext)).toBe(ciphertext);

      let state = Buffer.alloc(32);
      for (const chunk of sealed) state = Buffer.from(sha(state, sha(chunk)));
      expect(sha(info('attachment', lp(state), int(size, 8))).toString('hex')).toBe(hash);
      expect(made.reference).toEqual({ key, size, hash: fromHex(hash) });
      expect(equal(await decrypt(made.reference, [new Uint8Array(expected)]), file)).toBe(true);
    },
  );
});

describe('a file', () => {
  it('comes back at every size around the chunks, in pieces of any length', async () => {
    for (const size of SIZES) {
      const file = patterned(size);
      const { reference, chunks, ciphertext } = await encrypt([file]);
      expect(reference.size).toBe(size);
      expect(ciphertext.length).toBe(sealedLength(size));
      expect(chunks.length).toBe(Math.max(1, Math.ceil(size / CHUNK_BYTES)));
      for (const length of [1000, CHUNK_BYTES, SEALED, 3 * CHUNK_BYTES]) {
        const back = await decrypt(reference, pieces(ciphertext, length));
        expect(equal(back, file), `${size} in ${length}`).toBe(true);
        const again = await encrypt(pieces(file, length));
        expect(equal(await decrypt(again.reference, [again.ciphertext]), file)).toBe(true);
      }
    }
  });

  it('is read from a stream, which is told when nobody reads on', async () => {
    const file = patterned(CHUNK_BYTES + 10);
    const streamed = (reason: { cancelled?: unknown } = {}) =>
      new ReadableStream<Bytes>({
        start(controller) {
          for (let at = 0; at < file.length; at += 50_000) controller.enqueue(file.slice(at, at + 50_000));
          controller.close();
        },
        cancel(why) {
          reason.cancelled = why ?? true;
        },
      });
    const { reference, ciphertext } = await encrypt(streamed());
    expect(equal(await decrypt(reference, [ciphertext]), file)).toBe(true);
    const failing = new ReadableStream<Bytes>({ pull: (to) => to.error(new Error('gone')) });
    await expect(encrypt(failing)).rejects.toThrow('gone');

    let cancelled = false;
    const endless = {
      getReader: () => ({
        read: async () => ({ done: false, value: new Uint8Array(CHUNK_BYTES) }),
        cancel: async () => {
          cancelled = true;
        },
      }),
    };
    await expect(decrypt(reference, endless)).rejects.toThrow(invalid);
    expect(cancelled).toBe(true);
  });

  it('has a key of its own, and new IVs each time', async () => {
    const file = patterned(CHUNK_BYTES + 1);
    const [one, two] = [await encrypt([file]), await encrypt([file])];
    expect(one.reference.key).not.toEqual(two.reference.key);
    const key = random(32);
    const [a, b] = [await encrypt([file], { key }), await encrypt([file], { key })];
    const ivs = [...a.chunks, ...b.chunks].map((chunk) => toHex(chunk.slice(0, 12)));
    expect(new Set(ivs).size).toBe(4);
  });

  it('takes no more memory when it is longer: what is read ahead is bounded', async () => {
    for (const chunks of [20, 60]) {
      let [read, written, ahead] = [0, 0, 0];
      const source = async function* () {
        const piece = new Uint8Array(CHUNK_BYTES);
        for (; read < chunks; read += 1) {
          ahead = Math.max(ahead, read - written);
          yield piece;
        }
      };
      const write = async () => {
        await new Promise((resolve) => {
          setTimeout(resolve, 1);
        });
        written += 1;
      };
      await encryptAttachment({ source: source(), write });
      expect(written).toBe(chunks);
      expect(ahead).toBeLessThanOrEqual(6);
    }
  });

  it('is written one chunk after the other, and stops at the first error of either side', async () => {
    const file = patterned(6 * CHUNK_BYTES);
    let writing = 0;
    const seen: number[] = [];
    const slow = async (chunk: Bytes) => {
      writing += 1;
      seen.push(writing);
      await new Promise((resolve) => {
        setTimeout(resolve, 2);
      });
      writing -= 1;
      return void chunk;
    };
    await encryptAttachment({ source: [file], write: slow });
    expect(seen).toEqual(Array.from({ length: 6 }, () => 1));
    let writes = 0;
    const full = () => {
      writes += 1;
      throw new Error('disk full');
    };
    await expect(encryptAttachment({ source: [file], write: full })).rejects.toThrow('disk full');
    expect(writes).toBe(1);
    const source = async function* () {
      yield file;
      throw new Error('unreadable');
    };
    await expect(encrypt(source())).rejects.toThrow('unreadable');
  });

  it('leaves what it is made from as it was', async () => {
    const file = patterned(CHUNK_BYTES + 5);
    await unchanged({ file, key: random(32) }, async (inputs) => {
      const { reference, ciphertext } = await encrypt([inputs.file], { key: inputs.key });
      await unchanged({ reference, ciphertext }, async (given) => {
        await decrypt(given.reference, [given.ciphertext]);
        await decryptRange({ reference, start: 1, end: 4, ciphertext: ciphertext.slice(0, SEALED) });
      });
    });
  });
});

describe('a ciphertext', () => {
  const file = patterned(3 * CHUNK_BYTES + 100);
  let made: Awaited<ReturnType<typeof encrypt>>;
  let same: Awaited<ReturnType<typeof encrypt>>;
  let other: Awaited<ReturnType<typeof encrypt>>;

  beforeAll(async () => {
    [made, other] = await Promise.all([encrypt([file]), encrypt([file])]);
    // What no sender does: the same key and content again.
    same = await encrypt([file], { key: made.reference.key });
  });

  const refused = async (what: string, ...chunks: readonly Bytes[]) =>
    expect(decrypt(made.reference, [...chunks]), what).rejects.toThrow(invalid);

  it('A11 is refused cut, reordered, repeated, or mixed with another', async () => {
    const [a, b, c, d] = made.chunks as [Bytes, Bytes, Bytes, Bytes];
    expect(equal(await decrypt(made.reference, [a, b, c, d]), file)).toBe(true);
    await refused('nothing');
    await refused('the last chunk missing', a, b, c);
    await refused('the first chunk missing', b, c, d);
    await refused('one in the middle missing', a, c, d);
    await refused('only the last', d);
    await refused('changed places', b, a, c, d);
    await refused('repeated', a, a, b, c, d);
    await refused('repeated in place', a, a, c, d);
    await refused('the last repeated', a, b, c, d, d);
    await refused('twice', a, b, c, d, a, b, c, d);
    await refused('the first cut', a.slice(1), b, c, d);
    await refused('the last cut', a, b, c, d.slice(0, -1));
    await refused('a byte more', a, b, c, d, new Uint8Array(1));
    await refused('a chunk of another file', a, other.chunks[1]!, c, d);
    await refused('another file', ...other.chunks);
    await refused('cut at every length', made.ciphertext.slice(0, SEALED));
  });

  it('A11 is refused with any chunk in another’s place, alone by its index or its mark', async () => {
    const single = await encrypt([file.slice(0, CHUNK_BYTES)], { key: made.reference.key });
    // The same bytes, last there and not here; and the other way round.
    await refused('a last chunk in the middle', single.chunks[0]!, ...made.chunks.slice(1));
    await expect(decrypt(single.reference, [made.chunks[0]!])).rejects.toThrow(invalid);
    const size = CHUNK_BYTES;
    const forged = { ...made.reference, size };
    await expect(decrypt(forged, [made.chunks[0]!])).rejects.toThrow(invalid);
  });

  it('A11 is refused when every chunk is good and the whole is not the one that was hashed', async () => {
    const [a, , c, d] = made.chunks as [Bytes, Bytes, Bytes, Bytes];
    await refused('a chunk of the same file, encrypted again', a, same.chunks[1]!, c, d);
    await refused('the same file, encrypted again', ...same.chunks);
  });

  it('A11 is refused with any bit of a small one changed, and any length', async () => {
    const small = await encrypt([random(20)]);
    for (let at = 0; at < small.ciphertext.length; at += 1) {
      for (let bit = 0; bit < 8; bit += 1) {
        const changed = flipped(small.ciphertext, at, 1 << bit);
        await expect(decrypt(small.reference, [changed]), `byte ${at}`).rejects.toThrow(invalid);
      }
      const shorter = small.ciphertext.slice(0, at);
      await expect(decrypt(small.reference, [shorter]), `${at} bytes`).rejects.toThrow(invalid);
    }
    const empty = await encrypt([]);
    await expect(decrypt(empty.reference, [])).rejects.toThrow(invalid);
    for (let at = 0; at < empty.ciphertext.length; at += 1) {
      await expect(decrypt(empty.reference, [flipped(empty.ciphertext, at)])).rejects.toThrow(invalid);
    }
  });

  it('A11 is refused with any byte of a large one changed', async () => {
    const places = [0, 11, 12, SEALED - 1, SEALED, 2 * SEALED + 5000, made.ciphertext.length - 1];
    for (const at of places) await refused(`byte ${at}`, flipped(made.ciphertext, at));
  });

  it('is refused by a reference that differs', async () => {
    const { key, size, hash } = made.reference;
    for (const reference of [
      { key: flipped(key, 0), size, hash },
      { key, size: size - 1, hash },
      { key, size: size + 1, hash },
      { key, size: 0, hash },
      { key, size: 4 * CHUNK_BYTES, hash },
      { key, size, hash: flipped(hash, 31) },
      { key, size, hash: hash.slice(1) },
    ]) {
      await expect(decrypt(reference, [made.ciphertext])).rejects.toThrow(invalid);
    }
    for (const reference of [
      { key: key.slice(1), size, hash },
      { key: random(16), size, hash },
      { key, size: -1, hash },
      { key, size: 0.5, hash },
      { key, size: 2 ** 48 + 1, hash },
    ]) {
      await expect(decrypt(reference, [made.ciphertext])).rejects.toThrow(malformed);
    }
  });

  it('that goes on past its size is given up at once, however good its chunks are', async () => {
    const reference = { ...made.reference, size: CHUNK_BYTES };
    let written = 0;
    const write = () => {
      written += 1;
    };
    const read = decryptAttachment({ reference, source: [made.ciphertext], write });
    await expect(read).rejects.toThrow(invalid);
    expect(written).toBe(1);
  });
});

describe('a range', () => {
  const file = patterned(3 * CHUNK_BYTES + 100);
  const size = file.length;
  let reference: AttachmentReference;
  let ciphertext: Bytes;

  beforeAll(async () => {
    ({ reference, ciphertext } = await encrypt([file]));
  });

  const read = (start: number, end: number) => {
    const range = sealedRange(reference, start, end);
    return decryptRange({ reference, start, end, ciphertext: ciphertext.slice(range.start, range.end) });
  };

  it('is read out of the chunks that hold it', async () => {
    const edge = fc.constantFrom(0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, size - 1, size);
    const place = fc.oneof(edge, fc.integer({ min: 0, max: size }));
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        fc.pre(a !== b);
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect(equal(await read(start, end), file.slice(start, end))).toBe(true);
        const range = sealedRange(reference, start, end);
        expect(range.end - range.start).toBeLessThan(end - start + 2 * SEALED);
      }),
      { numRuns: 40 },
    );
  });

  it('asks for whole chunks', () => {
    expect(sealedRange({ size }, 0, 1)).toEqual({ start: 0, end: SEALED });
    expect(sealedRange({ size }, CHUNK_BYTES, 2 * CHUNK_BYTES)).toEqual({ start: SEALED, end: 2 * SEALED });
    expect(sealedRange({ size }, size - 1, size)).toEqual({ start: 3 * SEALED, end: sealedLength(size) });
  });

  it('A11 is refused with other bytes than those it asks for', async () => {
    const [start, end] = [CHUNK_BYTES + 5, CHUNK_BYTES + 10];
    const right = ciphertext.slice(SEALED, 2 * SEALED);
    const swapped = concat(ciphertext.slice(2 * SEALED, 3 * SEALED), right);
    for (const given of [
      ciphertext.slice(0, SEALED),
      ciphertext.slice(2 * SEALED, 3 * SEALED),
      right.slice(1),
      concat(right, new Uint8Array(1)),
      new Uint8Array(0),
      flipped(right, 0),
      flipped(right, 5000),
      flipped(right, SEALED - 1),
    ]) {
      await expect(decryptRange({ reference, start, end, ciphertext: given })).rejects.toThrow(invalid);
    }
    const both = { reference, start, end: end + CHUNK_BYTES, ciphertext: swapped };
    await expect(decryptRange(both)).rejects.toThrow(invalid);
    const shorter = { key: reference.key, size: 2 * CHUNK_BYTES };
    await expect(decryptRange({ reference: shorter, start, end, ciphertext: right })).rejects.toThrow(
      invalid,
    );
  });

  it('lies within the file', () => {
    for (const [start, end] of [
      [0, 0],
      [5, 4],
      [-1, 4],
      [0.5, 4],
      [0, size + 1],
      [Number.NaN, 4],
    ] as const) {
      expect(() => sealedRange(reference, start, end)).toThrow(malformed);
    }
    expect(() => sealedRange({ size: 0 }, 0, 1)).toThrow(malformed);
    expect(() => sealedLength(2 ** 48 + 1)).toThrow(malformed);
  });
});

describe('cutting', () => {
  it('gives pieces of one size and a shorter last one, whatever came in', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uint8Array({ maxLength: 25 })),
        fc.integer({ min: 1, max: 9 }),
        async (parts, size) => {
          const source = parts.map((part) => new Uint8Array(part));
          const seen: Bytes[] = [];
          const marks: boolean[] = [];
          for await (const { bytes, index, last } of cut(source, size)) {
            expect(index).toBe(seen.length);
            seen.push(bytes.slice());
            marks.push(last);
          }
          expect(concat(...seen)).toEqual(concat(...source));
          expect(marks).toEqual(seen.map((_, at) => at === seen.length - 1));
          expect(seen.slice(0, -1).every((bytes) => bytes.length === size)).toBe(true);
          expect(seen.at(-1)!.length === 0).toBe(concat(...source).length === 0);
        },
      ),
    );
  });
});
