import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { encode } from '@sotto/crypto/canonical';
import { sealEntry, sealPost } from '@sotto/crypto/channel-seal';
import { propose } from '@sotto/crypto/membership';
import type { Operation } from '@sotto/crypto/membership-operation';
import type { GroupState } from '@sotto/crypto/membership-state';
import { encryptGroupMessage, type SenderKey } from '@sotto/crypto/sender-key';
import type { Transport } from '@sotto/engine/ports';
import { expect } from 'vitest';
import { ownKeyOf } from './circle.ts';
import { newId } from './meeting.ts';
import { tapped } from './tapped.ts';
import type { Resident } from './world.ts';

/** An entry as somebody would sign it on what they know, or knew, sealed for the relay. */
export const entryBy = async (
  resident: Resident,
  id: string,
  operation: Operation,
  known?: GroupState,
): Promise<Uint8Array<ArrayBuffer>> => {
  const row = (await resident.store.get('group', id))!;
  const self = (await resident.store.get('self', 'self'))!;
  const made = await propose({
    state: known ?? row.state!,
    actor: { account: self.account, device: self.device },
    signing: self.signing.privateKey,
    createdAt: Date.now(),
    operation,
  });
  return sealEntry(row.log, made.state.epoch, made.entry);
};

/** What was posted behind the backs of their devices has used counters up. */
const used = new WeakMap<Resident, Awaited<ReturnType<typeof ownKeyOf>>>();

/** What somebody would post under a state that they know, or knew. */
export const postBy = async (
  resident: Resident,
  id: Parameters<typeof ownKeyOf>[1],
  content: Record<string, unknown>,
  state: GroupState,
  /** Another sender key than that of the device. */
  other?: SenderKey,
): Promise<Uint8Array<ArrayBuffer>> => {
  const row = (await resident.store.get('group', id))!;
  const own = other ?? used.get(resident) ?? (await ownKeyOf(resident, id));
  const made = await encryptGroupMessage({ own, state, content: encode(content as never), now: Date.now() });
  if (!other) used.set(resident, made.own);
  return sealPost({ keys: { channel: row.channels[0]!, log: row.log }, state, kind: 1, body: made.message });
};

/** What a relay hands to one device as it likes. */
export const puppet = () => {
  let deliver: ((envelopes: IncomingEnvelope[]) => void) | undefined;
  const seen: IncomingEnvelope[] = [];
  let lie: ((response: Awaited<ReturnType<Transport['channel']>>) => void) | undefined;
  return {
    seen,
    wrap: (transport: Transport): Transport => {
      const base = tapped((envelope) => void seen.push(envelope))(transport);
      return {
        ...base,
        channel: async (...args) => {
          const response = await transport.channel(...args);
          lie?.(response);
          return response;
        },
        connect(signer, listener) {
          deliver = (envelopes) => listener.deliver(envelopes);
          return base.connect(signer, listener);
        },
      };
    },
    hand: (body: Uint8Array<ArrayBuffer>, channel: string, at = Date.now()) => {
      const id = newId();
      deliver!([{ id, at, channel, body } as IncomingEnvelope]);
      return id;
    },
    lieWith: (next: typeof lie) => {
      lie = next;
    },
  };
};

/** Why somebody keeps an envelope as what cannot be read. */
export const reasonOf = async ({ store }: Resident, envelope: string): Promise<string> => {
  let reason: string | undefined;
  await expect
    .poll(async () => {
      reason = (await store.get('aside', envelope))?.reason;
      return reason;
    })
    .toBeDefined();
  return reason!;
};
