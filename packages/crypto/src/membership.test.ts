import { beforeAll, describe, expect, it } from 'vitest';
import { concat, toBase64url, u16, u8, type Bytes } from './bytes.ts';
import { act, addition, codeOf, devicesOf, NOW, people, removal, type Person } from './group-suite.ts';
import { sign } from './keys.ts';
import { I, LABELS } from './labels.ts';
import {
  encodeEntry,
  POLICY,
  readEntry,
  signedContent,
  sortAccounts,
  type Entry,
  type Operation,
} from './membership-operation.ts';
import { roleOf, type GroupState } from './membership-state.ts';
import { forgeEntry, smallGroup } from './membership-suite.ts';
import { applyEntries, applyEntry, createGroup, type DeviceKeys } from './membership.ts';
import { flipped, random, unchanged } from './test-support.ts';

let owner: Person, admin: Person, bob: Person, carol: Person, eve: Person;
let devices: DeviceKeys;
let entries: Bytes[];
let states: GroupState[];
let state: GroupState;
beforeAll(async () => {
  ({ owner, admin, bob, carol, eve, devices, entries, states, state } = await smallGroup());
});

const by = (who: Person, operation: Operation, on = state) => act(on, who, operation);
const apply = (entry: Bytes, on: GroupState | null = state) =>
  applyEntry({ state: on ?? undefined, entry, devices });
const refused = (entry: Bytes, on: GroupState | null = state) => codeOf(() => apply(entry, on));
const forge = (who: Person, change: Partial<Entry>, on = state) => forgeEntry(who, on, change);
const account = (who: Person) => who.account;

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
    const request = { actor: owner, signing: owner.signing.privateKey, createdAt: NOW };
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
    const go = async (who: Person, operation: Operation) => {
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
    await go(bob, addition(eve));
    await go(bob, { kind: 'field', field: 'picture', value: random(3) });
    await go(carol, { kind: 'leave' });
    expect(at).toMatchObject({ rekeyDue: true, lastDeparture: at.epoch });
    const { channel } = at;
    await go(bob, { kind: 'rekey', channel: random(32) });
    expect(at.rekeyDue).toBe(false);
    expect(at.lastDeparture).toBe(at.epoch - 1);
    expect(at.channel).not.toEqual(channel);
    await go(admin, removal(eve, bob));
    expect(at.lastDeparture).toBe(at.epoch);
    await go(owner, { kind: 'role', account: account(admin), role: 'owner' });
    await go(owner, { kind: 'leave' });
    expect(at.members).toEqual([{ account: account(admin), role: 'owner' }]);
    await go(admin, { kind: 'leave' });
    expect(at.members).toEqual([]);
  });

  it('leaves what it is given alone, also when it refuses', async () => {
    await unchanged([state, entries], async () => {
      const { entry } = await by(owner, addition(eve));
      await apply(entry);
      await refused(flipped(entry, 40));
      await by(owner, addition(bob)).catch(() => {});
    });
  });

  it('can be stored and read back', async () => {
    expect(structuredClone(state)).toEqual(state);
  });
});

