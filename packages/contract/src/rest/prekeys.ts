import * as z from 'zod/mini';
import { DeviceId } from '../ids.ts';
import { EcPrekey, PqPrekey, SealingKey } from '../keys.ts';
import { LIMITS } from '../limits.ts';

const some = z.maxLength(LIMITS.prekeysPerRequest);

/**
 * `PUT /v1/prekeys`: prekeys of the device that asks. A signed prekey or last resort replaces those of lower ids;
 * one-time prekeys are added. Repeating it changes nothing, and none at all only asks.
 */
export const PublishRequest = z.strictObject({
  /** Takes the place of the one before it when it is newer. */
  sealingKey: z.optional(SealingKey),
  signed: z.optional(EcPrekey),
  lastResort: z.optional(PqPrekey),
  oneTime: z.array(EcPrekey).check(some),
  pqOneTime: z.array(PqPrekey).check(some),
});
export type PublishRequest = z.infer<typeof PublishRequest>;

/** What `PUT /v1/prekeys` answers: how many one-time prekeys the relay still has of the device. */
export const PrekeysResponse = z.strictObject({ oneTime: z.int(), pqOneTime: z.int() });
export type PrekeysResponse = z.infer<typeof PrekeysResponse>;

/** What is needed to start a session with a device. One-time prekeys in it are given to nobody else. */
export const DeviceBundle = z.strictObject({
  device: DeviceId,
  signed: EcPrekey,
  /** Absent when they have run out. */
  oneTime: z.optional(EcPrekey),
  pqKind: z.enum(['pq-one-time', 'pq-last-resort']),
  pq: PqPrekey,
});
export type DeviceBundle = z.infer<typeof DeviceBundle>;

/** `POST /v1/accounts/:account/bundles` for `devices` of the account; those that do not exist are left out. */
export const BundlesRequest = z.strictObject({
  devices: z.array(DeviceId).check(z.minLength(1), z.maxLength(LIMITS.devicesPerAccount)),
});
export type BundlesRequest = z.infer<typeof BundlesRequest>;

export const BundlesResponse = z.strictObject({ bundles: z.array(DeviceBundle) });
export type BundlesResponse = z.infer<typeof BundlesResponse>;
