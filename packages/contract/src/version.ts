/** The version of everything in this package. A change of the golden schema needs a new one. */
export const WIRE_VERSION = 1;
