import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toBase64url, utf8, type Bytes } from './bytes.ts';
import { KIND_GROUP_MESSAGE, openPost, sealPost } from './channel-seal.ts';
import { createGroupKey } from './channel.ts';
import {
  act,
  addition,
  carried,
  codeOf,
  devicesOf,
  NOW,
  people,
  removal,
  someGroup,
  type Person,
} from './group-suite.ts';
import { readGroupMessage } from './group-message.ts';
import { sign } from './keys.ts';
import {
  encodeContent,
  encodeEntry,
  ROLES,
  signedContent,
  type Entry,
  type Operation,
} from './membership-operation.ts';
import { checkRoster, roleOf, rosterOf, type GroupState } from './membership-state.ts';
import { applyEntries, applyEntry } from './membership.ts';
import { acceptSenderKey, decryptGroupMessage, type SenderKeys } from './sender-key-receive.ts';
import {
  createSenderKey,
  encryptGroupMessage,
  handOverSenderKey,
  isSenderKeyDue,
  type SenderKey,
} from './sender-key.ts';
import { random } from './test-support.ts';

/** `SCHEDULES` of each kind, and the `SEED` to repeat: `npm run soak` sets them. */
const { SCHEDULES = '0', SEED } = globalThis.process?.env ?? {};
const LONG = Number(SCHEDULES);
const runs = (count: number) => ({
  numRuns: LONG || count,
  ...(SEED !== undefined && { seed: Number(SEED) }),
});
const LIMIT = { timeout: LONG > 0 ? 0 : 120_000 };

const PEOPLE = 6;
const who = fc.nat(PEOPLE - 1);
const whos = fc.uniqueArray(who, { minLength: 1, maxLength: 3 });

interface Step {
  actor: number;
  kind: Operation['kind'];
  targets: number[];
  role: number;
  policy: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  actor: who,
  kind: fc.constantFrom('add', 'remove', 'leave', 'role', 'field', 'policy', 'rekey'),
  targets: whos,
  role: fc.nat(2),
  policy: fc.nat(17),
});

const operationOf = (persons: readonly Person[], { kind, targets, role, policy }: Step): Operation => {
  const chosen = targets.map((i) => persons[i]!);
  switch (kind) {
    case 'add':
      return addition(...chosen);
    case 'remove':
      return removal(...chosen);
    case 'role':
      return { kind, account: chosen[0]!.account, role: ROLES[role]! };
    case 'field':
      return { kind, field: role === 0 ? 'settings' : 'title', value: random(policy) };
    case 'policy':
      return { kind, policy };
    case 'rekey':
      return { kind, channel: random(32) };
    default:
      return { kind: 'leave' };
  }
};

/** The rules once more, in other words than the code's: what each may do, as a table of who is what. */
const mayDo = (state: GroupState, actor: Person, operation: Operation): boolean => {
  const role = roleOf(state, actor.account);
  const owners = state.members.filter((member) => member.role === 'owner').map(({ account }) => account);
  const loses = (account: string) => owners.length === 1 && owners[0] === account;
  if (!role) return false;
  const isManager = role === 'owner' || role === 'admin';
  switch (operation.kind) {
    case 'add':
      return (
        (isManager || state.policy % 2 === 1) &&
        operation.accounts.every((account) => roleOf(state, account) === undefined)
      );
    case 'remove':
      return operation.accounts.every((account) => {
        const target = roleOf(state, account);
        if (!target || account === actor.account) return false;
        return role === 'owner' || (role === 'admin' && target === 'member');
      });
    case 'leave':
      return !loses(actor.account) || state.members.length === 1;
    case 'role': {
      const target = roleOf(state, operation.account);
      if (!target || target === operation.role || loses(operation.account)) return false;
      return (
        role === 'owner' ||
        (role === 'admin' && operation.account === actor.account && operation.role === 'member')
      );
    }
    case 'field':
      return isManager || (operation.field !== 'settings' && (state.policy & 2) !== 0);
    case 'policy':
      return isManager && operation.policy < 16;
    case 'rekey':
      return true;
    case 'create':
      return false;
  }
};

