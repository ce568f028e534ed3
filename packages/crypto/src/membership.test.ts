import { beforeAll, describe, expect, it } from 'vitest';
import { concat, toBase64url, u16, u32, u8, type Bytes } from './bytes.ts';
import {
  act,
  addition,
  codeOf,
  devicesOf,
  NOW,
  people,
  removal,
  someGroup,
  type Person,
} from './group-suite.ts';
import { sign } from './keys.ts';
import { I, LABELS } from './labels.ts';
import {
  encodeContent,
  encodeEntry,
  MAX_FIELD_BYTES,
  MAX_OPERATIONS,
  POLICY,
  readEntry,
  signedContent,
  sortAccounts,
  type Entry,
  type Operation,
  type Role,
} from './membership-operation.ts';
import { checkRoster, roleOf, rosterOf, standingOf, type GroupState } from './membership-state.ts';
import { applyEntries, applyEntry, createGroup, type DeviceKeys } from './membership.ts';
import { flipped, random, unchanged } from './test-support.ts';

let persons: Person[];
let [owner, admin, bob, carol, eve]: Person[] = [];
let devices: DeviceKeys;
/** The entries of a group of an owner, an admin, Bob and Carol, and its states from the first on. */
let entries: Bytes[];
let states: GroupState[];
let state: GroupState;

const by = (who: Person | undefined, operation: Operation, on = state) => act(on, who!, operation);
const apply = (entry: Bytes, on: GroupState | null = state) =>
  applyEntry({ state: on ?? undefined, entry, devices });
const refused = (entry: Bytes, on: GroupState | null = state) => codeOf(() => apply(entry, on));
const account = (who: Person | undefined) => who!.account;

