import * as z from 'zod/mini';

/** `GET /v1/relay`: who is there, and what it demands of who registers. */
export const RelayResponse = z.strictObject({
  version: z.int(),
  registration: z.strictObject({
    invite: z.boolean(),
    email: z.boolean(),
    /** What `firebase/auth` needs to send a code to a phone. */
    phone: z.optional(
      z.strictObject({
        apiKey: z.string(),
        authDomain: z.string(),
        projectId: z.string(),
        /** Only of a relay under test. */
        emulator: z.optional(z.string()),
      }),
    ),
  }),
  /** Whether members may make invites. */
  invites: z.boolean(),
});
export type RelayResponse = z.infer<typeof RelayResponse>;
