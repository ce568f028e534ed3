const BYTEA = 17;

/** A `bytea[]` as PostgreSQL receives it in binary. node-postgres would write it as text: two digits a byte. */
export const byteaArray = (values: readonly Uint8Array[]): Buffer => {
  let size = 20;
  for (const value of values) size += 4 + value.length;
  const out = Buffer.allocUnsafe(size);
  // One dimension, no nulls, its length, counted from 1.
  out.writeInt32BE(1, 0);
  out.writeInt32BE(0, 4);
  out.writeInt32BE(BYTEA, 8);
  out.writeInt32BE(values.length, 12);
  out.writeInt32BE(1, 16);
  let at = 20;
  for (const value of values) {
    at = out.writeInt32BE(value.length, at);
    out.set(value, at);
    at += value.length;
  }
  return out;
};