/** An entry properly signed by whoever, whether it may or not. */
const forge = async (who: Person, change: Partial<Entry>, on = state): Promise<Bytes> => {
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

beforeAll(async () => {
  persons = await people(5);
  [owner, admin, bob, carol, eve] = persons;
  devices = devicesOf(persons);
  const made = await someGroup(owner!);
  entries = [made.entry];
  states = [made.state];
  const operations: Operation[] = [
    addition(admin!, bob!, carol!),
    { kind: 'role', account: account(admin), role: 'admin' },
  ];
  for (const operation of operations) {
    const { entry, state: after } = await by(owner, operation, states.at(-1));
    entries.push(entry);
    states.push(after);
  }
  state = states.at(-1)!;
});

describe('the log', () => {
  it('adds up to the same state for whoever reads it', async () => {
    expect(await applyEntries({ state: undefined, entries, devices })).toEqual(state);
    expect(state).toMatchObject({ epoch: 2, policy: 0, fields: {}, rekeyDue: false, lastDeparture: 0 });
    expect(state.members.map((member) => member.account)).toEqual(
      sortAccounts([owner, admin, bob, carol].map(account)),
    );
    expect([owner, admin, bob, eve].map((one) => roleOf(state, account(one)))).toEqual([
      'owner',
      'admin',
      'member',
      undefined,
    ]);
  });

  it('has a group id of 16 random bytes of its own', async () => {
    const request = { actor: owner!, signing: owner!.signing.privateKey, createdAt: NOW };
    const [one, other] = await Promise.all([
      createGroup({ ...request, channel: random(32), log: random(32) }),
      createGroup({ ...request, channel: random(32), log: random(32) }),
    ]);
    expect(one.state.group).not.toBe(other.state.group);
    expect(one.state.group).toHaveLength(22);
    expect(await apply(one.entry, null)).toBeDefined();
  });

  it('changes fields, policy, roles, keys and members', async () => {
    let at = state;
    const go = async (who: Person | undefined, operation: Operation) => {
      const proposed = await by(who, operation, at);
      at = await apply(proposed.entry, at);
      expect(at).toEqual(proposed.state);
    };
    await go(admin, { kind: 'field', field: 'title', value: random(40) });
    await go(admin, { kind: 'field', field: 'settings', value: random(4) });
    expect(Object.keys(at.fields)).toEqual(['title', 'settings']);
    await go(owner, { kind: 'field', field: 'title', value: new Uint8Array(0) });
    expect(Object.keys(at.fields)).toEqual(['settings']);
    await go(admin, { kind: 'policy', policy: POLICY.membersAdd | POLICY.membersEdit });
    await go(bob, addition(eve!));
    await go(bob, { kind: 'field', field: 'picture', value: random(3) });
    await go(carol, { kind: 'leave' });
    expect(at).toMatchObject({ rekeyDue: true, lastDeparture: at.epoch });
    const { channel } = at;
    await go(bob, { kind: 'rekey', channel: random(32) });
    expect(at.rekeyDue).toBe(false);
    expect(at.lastDeparture).toBe(at.epoch - 1);
    expect(at.channel).not.toEqual(channel);
    await go(admin, removal(eve!, bob!));
    expect(at.lastDeparture).toBe(at.epoch);
    await go(owner, { kind: 'role', account: account(admin), role: 'owner' });
    await go(owner, { kind: 'leave' });
    expect(at.members).toEqual([{ account: account(admin), role: 'owner' }]);
    await go(admin, { kind: 'leave' });
    expect(at.members).toEqual([]);
  });

  it('leaves what it is given alone, also when it refuses', async () => {
    await unchanged([state, entries], async () => {
      const { entry } = await by(owner, addition(eve!));
      await apply(entry);
      await refused(flipped(entry, 40));
      await by(owner, addition(bob!)).catch(() => {});
    });
  });

  it('can be stored and read back', async () => {
    expect(structuredClone(state)).toEqual(state);
  });
});

describe('A2 refused as an entry', () => {
  it('anything with a byte changed, cut, or with more behind it', async () => {
    const { entry } = await by(owner, removal(bob!, carol!));
    for (let at = 0; at < entry.length; at += 1) {
      expect(await refused(flipped(entry, at)), `byte ${at}`).toBe('membership-invalid');
      expect(await refused(entry.slice(0, at)), `${at} bytes`).toBe('membership-invalid');
    }
    expect(await refused(concat(entry, u8(0)))).toBe('membership-invalid');
    await expect(apply(entry)).resolves.toBeDefined();
  });

  it('one that is unsigned, signed by another, or by a device that is on no chain', async () => {
    const { entry } = await by(owner, addition(eve!));
    const { content } = readEntry(entry);
    const unsigned = encodeEntry(content, new Uint8Array(64));
    const byEve = encodeEntry(content, await sign(eve!.signing.privateKey, signedContent(content)));
    const [stranger] = await people(1);
    const unknown = await forge({ ...owner!, device: stranger!.device }, { operation: addition(eve!) });
    for (const bad of [unsigned, byEve, unknown]) expect(await refused(bad)).toBe('membership-invalid');
  });

  it('A8 one that was signed under any other label, or under none', async () => {
    const { content } = readEntry((await by(owner, addition(eve!))).entry);
    for (const label of LABELS) {
      const entry = encodeEntry(content, await sign(owner!.signing.privateKey, I(label, content)));
      expect(await refused(entry), label).toBe(
        label === 'membership' ? 'nothing was thrown' : 'membership-invalid',
      );
    }
    expect(await refused(encodeEntry(content, await sign(owner!.signing.privateKey, content)))).toBe(
      'membership-invalid',
    );
  });

  it('one of another group', async () => {
    const entry = await forge(owner!, { group: toBase64url(random(16)), operation: addition(eve!) });
    expect(await refused(entry)).toBe('membership-invalid');
  });

  it('well signed content that is not what it should be', async () => {
    const { content } = readEntry((await by(owner, removal(bob!, carol!))).entry);
    const kindAt = 1;
    const body = content.length - (2 + 64 + 32);
    const swapped = concat(
      content.slice(0, body + 2),
      content.slice(body + 34, body + 66),
      content.slice(body + 2, body + 34),
      content.slice(body + 66),
    );
    const twice = concat(
      content.slice(0, body + 34),
      content.slice(body + 2, body + 34),
      content.slice(body + 66),
    );
    const wrong: Record<string, Bytes> = {
      'another version': concat(u8(2), content.slice(1)),
      'must 10 an unknown operation': concat(content.slice(0, kindAt), u8(8), content.slice(2)),
      'a byte behind': concat(content, u8(0)),
      'must 11 accounts out of order': swapped,
      'must 11 an account twice': twice,
      'no account at all': concat(content.slice(0, body), u16(0), content.slice(-32)),
      'more accounts than bytes': concat(content.slice(0, body), u16(3), content.slice(body + 2)),
    };
    const resign = async (bytes: Bytes) =>
      encodeEntry(bytes, await sign(owner!.signing.privateKey, signedContent(bytes)));
    await expect(apply(await resign(content))).resolves.toBeDefined();
    for (const [what, bytes] of Object.entries(wrong)) {
      expect(await refused(await resign(bytes)), what).toBe('membership-invalid');
    }
    const role = readEntry(
      await forge(owner!, { operation: { kind: 'role', account: account(bob), role: 'admin' } }),
    ).content;
    expect(await refused(await resign(concat(role.slice(0, -1), u8(3))))).toBe('membership-invalid');
    const field = readEntry(
      await forge(owner!, { operation: { kind: 'field', field: 'title', value: u8(1) } }),
    ).content;
    expect(await refused(await resign(concat(field.slice(0, -4), u8(4), field.slice(-3))))).toBe(
      'membership-invalid',
    );
  });

  it('a beginning that is none: another operation, epoch or predecessor', async () => {
    const create: Operation = { kind: 'create', channel: random(32), log: random(32) };
    const zero = { epoch: 0, previous: new Uint8Array(32) };
    expect(await refused(await forge(eve!, { ...zero, operation: create }), null)).toBe('nothing was thrown');
    const wrong: Partial<Entry>[] = [
      { ...zero, operation: addition(eve!) },
      { ...zero, epoch: 1, operation: create },
      { ...zero, previous: random(32), operation: create },
    ];
    for (const one of wrong) {
      const entry = await forge(eve!, one);
      expect(await refused(entry, null)).toBe('membership-invalid');
    }
    expect(await codeOf(() => applyEntries({ state: undefined, entries: [], devices }))).toBe(
      'membership-invalid',
    );
    expect(await refused(await forge(owner!, { operation: create }))).toBe('membership-invalid');
  });
});

describe('A2 order', () => {
  it('replayed entries change nothing', async () => {
    for (const entry of entries) expect(await apply(entry)).toBe(state);
    expect(await applyEntries({ state, entries, devices })).toBe(state);
  });

  it('entries that arrive before those that they follow wait', async () => {
    expect(await refused(entries[2]!, states[0])).toBe('membership-gap');
  });

  it('two accepted entries for one epoch stop the group, the last or an earlier one', async () => {
    const one = await by(owner, addition(eve!));
    const other = await by(admin, removal(bob!));
    expect(await refused(other.entry, await apply(one.entry))).toBe('group-fork');
    const old = await by(owner, addition(eve!), states[0]);
    expect(await refused(old.entry)).toBe('group-fork');
    const create: Partial<Entry> = { epoch: 0, previous: new Uint8Array(32) };
    const operation: Operation = { kind: 'create', channel: random(32), log: random(32) };
    expect(await refused(await forge(owner!, { ...create, operation }))).toBe('group-fork');
  });

  it('an entry that follows another history stops the group', async () => {
    const elsewhere = await by(owner, { kind: 'role', account: account(bob), role: 'admin' }, states[1]);
    const there = await by(owner, addition(eve!), elsewhere.state);
    expect(await refused(there.entry)).toBe('group-fork');
  });

  it('an entry that was refused is evidence of nothing: it is proposed again and applies', async () => {
    const loser = await by(admin, addition(eve!));
    const winner = await by(owner, { kind: 'policy', policy: POLICY.adminsPost });
    const after = await apply(winner.entry);
    const again = await by(admin, addition(eve!), after);
    expect(roleOf(await apply(again.entry, after), account(eve))).toBe('member');
    expect(loser.state.epoch).toBe(winner.state.epoch);
    // Nor is one for a passed epoch that nobody signed.
    const { content } = readEntry(loser.entry);
    expect(await refused(encodeEntry(content, new Uint8Array(64)), after)).toBe('membership-invalid');
  });

  it('a device that was revoked since still stands for what it signed', async () => {
    const without = devicesOf(persons.filter((one) => one !== owner));
    const { entry } = await by(owner, addition(eve!));
    expect(await codeOf(() => applyEntry({ state, entry, devices: without }))).toBe('membership-invalid');
    expect((await applyEntries({ state: undefined, entries, devices })).epoch).toBe(2);
  });
});

describe('A2 roles: what an actor may not do is refused', () => {
  const role = (who: Person | undefined, to: Role): Operation => ({
    kind: 'role',
    account: account(who),
    role: to,
  });
  const title: Operation = { kind: 'field', field: 'title', value: u8(1) };
  const settings: Operation = { kind: 'field', field: 'settings', value: u8(1) };
  const bits = (policy: number): Operation => ({ kind: 'policy', policy });

  /** By name: who does what, and whether it is allowed to. */
  const cases = (): [string, Person | undefined, Operation, boolean][] => [
    ['an outsider adds itself', eve, addition(eve!), false],
    ['an outsider leaves', eve, { kind: 'leave' }, false],
    ['an outsider makes a key', eve, { kind: 'rekey', channel: random(32) }, false],
    ['a member adds', bob, addition(eve!), false],
    ['an admin adds', admin, addition(eve!), true],
    ['an owner adds', owner, addition(eve!), true],
    ['somebody is added twice', owner, addition(bob!, eve!), false],
    ['a member removes', bob, removal(carol!), false],
    ['an admin removes a member', admin, removal(carol!), true],
    ['an admin removes an owner', admin, removal(owner!), false],
    ['an owner removes an admin', owner, removal(admin!), true],
    ['an owner removes itself', owner, removal(owner!), false],
    ['an admin removes itself', admin, removal(admin!), false],
    ['somebody is removed who is not there', owner, removal(eve!), false],
    [
      'a removal keeps the channel key',
      owner,
      { ...removal(bob!), channel: state.channel } as Operation,
      false,
    ],
    ['a rekey keeps the channel key', owner, { kind: 'rekey', channel: state.channel }, false],
    ['a member makes a new key', bob, { kind: 'rekey', channel: random(32) }, true],
    ['a member promotes itself', bob, role(bob, 'admin'), false],
    ['an admin promotes itself', admin, role(admin, 'owner'), false],
    ['an admin promotes a member', admin, role(bob, 'admin'), false],
    ['an admin demotes the owner', admin, role(owner, 'member'), false],
    ['an admin steps down', admin, role(admin, 'member'), true],
    ['an owner promotes', owner, role(bob, 'admin'), true],
    ['an owner hands over', owner, role(admin, 'owner'), true],
    ['an owner demotes', owner, role(admin, 'member'), true],
    ['the last owner steps down', owner, role(owner, 'admin'), false],
    ['the last owner leaves', owner, { kind: 'leave' }, false],
    ['a member leaves', bob, { kind: 'leave' }, true],
    ['an admin leaves', admin, { kind: 'leave' }, true],
    ['a role that is held already', owner, role(bob, 'member'), false],
    ['the role of somebody who is not there', owner, role(eve, 'admin'), false],
    ['a member renames', bob, title, false],
    ['an admin renames', admin, title, true],
    ['a member changes the settings', bob, settings, false],
    ['a field too long', owner, { ...title, value: new Uint8Array(MAX_FIELD_BYTES + 1) } as Operation, false],
    ['a field as long as may be', owner, { ...title, value: random(MAX_FIELD_BYTES) } as Operation, true],
    ['a member sets the policy', bob, bits(POLICY.membersAdd), false],
    ['an admin sets the policy', admin, bits(POLICY.membersAdd), true],
    ['an unknown bit of policy', owner, bits(16), false],
  ];

  it('by whoever proposes it, and by whoever reads it', async () => {
    for (const [what, who, operation, allowed] of cases()) {
      const expected = allowed ? 'nothing was thrown' : 'membership-invalid';
      expect(await codeOf(() => by(who, operation)), `${what}, proposed`).toBe(expected);
      expect(await refused(await forge(who!, { operation })), `${what}, read`).toBe(expected);
    }
  });

  it('and what the policy lets members do, it lets them do alone', async () => {
    const open = (await by(owner, bits(POLICY.membersAdd | POLICY.membersEdit))).state;
    expect(await codeOf(() => by(bob, addition(eve!), open))).toBe('nothing was thrown');
    expect(await codeOf(() => by(bob, title, open))).toBe('nothing was thrown');
    for (const operation of [settings, removal(carol!), bits(0), role(bob, 'admin')]) {
      expect(await codeOf(() => by(bob, operation, open))).toBe('membership-invalid');
    }
  });

  it('and two owners: one may remove the other, either may leave, not both', async () => {
    const two = (await by(owner, role(admin, 'owner'))).state;
    expect(await codeOf(() => by(admin, removal(owner!), two))).toBe('nothing was thrown');
    const { state: left } = await by(owner, { kind: 'leave' }, two);
    expect(await codeOf(() => by(admin, { kind: 'leave' }, left))).toBe('membership-invalid');
  });

  it('and an admin demotes neither another admin nor one of two owners', async () => {
    const two = (await by(owner, role(bob, 'admin'))).state;
    expect(await codeOf(() => by(bob, role(admin, 'member'), two))).toBe('membership-invalid');
    const three = (await by(owner, role(admin, 'owner'), two)).state;
    for (const to of ['member', 'admin'] as const) {
      expect(await codeOf(() => by(bob, role(admin, to), three))).toBe('membership-invalid');
    }
    expect(await codeOf(() => by(bob, removal(admin!), three))).toBe('membership-invalid');
  });

  it('and a removed member is nobody', async () => {
    const without = (await by(owner, removal(bob!))).state;
    expect(await refused(await forge(bob!, { operation: { kind: 'leave' } }, without), without)).toBe(
      'membership-invalid',
    );
  });

  it('and no more entries than are bounded', async () => {
    const late = { ...state, epoch: MAX_OPERATIONS - 1 };
    expect(await codeOf(() => by(owner, title, late))).toBe('membership-invalid');
  });
});

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
    const { state: after } = await by(owner, removal(bob!));
    const old = { stateHash: state.hash, epoch: 2 };
    expect(standingOf(after, { ...old, account: account(bob) })).toEqual({ view: 'old', departed: true });
    const now = { stateHash: after.hash, epoch: 3, account: account(owner) };
    expect(standingOf(after, now)).toEqual({ view: 'current', departed: false, role: 'owner' });
  });

  it('differs with everything that can differ', async () => {
    const operations: Operation[] = [
      addition(eve!),
      removal(bob!),
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
    const again = encodeEntry(content, await sign(owner!.signing.privateKey, signedContent(content)));
    expect(again).not.toEqual(entries[1]);
    expect((await apply(again, states[0])).hash).toEqual(states[1]!.hash);
  });
});

