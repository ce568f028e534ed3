import { beforeAll, describe, expect, it } from 'vitest';
import { u8, type Bytes } from './bytes.ts';
import { act, addition, codeOf, removal, type Person } from './group-suite.ts';
import {
  MAX_FIELD_BYTES,
  MAX_OPERATIONS,
  POLICY,
  type Entry,
  type Operation,
  type Role,
} from './membership-operation.ts';
import type { GroupState } from './membership-state.ts';
import { forgeEntry, smallGroup } from './membership-suite.ts';
import { applyEntry, type DeviceKeys } from './membership.ts';
import { random } from './test-support.ts';

let owner: Person, admin: Person, bob: Person, carol: Person, eve: Person;
let devices: DeviceKeys;
let state: GroupState;
beforeAll(async () => {
  ({ owner, admin, bob, carol, eve, devices, state } = await smallGroup());
});

const by = (who: Person, operation: Operation, on = state) => act(on, who, operation);
const apply = (entry: Bytes, on: GroupState | null = state) =>
  applyEntry({ state: on ?? undefined, entry, devices });
const refused = (entry: Bytes, on: GroupState | null = state) => codeOf(() => apply(entry, on));
const forge = (who: Person, change: Partial<Entry>, on = state) => forgeEntry(who, on, change);
const account = (who: Person) => who.account;

describe('A2 roles: what an actor may not do is refused', () => {
  const role = (who: Person, to: Role): Operation => ({
    kind: 'role',
    account: account(who),
    role: to,
  });
  const title: Operation = { kind: 'field', field: 'title', value: u8(1) };
  const settings: Operation = { kind: 'field', field: 'settings', value: u8(1) };
  const bits = (policy: number): Operation => ({ kind: 'policy', policy });

  /** By name: who does what, and whether it is allowed to. */
  const cases = (): [string, Person, Operation, boolean][] => [
    ['an outsider adds itself', eve, addition(eve), false],
    ['an outsider leaves', eve, { kind: 'leave' }, false],
    ['an outsider makes a key', eve, { kind: 'rekey', channel: random(32) }, false],
    ['a member adds', bob, addition(eve), false],
    ['an admin adds', admin, addition(eve), true],
    ['an owner adds', owner, addition(eve), true],
    ['somebody is added twice', owner, addition(bob, eve), false],
    ['a member removes', bob, removal(carol), false],
    ['an admin removes a member', admin, removal(carol), true],
    ['an admin removes an owner', admin, removal(owner), false],
    ['an owner removes an admin', owner, removal(admin), true],
    ['an owner removes itself', owner, removal(owner), false],
    ['an admin removes itself', admin, removal(admin), false],
    ['somebody is removed who is not there', owner, removal(eve), false],
    [
      'a removal keeps the channel key',
      owner,
      { ...removal(bob), channel: state.channel } as Operation,
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
      expect(await refused(await forge(who, { operation })), `${what}, read`).toBe(expected);
    }
  });

  it('and what the policy lets members do, it lets them do alone', async () => {
    const open = (await by(owner, bits(POLICY.membersAdd | POLICY.membersEdit))).state;
    expect(await codeOf(() => by(bob, addition(eve), open))).toBe('nothing was thrown');
    expect(await codeOf(() => by(bob, title, open))).toBe('nothing was thrown');
    for (const operation of [settings, removal(carol), bits(0), role(bob, 'admin')]) {
      expect(await codeOf(() => by(bob, operation, open))).toBe('membership-invalid');
    }
  });

  it('and two owners: one may remove the other, either may leave, not both', async () => {
    const two = (await by(owner, role(admin, 'owner'))).state;
    expect(await codeOf(() => by(admin, removal(owner), two))).toBe('nothing was thrown');
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
    expect(await codeOf(() => by(bob, removal(admin), three))).toBe('membership-invalid');
  });

  it('and a removed member is nobody', async () => {
    const without = (await by(owner, removal(bob))).state;
    expect(await refused(await forge(bob, { operation: { kind: 'leave' } }, without), without)).toBe(
      'membership-invalid',
    );
  });

  it('and no more entries than are bounded', async () => {
    const late = { ...state, epoch: MAX_OPERATIONS - 1 };
    expect(await codeOf(() => by(owner, title, late))).toBe('membership-invalid');
  });
});