describe('A2 refused as an entry', () => {
  it('anything with a byte changed, cut, or with more behind it', async () => {
    const { entry } = await by(owner, removal(bob, carol));
    for (let at = 0; at < entry.length; at += 1) {
      expect(await refused(flipped(entry, at)), `byte ${at}`).toBe('membership-invalid');
      expect(await refused(entry.slice(0, at)), `${at} bytes`).toBe('membership-invalid');
    }
    expect(await refused(concat(entry, u8(0)))).toBe('membership-invalid');
    await expect(apply(entry)).resolves.toBeDefined();
  });

  it('one that is unsigned, signed by another, or by a device that is on no chain', async () => {
    const { entry } = await by(owner, addition(eve));
    const { content } = readEntry(entry);
    const unsigned = encodeEntry(content, new Uint8Array(64));
    const byEve = encodeEntry(content, await sign(eve.signing.privateKey, signedContent(content)));
    const [stranger] = await people(1);
    const unknown = await forge({ ...owner, device: stranger!.device }, { operation: addition(eve) });
    for (const bad of [unsigned, byEve, unknown]) expect(await refused(bad)).toBe('membership-invalid');
  });

  it('A8 one that was signed under any other label, or under none', async () => {
    const { content } = readEntry((await by(owner, addition(eve))).entry);
    for (const label of LABELS) {
      const entry = encodeEntry(content, await sign(owner.signing.privateKey, I(label, content)));
      expect(await refused(entry), label).toBe(
        label === 'membership' ? 'nothing was thrown' : 'membership-invalid',
      );
    }
    expect(await refused(encodeEntry(content, await sign(owner.signing.privateKey, content)))).toBe(
      'membership-invalid',
    );
  });

  it('one of another group', async () => {
    const entry = await forge(owner, { group: toBase64url(random(16)), operation: addition(eve) });
    expect(await refused(entry)).toBe('membership-invalid');
  });

  it('well signed content that is not what it should be', async () => {
    const { content } = readEntry((await by(owner, removal(bob, carol))).entry);
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
      encodeEntry(bytes, await sign(owner.signing.privateKey, signedContent(bytes)));
    await expect(apply(await resign(content))).resolves.toBeDefined();
    for (const [what, bytes] of Object.entries(wrong)) {
      expect(await refused(await resign(bytes)), what).toBe('membership-invalid');
    }
    const role = readEntry(
      await forge(owner, { operation: { kind: 'role', account: account(bob), role: 'admin' } }),
    ).content;
    expect(await refused(await resign(concat(role.slice(0, -1), u8(3))))).toBe('membership-invalid');
    const field = readEntry(
      await forge(owner, { operation: { kind: 'field', field: 'title', value: u8(1) } }),
    ).content;
    expect(await refused(await resign(concat(field.slice(0, -4), u8(4), field.slice(-3))))).toBe(
      'membership-invalid',
    );
  });

  it('a beginning that is none: another operation, epoch or predecessor', async () => {
    const create: Operation = { kind: 'create', channel: random(32), log: random(32) };
    const zero = { epoch: 0, previous: new Uint8Array(32) };
    expect(await refused(await forge(eve, { ...zero, operation: create }), null)).toBe('nothing was thrown');
    const wrong: Partial<Entry>[] = [
      { ...zero, operation: addition(eve) },
      { ...zero, epoch: 1, operation: create },
      { ...zero, previous: random(32), operation: create },
    ];
    for (const one of wrong) {
      const entry = await forge(eve, one);
      expect(await refused(entry, null)).toBe('membership-invalid');
    }
    expect(await codeOf(() => applyEntries({ state: undefined, entries: [], devices }))).toBe(
      'membership-invalid',
    );
    expect(await refused(await forge(owner, { operation: create }))).toBe('membership-invalid');
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
    const one = await by(owner, addition(eve));
    const other = await by(admin, removal(bob));
    expect(await refused(other.entry, await apply(one.entry))).toBe('group-fork');
    const old = await by(owner, addition(eve), states[0]);
    expect(await refused(old.entry)).toBe('group-fork');
    const create: Partial<Entry> = { epoch: 0, previous: new Uint8Array(32) };
    const operation: Operation = { kind: 'create', channel: random(32), log: random(32) };
    expect(await refused(await forge(owner, { ...create, operation }))).toBe('group-fork');
  });

  it('an entry that follows another history stops the group', async () => {
    const elsewhere = await by(owner, { kind: 'role', account: account(bob), role: 'admin' }, states[1]);
    const there = await by(owner, addition(eve), elsewhere.state);
    expect(await refused(there.entry)).toBe('group-fork');
  });

  it('an entry that was refused is evidence of nothing: it is proposed again and applies', async () => {
    const loser = await by(admin, addition(eve));
    const winner = await by(owner, { kind: 'policy', policy: POLICY.adminsPost });
    const after = await apply(winner.entry);
    const again = await by(admin, addition(eve), after);
    expect(roleOf(await apply(again.entry, after), account(eve))).toBe('member');
    expect(loser.state.epoch).toBe(winner.state.epoch);
    // Nor is one for a passed epoch that nobody signed.
    const { content } = readEntry(loser.entry);
    expect(await refused(encodeEntry(content, new Uint8Array(64)), after)).toBe('membership-invalid');
  });

  it('a device that was revoked since still stands for what it signed', async () => {
    const without = devicesOf([admin, bob, carol, eve]);
    const { entry } = await by(owner, addition(eve));
    expect(await codeOf(() => applyEntry({ state, entry, devices: without }))).toBe('membership-invalid');
    expect((await applyEntries({ state: undefined, entries, devices })).epoch).toBe(2);
  });

  it('an entry that is vouched for needs no key of its actor, and is held to all the rest', async () => {
    const without = devicesOf([admin, bob, carol, eve]);
    const vouch = (entry: Bytes, by = without) => applyEntry({ state, entry, devices: by, vouched: true });
    const { entry, state: after } = await by(owner, addition(eve));
    const { content } = readEntry(entry);
    const unsigned = encodeEntry(content, new Uint8Array(64));
    expect(await vouch(unsigned)).toEqual(after);
    expect(await codeOf(() => vouch(unsigned, devices))).toBe('membership-invalid');
    const wrong: [Person, Partial<Entry>, string][] = [
      [owner, { previous: random(32), operation: addition(eve) }, 'group-fork'],
      [owner, { epoch: 9, operation: addition(eve) }, 'membership-gap'],
      [owner, { group: toBase64url(random(16)), operation: addition(eve) }, 'membership-invalid'],
      [owner, { operation: addition(bob) }, 'membership-invalid'],
      [{ ...eve, device: owner.device }, { operation: { kind: 'policy', policy: 1 } }, 'membership-invalid'],
    ];
    for (const [who, change, code] of wrong) {
      const one = await forge(who, change);
      expect(await codeOf(() => vouch(one))).toBe(code);
    }
  });
});
