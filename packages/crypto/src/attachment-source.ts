import type { Bytes } from './bytes.ts';

/** As much of a `ReadableStream` as is needed: not every engine can loop over one. */
export interface StreamLike {
  getReader: () => {
    read: () => Promise<{ done: boolean; value?: Uint8Array<ArrayBuffer> | undefined }>;
    cancel: (reason?: unknown) => Promise<void>;
  };
}

/** Bytes in pieces of any length. A piece may be used again once the next one is asked for. */
export type ByteSource = AsyncIterable<Bytes> | Iterable<Bytes> | StreamLike;

/** One piece of those that `cut` makes. */
export interface Cut {
  bytes: Bytes;
  /** From 0. */
  index: number;
  last: boolean;
}

async function* pieces(source: ByteSource): AsyncGenerator<Bytes> {
  if (!('getReader' in source)) {
    yield* source;
    return;
  }
  const reader = source.getReader();
  let done = false;
  try {
    for (;;) {
      const result = await reader.read();
      done = result.done;
      if (done) return;
      if (result.value) yield result.value;
    }
  } finally {
    // Whoever asked gave up: say so, and let their error stand.
    if (!done) await reader.cancel().catch(() => {});
  }
}

/**
 * Cuts what comes into pieces of `size` bytes, of which only the last may be shorter, and is empty only when nothing
 * came. Holds one piece; what lies whole in a piece of the source is not copied. A piece is good until the next one is
 * asked for.
 */
export async function* cut(source: ByteSource, size: number): AsyncGenerator<Cut> {
  let index = 0;
  const next = (bytes: Bytes, last: boolean): Cut => {
    index += 1;
    return { bytes, index: index - 1, last };
  };
  const held = new Uint8Array(size);
  let length = 0;
  for await (const piece of pieces(source)) {
    let at = 0;
    while (at < piece.length) {
      if (length === size) {
        yield next(held, false);
        length = 0;
      }
      if (length === 0 && piece.length - at > size) {
        yield next(piece.subarray(at, at + size), false);
        at += size;
        continue;
      }
      const taken = piece.subarray(at, at + size - length);
      held.set(taken, length);
      length += taken.length;
      at += taken.length;
    }
  }
  yield next(held.subarray(0, length), true);
}
