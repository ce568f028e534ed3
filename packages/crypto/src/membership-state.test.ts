import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64url, u32, u8, type Bytes } from './bytes.ts';
import { act, addition, codeOf, NOW, removal, someGroup, type Person } from './group-suite.ts';
import { sign } from './keys.ts';
import {
  encodeContent,
  encodeEntry,
  readEntry,
  signedContent,
  type Operation,
} from './membership-operation.ts';
import { checkRoster, rosterOf, standingOf, type GroupState } from './membership-state.ts';
import { smallGroup } from './membership-suite.ts';
import { applyEntries, applyEntry, type DeviceKeys } from './membership.ts';
import { flipped, random } from './test-support.ts';

let owner: Person, bob: Person, eve: Person;
let devices: DeviceKeys;
let entries: Bytes[];
let states: GroupState[];
let state: GroupState;
beforeAll(async () => {
  ({ owner, bob, eve, devices, entries, states, state } = await smallGroup());
});

const by = (who: Person, operation: Operation, on = state) => act(on, who, operation);
const apply = (entry: Bytes, on: GroupState | null = state) =>
  applyEntry({ state: on ?? undefined, entry, devices });
const refused = (entry: Bytes, on: GroupState | null = state) => codeOf(() => apply(entry, on));
const account = (who: Person) => who.account;

describe('A2 the roster of the relay', () => {
  it('is that of the log, in whatever order', () => {
    expect(() => checkRoster(state, rosterOf(state))).not.toThrow();
    expect(() => checkRoster(state, rosterOf(state).toReversed())).not.toThrow();
  });

  it('stops the group when it is another one', async () => {
    const roster = rosterOf(state);
    const others = {
      'one more': [...roster, { account: account(eve), manages: false }],
      'one less': roster.slice(1),
      'one exchanged': [...roster.slice(1), { account: account(eve), manages: roster[0]!.manages }],
      'one twice': [...roster, roster[0]!],
      'one twice instead of another': [...roster.slice(1), roster[1]!],
      'a member that manages': roster.map((line) => ({ ...line, manages: true })),
      'an admin that does not': roster.map((line) => ({ ...line, manages: false })),
      nobody: [],
    };
    for (const [what, lines] of Object.entries(others)) {
      expect(await codeOf(() => checkRoster(state, lines)), what).toBe('roster-mismatch');
    }
  });
});

describe('A2 A3 the state hash', () => {
  const standing = (epoch: number, stateHash: Bytes, who = owner) =>
    standingOf(state, { epoch, stateHash, account: account(who) });

  it('tells a current, an old and a forked view apart', async () => {
    expect(standing(2, state.hash)).toEqual({ view: 'current', departed: false, role: 'owner' });
    expect(standing(1, states[1]!.hash, bob)).toEqual({ view: 'old', departed: false, role: 'member' });
    expect(standing(0, states[0]!.hash, eve)).toEqual({ view: 'old', departed: false });
    expect(standing(2, states[1]!.hash).view).toBe('forked');
    expect(standing(1, state.hash).view).toBe('forked');
    expect(standing(2, flipped(state.hash, 31)).view).toBe('forked');
    expect(await codeOf(() => standing(3, state.hash))).toBe('membership-gap');
    expect(await codeOf(() => standing(2 ** 32 - 1, state.hash))).toBe('membership-gap');
  });

  it('A3 flags what was sent before somebody left', async () => {
    const { state: after } = await by(owner, removal(bob));
    const old = { stateHash: state.hash, epoch: 2 };
    expect(standingOf(after, { ...old, account: account(bob) })).toEqual({ view: 'old', departed: true });
    const now = { stateHash: after.hash, epoch: 3, account: account(owner) };
    expect(standingOf(after, now)).toEqual({ view: 'current', departed: false, role: 'owner' });
  });

  it('differs with everything that can differ', async () => {
    const operations: Operation[] = [
      addition(eve),
      removal(bob),
      { kind: 'role', account: account(bob), role: 'admin' },
      { kind: 'role', account: account(bob), role: 'owner' },
      { kind: 'policy', policy: 1 },
      { kind: 'field', field: 'title', value: u8(1) },
      { kind: 'field', field: 'picture', value: u8(1) },
    ];
    const hashes = await Promise.all(
      operations.map(async (one) => toBase64url((await by(owner, one)).state.hash)),
    );
    expect(new Set(hashes).size).toBe(operations.length);
  });

  it('does not depend on how an entry was signed', async () => {
    const { content } = readEntry(entries[1]!);
    const again = encodeEntry(content, await sign(owner.signing.privateKey, signedContent(content)));
    expect(again).not.toEqual(entries[1]);
    expect((await apply(again, states[0])).hash).toEqual(states[1]!.hash);
  });
});

describe('1,000 members', () => {
  const ids = (count: number) => Array.from({ length: count }, () => ({ account: toBase64url(random(32)) }));

  it('fit in one entry, and not one more', async () => {
    const many = ids(999);
    const { state: empty, entry: beginning } = await someGroup(owner);
    const { entry, state: full } = await by(owner, addition(...many), empty);
    expect(entry.length).toBeLessThan(33_000);
    expect(await applyEntries({ state: undefined, entries: [beginning, entry], devices })).toEqual(full);
    expect(full.members).toHaveLength(1_000);
    expect(await codeOf(() => by(owner, addition(eve), full))).toBe('membership-invalid');
    expect(await codeOf(() => by(owner, addition(...ids(1_000)), empty))).toBe('membership-invalid');
    const content = encodeContent({
      group: empty.group,
      epoch: 1,
      previous: empty.head,
      createdAt: NOW,
      actor: owner,
      operation: addition(...ids(1_001)),
    });
    const tooMany = encodeEntry(content, await sign(owner.signing.privateKey, signedContent(content)));
    expect(await refused(tooMany, empty)).toBe('membership-invalid');
    const { state: fewer } = await by(owner, removal(...many.slice(0, 500)), full);
    expect(fewer.members).toHaveLength(500);
    expect(() => checkRoster(full, rosterOf(full))).not.toThrow();
  });

  it('come and go one by one in bearable time', async () => {
    let { state: at } = await someGroup(owner);
    const many = ids(999);
    at = (await by(owner, addition(...many.slice(0, 900)), at)).state;
    const log: Bytes[] = [];
    const start = at;
    for (const one of many.slice(900)) {
      const made = await by(owner, addition(one), at);
      log.push(made.entry);
      at = made.state;
    }
    const before = performance.now();
    expect(await applyEntries({ state: start, entries: log, devices })).toEqual(at);
    // Each takes some milliseconds: a signature, and a hash over a thousand members.
    expect((performance.now() - before) / log.length).toBeLessThan(200);
    expect(u32(at.epoch)).toEqual(u32(100));
  });
});