const forge = async (state: GroupState, actor: Person, operation: Operation): Promise<Bytes> => {
  const { group, epoch, head } = state;
  const entry: Entry = { group, epoch: epoch + 1, previous: head, createdAt: NOW, actor, operation };
  const content = encodeContent(entry);
  return encodeEntry(content, await sign(actor.signing.privateKey, signedContent(content)));
};

describe('A2 random operations by random actors', LIMIT, () => {
  it('apply when they are allowed, never otherwise, and add up to one state however they are delivered', async () => {
    const persons = await people(PEOPLE);
    const devices = devicesOf(persons);
    const batches = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 10 });
    const property = fc.asyncProperty(fc.array(step, { maxLength: 25 }), batches, async (steps, sizes) => {
      const made = await someGroup(persons[0]!);
      const log = [made.entry];
      let { state } = made;
      for (const one of steps) {
        const actor = persons[one.actor]!;
        const operation = operationOf(persons, one);
        const entry = await forge(state, actor, operation);
        const code = await codeOf(() => applyEntry({ state, entry, devices }));
        expect(code).toBe(mayDo(state, actor, operation) ? 'nothing was thrown' : 'membership-invalid');
        if (code !== 'nothing was thrown') continue;
        state = await applyEntry({ state, entry, devices });
        log.push(entry);
        expect(state.members.length === 0 || state.members.some(({ role }) => role === 'owner')).toBe(true);
      }
      let replica: GroupState | undefined;
      for (let at = 0, turn = 0; at < log.length; turn += 1) {
        const size = sizes[turn % sizes.length]!;
        // Each batch repeats what came before it.
        const entries = log.slice(Math.max(0, at - size), at + size);
        replica = await applyEntries({ state: replica, entries, devices });
        at += size;
      }
      expect(replica).toEqual(state);
      expect(await applyEntries({ state: undefined, entries: log, devices })).toEqual(state);
      expect(() => checkRoster(state, rosterOf(state))).not.toThrow();
    });
    await fc.assert(property, runs(40));
  });

  it('A2 a fork at any place is detected by whoever saw the other side', async () => {
    const persons = await people(PEOPLE);
    const devices = devicesOf(persons);
    const property = fc.asyncProperty(fc.integer({ min: 1, max: 8 }), fc.nat(), async (length, at) => {
      const { entry, state } = await someGroup(persons[0]!);
      const log = [entry];
      const states = [state];
      for (let i = 0; i < length; i += 1) {
        const made = await act(states[i]!, persons[0]!, { kind: 'field', field: 'title', value: random(8) });
        log.push(made.entry);
        states.push(made.state);
      }
      const place = at % length;
      const other = await act(states[place]!, persons[0]!, addition(persons[1]!));
      const request = { state: states.at(-1), devices };
      expect(await codeOf(() => applyEntry({ ...request, entry: other.entry }))).toBe('group-fork');
      const further = await act(other.state, persons[0]!, { kind: 'policy', policy: 1 });
      // Whoever saw the other side has come to epoch place + 2. What is further ahead asks for what lies between.
      for (const [i, one] of log.slice(place + 1).entries()) {
        const code = await codeOf(() => applyEntry({ state: further.state, entry: one, devices }));
        expect(code).toBe(i < 3 ? 'group-fork' : 'membership-gap');
      }
      expect(other.state.hash).not.toEqual(states[place + 1]!.hash);
    });
    await fc.assert(property, runs(15));
  });
});