describe('1,000 members', () => {
  const ids = (count: number) => Array.from({ length: count }, () => ({ account: toBase64url(random(32)) }));

  it('fit in one entry, and not one more', async () => {
    const many = ids(999);
    const { state: empty, entry: beginning } = await someGroup(owner!);
    const { entry, state: full } = await by(owner, addition(...many), empty);
    expect(entry.length).toBeLessThan(33_000);
    expect(await applyEntries({ state: undefined, entries: [beginning, entry], devices })).toEqual(full);
    expect(full.members).toHaveLength(1_000);
    expect(await codeOf(() => by(owner, addition(eve!), full))).toBe('membership-invalid');
    expect(await codeOf(() => by(owner, addition(...ids(1_000)), empty))).toBe('membership-invalid');
    const content = encodeContent({
      group: empty.group,
      epoch: 1,
      previous: empty.head,
      createdAt: NOW,
      actor: owner!,
      operation: addition(...ids(1_001)),
    });
    const tooMany = encodeEntry(content, await sign(owner!.signing.privateKey, signedContent(content)));
    expect(await refused(tooMany, empty)).toBe('membership-invalid');
    const { state: fewer } = await by(owner, removal(...many.slice(0, 500)), full);
    expect(fewer.members).toHaveLength(500);
    expect(() => checkRoster(full, rosterOf(full))).not.toThrow();
  });

  it('come and go one by one in bearable time', async () => {
    let { state: at } = await someGroup(owner!);
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
