import * as z from 'zod/mini';
import { DeliveryToken, MessageId } from './ids.ts';
import { LIMITS } from './limits.ts';

const name = z.string().check(z.minLength(1), z.maxLength(LIMITS.nameCharacters));

export const TextContent = z.strictObject({
  kind: z.literal('text'),
  id: MessageId,
  /** By the author's clock; the order on screen is the relay's. */
  sentAt: z.int().check(z.minimum(0)),
  text: z.string().check(z.minLength(1), z.maxLength(LIMITS.textCharacters)),
});
export type TextContent = z.infer<typeof TextContent>;

/** Says of messages of the recipient that they arrived at, or were read by, the sender of this. */
export const ReceiptContent = z.strictObject({
  kind: z.literal('receipt'),
  status: z.enum(['delivered', 'read']),
  messages: z.array(MessageId).check(z.minLength(1), z.maxLength(LIMITS.receiptMessages)),
});
export type ReceiptContent = z.infer<typeof ReceiptContent>;

/** How the sender wants to be called, and what lets the recipient's messages into the sender's inbox. */
export const ProfileContent = z.strictObject({
  kind: z.literal('profile'),
  name,
  token: z.optional(DeliveryToken),
});
export type ProfileContent = z.infer<typeof ProfileContent>;

/**
 * Something from the recipient could not be read; the session that brings this is new. What never arrived is to be
 * sent again.
 */
export const RepairContent = z.strictObject({ kind: z.literal('repair') });
export type RepairContent = z.infer<typeof RepairContent>;

/** What stands inside a sealed message. The relay never sees any of it. */
export const Content = z.discriminatedUnion('kind', [
  TextContent,
  ReceiptContent,
  ProfileContent,
  RepairContent,
]);
export type Content = z.infer<typeof Content>;