describe('must 6 messages under loss, reordering and repetition', LIMIT, () => {
  it('are each opened once, or reported', async () => {
    const [alice] = await people(1);
    const { state } = await someGroup(alice!);
    const events = fc.array(
      fc.oneof(
        { weight: 5, arbitrary: fc.record({ kind: fc.constant('send' as const), drop: fc.boolean() }) },
        { weight: 6, arbitrary: fc.record({ kind: fc.constant('deliver' as const), at: fc.nat() }) },
        { weight: 2, arbitrary: fc.record({ kind: fc.constant('repeat' as const), at: fc.nat() }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('hand over' as const), drop: fc.boolean() }) },
        { weight: 1, arbitrary: fc.record({ kind: fc.constant('rotate' as const) }) },
      ),
      { maxLength: 60 },
    );
    const property = fc.asyncProperty(events, async (schedule) => {
      const request = { state, now: NOW };
      let keys: SenderKeys | undefined;
      let own: SenderKey;
      let rotations = -1;
      const hand = async (from: SenderKey) => {
        const made = await handOverSenderKey({ ...request, own: from });
        own = made.own;
        const { group } = state;
        const handed = await carried(made.handed);
        keys = await acceptSenderKey({ state: keys, group, from: alice!, handed, now: NOW });
      };
      const rotate = async () => {
        rotations += 1;
        await hand(await createSenderKey({ ...request, owner: alice! }));
      };
      await rotate();
      const waiting: { text: string; message: Bytes; rotation: number }[] = [];
      const seen: typeof waiting = [];
      const shown: string[] = [];
      let sent = 0;
      const deliver = async (one: (typeof waiting)[number]) => {
        const message = readGroupMessage(one.message);
        const lost = rotations - one.rotation > 5;
        const work = () => decryptGroupMessage({ keys, state, epoch: 0, message, now: NOW });
        if (lost) return expect(await codeOf(work)).toBe('sender-key-unknown');
        const result = await work();
        if (seen.includes(one)) return expect(result).toEqual({ outcome: 'duplicate' });
        if (result.outcome !== 'message') throw new Error(result.outcome);
        keys = result.state;
        shown.push(new TextDecoder().decode(result.content));
        return expect(shown.at(-1)).toBe(one.text);
      };
      for (const event of schedule) {
        if (event.kind === 'send') {
          const text = `message ${(sent += 1)}`;
          const made = await encryptGroupMessage({ ...request, own: own!, content: utf8(text) });
          own = made.own;
          if (!event.drop) waiting.push({ text, message: made.message, rotation: rotations });
        } else if (event.kind === 'deliver' && waiting.length > 0) {
          const [one] = waiting.splice(event.at % waiting.length, 1);
          await deliver(one!);
          seen.push(one!);
        } else if (event.kind === 'repeat' && seen.length > 0) {
          await deliver(seen[event.at % seen.length]!);
        } else if (event.kind === 'hand over') {
          if (event.drop) ({ own } = await handOverSenderKey({ ...request, own: own! }));
          else await hand(own!);
        } else if (event.kind === 'rotate') {
          await rotate();
        }
      }
      expect(new Set(shown).size).toBe(shown.length);
    });
    await fc.assert(property, runs(40));
  });
});

/** What one person has of the group. */
interface Replica {
  person: Person;
  state: GroupState;
  own?: SenderKey;
  from: Map<string, SenderKeys>;
}

