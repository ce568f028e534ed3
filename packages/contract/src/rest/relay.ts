import * as z from 'zod/mini';

/** `GET /v1/relay`: who is there. */
export const RelayResponse = z.strictObject({ version: z.int() });
export type RelayResponse = z.infer<typeof RelayResponse>;
