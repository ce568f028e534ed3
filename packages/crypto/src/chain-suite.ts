import type { Bytes } from './bytes.ts';
import type { ChainState } from './chain-rules.ts';
import { acceptDevice, createChain, proposeDevice, verifyChain, type Appended } from './chain.ts';
import {
  deviceId,
  generateAgreementKey,
  generateSealingPair,
  generateSigningKey,
  type KeyPair,
} from './keys.ts';

/** Keys for the tests of the chain: a device's or a recovery key's. */
export interface Member {
  id: string;
  signing: KeyPair;
  /** The identity key, or the one for HPKE. */
  other: KeyPair;
}

const member = async (other: Promise<KeyPair>): Promise<Member> => {
  const signing = await generateSigningKey();
  return { id: await deviceId(signing.publicKey), signing, other: await other };
};
export const newDevice = () => member(generateAgreementKey());
export const newRecovery = () => member(generateSealingPair());

export const NOW = 1_700_000_000_000;

/** A chain of one event. */
export const startChain = async (first: Member): Promise<Appended> => {
  const { event } = await createChain({ signing: first.signing, identity: first.other, createdAt: NOW });
  return { event, state: await verifyChain([event]) };
};

export const join = async (state: ChainState, author: Member, joining: Member): Promise<Appended> => {
  const device = { signing: joining.signing.publicKey, identity: joining.other.publicKey };
  const proposal = await proposeDevice({ state, author: author.signing, createdAt: NOW, device });
  return acceptDevice({ state, proposal, signing: joining.signing, identity: joining.other });
};

/** Follows a chain from step to step and keeps its events. */
export const buildChain = async (
  start: Appended,
  ...steps: readonly ((state: ChainState) => Promise<Appended>)[]
): Promise<{ events: Bytes[]; state: ChainState }> => {
  const events = [start.event];
  let { state } = start;
  for (const step of steps) {
    const next = await step(state);
    events.push(next.event);
    ({ state } = next);
  }
  return { events, state };
};