describe('A3 members who come and go', LIMIT, () => {
  it('read everything that is sent while they are members, and nothing that was not meant for them', async () => {
    const persons = await people(5);
    const devices = devicesOf(persons);
    const events = fc.array(fc.record({ who: fc.nat(4), kind: fc.nat(3) }), { minLength: 5, maxLength: 30 });
    const property = fc.asyncProperty(events, async (schedule) => {
      const made = await someGroup(persons[0]!);
      let { state, keys } = made;
      const replicas = new Map<string, Replica>();
      const enter = (person: Person) => replicas.set(person.account, { person, state, from: new Map() });
      enter(persons[0]!);
      /** What somebody had when they were removed. */
      const removed: Replica[] = [];
      const change = async (operation: Operation) => {
        const { entry } = await act(state, persons[0]!, operation);
        state = await applyEntry({ state, entry, devices });
        for (const replica of replicas.values()) {
          replica.state = await applyEntry({ state: replica.state, entry, devices });
        }
      };
      const handTo = async (from: Replica, to: readonly Replica[]) => {
        const given = await handOverSenderKey({ own: from.own!, state: from.state, now: NOW });
        from.own = given.own;
        const handed = await carried(given.handed);
        for (const one of to) {
          const { account } = from.person;
          const held = one.from.get(account);
          const request = { group: state.group, from: from.person, handed, now: NOW };
          one.from.set(account, await acceptSenderKey({ ...request, state: held }));
        }
      };
      for (const event of schedule) {
        const person = persons[event.who]!;
        const replica = replicas.get(person.account);
        if (event.kind === 0 && !replica) {
          await change(addition(person));
          enter(person);
          const newcomer = replicas.get(person.account)!;
          for (const one of replicas.values()) {
            const ready = one.own && !isSenderKeyDue(one.own, state, NOW);
            if (ready) await handTo(one, [newcomer]);
          }
        } else if (event.kind === 1 && replica && event.who !== 0) {
          const channel = await createGroupKey('channel', state.group);
          await change({ kind: 'remove', accounts: [person.account], channel: channel.id });
          replicas.delete(person.account);
          removed.push(replica);
          keys = { log: made.keys.log, channel };
        } else if (event.kind > 1 && replica) {
          if (!replica.own || isSenderKeyDue(replica.own, state, NOW)) {
            replica.own = await createSenderKey({ state, owner: person, now: NOW });
            await handTo(replica, [...replicas.values()]);
          }
          const content = random(8);
          const sent = await encryptGroupMessage({ own: replica.own, state, content, now: NOW });
          replica.own = sent.own;
          const body = sent.message;
          const post = await sealPost({ keys, state, kind: KIND_GROUP_MESSAGE, body });
          const opened = await openPost([keys.channel], post);
          const message = readGroupMessage(opened.body);
          const read = (by: Replica, under: GroupState) => {
            const held = by.from.get(person.account);
            return decryptGroupMessage({ keys: held, state: under, epoch: opened.epoch, message, now: NOW });
          };
          for (const by of replicas.values()) {
            const result = await read(by, by.state);
            expect(result).toMatchObject({ outcome: 'message', content, standing: { view: 'current' } });
            if (result.outcome === 'message') by.from.set(person.account, result.state);
          }
          for (const by of removed) expect(await codeOf(() => read(by, state))).toBe('sender-key-unknown');
        }
      }
      const hashes = [...replicas.values()].map((one) => toBase64url(one.state.hash));
      expect(new Set([...hashes, toBase64url(state.hash)]).size).toBe(1);
    });
    await fc.assert(property, runs(20));
  });
});

describe('1,000 members', () => {
  it('get one ciphertext and one post; a rotation is one hand-over, wrapped for each', async () => {
    const [alice] = await people(1);
    const made = await someGroup(alice!);
    const others = Array.from({ length: 999 }, () => ({ account: toBase64url(random(32)) }));
    const { state } = await act(made.state, alice!, addition(...others));
    const own = await createSenderKey({ state, owner: alice!, now: NOW });
    const given = await handOverSenderKey({ own, state, now: NOW });
    const handed = await carried(given.handed);
    const sent = await encryptGroupMessage({ own: given.own, state, content: utf8('to all'), now: NOW });
    const body = sent.message;
    const post = await sealPost({ keys: made.keys, state, kind: KIND_GROUP_MESSAGE, body });
    expect(post.length).toBe(1_089);
    const message = readGroupMessage((await openPost([made.keys.channel], post)).body);
    for (let i = 0; i < 999; i += 1) {
      const request = { group: state.group, from: alice!, handed, now: NOW };
      const keys = await acceptSenderKey({ ...request, state: undefined });
      const result = await decryptGroupMessage({ keys, state, epoch: 1, message, now: NOW });
      expect(result.outcome === 'message' && result.content).toEqual(utf8('to all'));
    }
  }, 60_000);
});
