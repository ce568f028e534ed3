import type { Bytes } from './bytes.ts';
import { act, addition, devicesOf, NOW, people, someGroup, type Person } from './group-suite.ts';
import { sign } from './keys.ts';
import {
  encodeContent,
  encodeEntry,
  signedContent,
  type Entry,
  type Operation,
} from './membership-operation.ts';
import type { GroupState } from './membership-state.ts';
import type { DeviceKeys } from './membership.ts';

/** A group of an owner, an admin, Bob and Carol; Eve is none of them. */
export interface SmallGroup {
  owner: Person;
  admin: Person;
  bob: Person;
  carol: Person;
  eve: Person;
  devices: DeviceKeys;
  entries: Bytes[];
  /** From the first on: `state` is the last. */
  states: GroupState[];
  state: GroupState;
}

export const smallGroup = async (): Promise<SmallGroup> => {
  const persons = await people(5);
  const [owner, admin, bob, carol, eve] = persons as [Person, Person, Person, Person, Person];
  const made = await someGroup(owner);
  const entries = [made.entry];
  const states = [made.state];
  const operations: Operation[] = [
    addition(admin, bob, carol),
    { kind: 'role', account: admin.account, role: 'admin' },
  ];
  for (const operation of operations) {
    const { entry, state } = await act(states.at(-1)!, owner, operation);
    entries.push(entry);
    states.push(state);
  }
  const state = states.at(-1)!;
  return { owner, admin, bob, carol, eve, devices: devicesOf(persons), entries, states, state };
};

/** An entry properly signed by whoever, whether it may or not. */
export const forgeEntry = async (who: Person, on: GroupState, change: Partial<Entry>): Promise<Bytes> => {
  const content = encodeContent({
    group: on.group,
    epoch: on.epoch + 1,
    previous: on.head,
    createdAt: NOW,
    actor: who,
    operation: { kind: 'leave' },
    ...change,
  });
  return encodeEntry(content, await sign(who.signing.privateKey, signedContent(content)));
};
