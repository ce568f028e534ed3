// PostgreSQL's binary form of arrays: node-postgres writes them as text, bytes as hex, twice the size. A Buffer it passes on
// as it is. Each statement has to name the type: `$1::bytea[]`.

const HEADER = 20;
const [BOOL, BYTEA, INT8] = [16, 17, 20];

const begin = (type: number, count: number, bytes: number): Buffer => {
  // An array of nothing has no dimension.
  const buffer = Buffer.allocUnsafe(count === 0 ? 12 : HEADER + bytes);
  buffer.writeInt32BE(count === 0 ? 0 : 1, 0);
  buffer.writeInt32BE(0, 4);
  buffer.writeInt32BE(type, 8);
  if (count === 0) return buffer;
  buffer.writeInt32BE(count, 12);
  buffer.writeInt32BE(1, 16);
  return buffer;
};

/** `bytea[]` */
export const bytesArray = (values: readonly Uint8Array[]): Buffer => {
  let bytes = 0;
  for (const value of values) bytes += 4 + value.length;
  const buffer = begin(BYTEA, values.length, bytes);
  let at = HEADER;
  for (const value of values) {
    at = buffer.writeInt32BE(value.length, at);
    buffer.set(value, at);
    at += value.length;
  }
  return buffer;
};

/** `bytea[]` of ids, each of `size` bytes. */
export const idsArray = (ids: readonly string[], size = 16): Buffer => {
  const buffer = begin(BYTEA, ids.length, ids.length * (4 + size));
  let at = HEADER;
  for (const id of ids) {
    at = buffer.writeInt32BE(size, at);
    at += buffer.write(id, at, size, 'base64url');
  }
  return buffer;
};

/** `boolean[]` */
export const flagsArray = (values: readonly boolean[]): Buffer => {
  const buffer = begin(BOOL, values.length, values.length * 5);
  let at = HEADER;
  for (const value of values) {
    at = buffer.writeInt32BE(1, at);
    at = buffer.writeUInt8(value ? 1 : 0, at);
  }
  return buffer;
};

/** `bigint[]` */
export const numbersArray = (values: readonly number[]): Buffer => {
  const buffer = begin(INT8, values.length, values.length * 12);
  let at = HEADER;
  for (const value of values) {
    at = buffer.writeInt32BE(8, at);
    at = buffer.writeBigInt64BE(BigInt(value), at);
  }
  return buffer;
};
