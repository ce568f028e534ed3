/** The raw bytes of an id that a schema of the contract has passed. */
export const idBytes = (id: string): Uint8Array<ArrayBuffer> => {
  const bytes = Buffer.from(id, 'base64url');
  return new Uint8Array(bytes);
};

/** An id, or other bytes of the database, as the wire writes them. `Id` is for the caller to know. */
export const idText = <Id extends string = string>(bytes: Uint8Array): Id =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url') as Id;
