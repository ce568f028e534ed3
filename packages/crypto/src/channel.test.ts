import { beforeAll, describe, expect, it } from 'vitest';
import { concat, lp, toBase64url, u32, u8, utf8, type Bytes } from './bytes.ts';
import { KIND_GROUP_MESSAGE, openEntry, openPost, sealEntry, sealPost } from './channel-seal.ts';
import {
  acceptGroupKeys,
  checkInForce,
  createGroupKey,
  groupOfKeys,
  handOverEarlierKeys,
  handOverGroupKeys,
  type GroupKey,
  type GroupKeys,
} from './channel.ts';
import { act, addition, carried, codeOf, people, removal, someGroup, type Person } from './group-suite.ts';
import { gcm } from './group-message.ts';
import { generateCarrier } from './group-carrier.ts';
import { groupBytes, type Operation } from './membership-operation.ts';
import type { GroupState } from './membership-state.ts';
import { groupOfSenderKey } from './sender-key-receive.ts';
import { createSenderKey, handOverSenderKey } from './sender-key.ts';
import { flipped, random, unchanged } from './test-support.ts';

let [alice, bob]: Person[] = [];
let group: string;
let keys: GroupKeys;
let state: GroupState;
let entry: Bytes;

beforeAll(async () => {
  [alice, bob] = await people(2);
  ({ group, keys, state, entry } = await someGroup(alice!));
});

const post = (body = utf8('body')) => sealPost({ keys, state, kind: KIND_GROUP_MESSAGE, body });
const open = (sealed: Uint8Array, channels: readonly GroupKey[] = [keys.channel]) =>
  openPost(channels, sealed);

describe('a post', () => {
  it('opens for who has the channel key, and says under which epoch it was sealed', async () => {
    for (const body of [new Uint8Array(0), utf8('body'), random(40_000)]) {
      expect(await open(await post(body))).toEqual({ epoch: 0, kind: KIND_GROUP_MESSAGE, body });
    }
  });

  it('shows version, epoch, the id of the key, and one of few lengths', async () => {
    const [one, other] = await Promise.all([post(), post(utf8('another text'))]);
    expect(one.slice(0, 37)).toEqual(concat(u8(1), u32(0), keys.channel.id));
    expect(one.length).toBe(other.length);
    expect(one.length).toBe(1 + 4 + 32 + 12 + 1_024 + 16);
    expect(one.slice(37, 49)).not.toEqual(other.slice(37, 49));
  });

  it('does not open with a byte changed, cut, or with more behind it', async () => {
    const sealed = await post();
    for (let at = 0; at < sealed.length; at += 1) {
      const code = at === 0 ? 'unsupported' : at >= 5 && at < 37 ? 'channel-key-unknown' : 'cannot-open';
      expect(await codeOf(() => open(flipped(sealed, at))), `byte ${at}`).toBe(code);
      expect(await codeOf(() => open(sealed.slice(0, at))), `${at} bytes`).toBe('cannot-open');
    }
    expect(await codeOf(() => open(concat(sealed, u8(0))))).toBe('cannot-open');
  });

  it('does not open in another group, under another key, or under the log key', async () => {
    const sealed = await post();
    const other = await someGroup(bob!);
    expect(await codeOf(() => open(sealed, [other.keys.channel]))).toBe('channel-key-unknown');
    expect(await codeOf(() => open(sealed, [{ ...keys.channel, group: other.group }]))).toBe('cannot-open');
    expect(await codeOf(() => open(sealed, [{ ...keys.log, id: keys.channel.id }]))).toBe(
      'channel-key-unknown',
    );
    expect(await codeOf(() => open(sealed, []))).toBe('channel-key-unknown');
    expect(await open(sealed, [other.keys.channel, keys.channel])).toMatchObject({ body: utf8('body') });
  });

  it('is not sealed for another group, under another key than the one in force, or before a rekey', async () => {
    const request = { keys, state, kind: 1, body: utf8('body') };
    const other = await someGroup(bob!);
    const channel = await createGroupKey('channel', group);
    const log = await createGroupKey('log', group);
    const { state: joined } = await act(state, alice!, addition(bob!));
    const { state: left } = await act(joined, bob!, { kind: 'leave' });
    const { state: fresh } = await act(left, alice!, { kind: 'rekey', channel: channel.id });
    const wrong = [
      { ...request, keys: { ...keys, channel } },
      { ...request, keys: { ...keys, log } },
      { ...request, state: other.state },
      { ...request, keys: { ...keys, channel: { ...keys.channel, group: other.group } } },
      { ...request, state: left },
      { ...request, state: fresh },
    ];
    for (const one of wrong) expect(await codeOf(() => sealPost(one))).toBe('channel-key-due');
    const sealed = await sealPost({ ...request, state: fresh, keys: { ...keys, channel } });
    expect(await open(sealed, [channel])).toMatchObject({ epoch: fresh.epoch });
    // Who left has the old key alone.
    expect(await codeOf(() => open(sealed))).toBe('channel-key-unknown');
    expect(await codeOf(() => open(sealed, [{ ...keys.channel, id: channel.id }]))).toBe('cannot-open');
  });

  it('must 11 is refused with other padding, though it is sealed well', async () => {
    const seal = async (plaintext: Bytes) => {
      const iv = random(12);
      const { id, key } = keys.channel;
      const algorithm = gcm(iv, concat(u8(1), lp(groupBytes(group)), u32(0), id));
      const sealed = await crypto.subtle.encrypt(algorithm, key, plaintext);
      return concat(u8(1), u32(0), id, iv, new Uint8Array(sealed));
    };
    const padded = (length: number) => {
      const bytes = new Uint8Array(length);
      bytes.set(concat(u8(1), u32(3), utf8('abc')));
      return bytes;
    };
    expect(await open(await seal(padded(1_024)))).toMatchObject({ body: utf8('abc') });
    const wrong = [padded(8), padded(1_023), padded(2_048), flipped(padded(1_024), 1_000), new Uint8Array(0)];
    for (const bytes of [...wrong, concat(u8(1), u32(2 ** 32 - 1), new Uint8Array(1_019))]) {
      expect(await codeOf(async () => open(await seal(bytes)))).toBe('cannot-open');
    }
  });
});

describe('a sealed entry of the log', () => {
  it('opens with the log key, and with no other', async () => {
    const sealed = await sealEntry(keys.log, 0, entry);
    expect(await openEntry(keys.log, sealed)).toEqual({ epoch: 0, entry });
    expect(await codeOf(() => openEntry(keys.channel, sealed))).toBe('channel-key-unknown');
    expect(await codeOf(() => openEntry({ ...keys.channel, purpose: 'log', id: keys.log.id }, sealed))).toBe(
      'cannot-open',
    );
    expect(await codeOf(() => sealEntry(keys.channel, 0, entry))).toBe('channel-key-unknown');
    expect(await codeOf(() => openEntry(keys.log, flipped(sealed, 4)))).toBe('cannot-open');
  });

  it('is not a post under the log key', async () => {
    const sealed = await sealPost({ keys, state, kind: 1, body: entry });
    const asEntry = await sealPost({ keys, state, kind: 0, body: entry });
    expect(await codeOf(() => openEntry(keys.channel, asEntry))).toBe('channel-key-unknown');
    const asLog = { ...keys.channel, purpose: 'log' } as const;
    expect(await codeOf(() => openEntry(asLog, sealed))).toBe('cannot-open');
  });

  it('holds an entry with 1,000 members', async () => {
    const large = random(33_000);
    const sealed = await sealEntry(keys.log, 7, large);
    expect(await openEntry(keys.log, sealed)).toEqual({ epoch: 7, entry: large });
    expect(sealed.length).toBeLessThan(65_536);
  });
});

describe('the keys of a group', () => {
  it('are handed over whole: the newcomer posts, reads, and hands them on', async () => {
    const given = await carried(await handOverGroupKeys({ keys, state }));
    const taken = await acceptGroupKeys(given);
    expect(taken).toMatchObject({ group, epoch: 0, stateHash: state.hash });
    expect([taken.keys.channel.id, taken.keys.log.id]).toEqual([keys.channel.id, keys.log.id]);
    expect(() => checkInForce(state, taken.keys)).not.toThrow();
    expect(await open(await post(), [taken.keys.channel])).toMatchObject({ body: utf8('body') });
    const theirs = await sealPost({ keys: taken.keys, state, kind: 2, body: utf8('theirs') });
    expect(await open(theirs)).toEqual({ epoch: 0, kind: 2, body: utf8('theirs') });
    const onward = await acceptGroupKeys(await carried(await handOverGroupKeys({ keys: taken.keys, state })));
    expect(await open(await post(), [onward.keys.channel])).toMatchObject({ body: utf8('body') });
    expect(await openEntry(onward.keys.log, await sealEntry(keys.log, 0, entry))).toEqual({
      epoch: 0,
      entry,
    });
  });

  it('cannot be exported by script, and can be stored', async () => {
    for (const { key, kept } of [keys.channel, keys.log]) {
      for (const one of [key, kept.keeper]) {
        expect(one.extractable).toBe(false);
        await expect(crypto.subtle.exportKey('raw', one)).rejects.toThrow();
      }
      expect([...key.usages].sort()).toEqual(['decrypt', 'encrypt']);
      expect([...kept.keeper.usages].sort()).toEqual(['unwrapKey', 'wrapKey']);
    }
    expect(structuredClone(keys)).toEqual(keys);
  });

  it('have ids that commit to them, by purpose and group', async () => {
    const carrier = await generateCarrier();
    const other = toBase64url(random(16));
    const made = await Promise.all([
      createGroupKey('channel', group, carrier),
      createGroupKey('log', group, carrier),
      createGroupKey('channel', other, carrier),
      createGroupKey('channel', group),
    ]);
    expect(new Set(made.map(({ id }) => toBase64url(id))).size).toBe(4);
    expect((await createGroupKey('channel', group, carrier)).id).toEqual(made[0].id);
  });

  it('are refused when what is handed over was changed or cut anywhere', async () => {
    const given = await carried(await handOverGroupKeys({ keys, state }));
    const { context } = given;
    expect(groupOfKeys(context)).toBe(group);
    for (let at = 0; at < context.length; at += 1) {
      const bad = [flipped(context, at), context.slice(0, at)];
      for (const one of bad) {
        expect(await codeOf(() => acceptGroupKeys({ ...given, context: one })), `${at}`).toBe(
          'cannot-decrypt',
        );
      }
      expect(groupOfKeys(context.slice(0, at))).toBeUndefined();
    }
    expect(await codeOf(() => acceptGroupKeys({ ...given, context: concat(context, u8(0)) }))).toBe(
      'cannot-decrypt',
    );
    const key = await generateCarrier();
    expect(await codeOf(() => acceptGroupKeys({ ...given, key }))).toBe('cannot-decrypt');
  });

  it('are refused when they are not those that the ids say', async () => {
    const [channel, log] = await Promise.all([
      createGroupKey('channel', group),
      createGroupKey('log', group),
    ]);
    for (const swap of [{ channel }, { log }]) {
      const wrong = {
        channel: { ...keys.channel, ...(swap.channel && { kept: swap.channel.kept }) },
        log: { ...keys.log, ...(swap.log && { kept: swap.log.kept }) },
      };
      const given = await carried(await handOverGroupKeys({ keys: wrong, state }));
      expect(await codeOf(() => acceptGroupKeys(given))).toBe('cannot-decrypt');
    }
  });

  it('are not handed over when they are not in force', async () => {
    const channel = await createGroupKey('channel', group);
    expect(await codeOf(() => handOverGroupKeys({ keys: { ...keys, channel }, state }))).toBe(
      'channel-key-due',
    );
  });

  it('of before are handed over to who was a member while they were in force, and ever since', async () => {
    const [ann, cyd, dan, eve] = (await people(4)) as [Person, Person, Person, Person];
    const epochs: GroupState[] = [state];
    const does = async (who: Person, operation: Operation) =>
      void epochs.push((await act(epochs.at(-1)!, who, operation)).state);
    const second = await createGroupKey('channel', group);
    const third = await createGroupKey('channel', group);
    await does(alice!, addition(ann, cyd, dan));
    await does(alice!, { ...removal(dan), channel: second.id } as Operation);
    await does(alice!, addition(eve));
    await does(cyd, { kind: 'leave' });
    const left = epochs.at(-1)!;
    await does(alice!, { kind: 'rekey', channel: third.id });
    await does(alice!, addition(cyd, dan));
    const now = epochs.at(-1)!;
    const hand = (channel: GroupKey, to: Person, on = now) =>
      codeOf(() => handOverEarlierKeys({ keys: { ...keys, channel }, state: on, to: to.account }));
    const whoGets = async (channel: GroupKey, on = now) => {
      const persons = { ann, cyd, dan, eve, bob: bob! };
      const all = await Promise.all(
        Object.entries(persons).map(async ([name, one]) => [name, await hand(channel, one, on)] as const),
      );
      const others = all.filter(([, code]) => code !== 'nothing was thrown');
      expect(new Set(others.map(([, code]) => code))).toEqual(new Set(['channel-key-due']));
      return all.filter((one) => !others.includes(one)).map(([name]) => name);
    };
    expect(await whoGets(keys.channel)).toEqual(['ann']);
    expect(await whoGets(second)).toEqual(['ann', 'eve']);
    // In force, and never named.
    expect(await whoGets(third)).toEqual([]);
    expect(await whoGets(await createGroupKey('channel', group))).toEqual([]);
    // Between a leave and the next one.
    expect(await whoGets(second, left)).toEqual(['ann', 'eve']);
    expect(await codeOf(() => handOverGroupKeys({ keys: { ...keys, channel: second }, state: left }))).toBe(
      'channel-key-due',
    );
    const request = { keys: { ...keys, channel: second }, state: now, to: eve.account };
    const taken = await acceptGroupKeys(await carried(await handOverEarlierKeys(request)));
    expect(taken).toMatchObject({ group, epoch: 3, stateHash: epochs[3]!.hash });
    expect(taken.keys.channel.id).toEqual(second.id);
    const other = await createGroupKey('log', group);
    expect(
      await codeOf(() => handOverEarlierKeys({ ...request, keys: { ...request.keys, log: other } })),
    ).toBe('channel-key-due');
  });

  it('are not mistaken for a sender key, nor the other way round', async () => {
    const own = await createSenderKey({ state, owner: alice!, now: 0 });
    const sender = await handOverSenderKey({ own, state, now: 0 });
    const both = await handOverGroupKeys({ keys, state });
    expect(groupOfSenderKey(both.context)).toBeUndefined();
    expect(groupOfKeys(sender.handed.context)).toBeUndefined();
    expect(await codeOf(() => acceptGroupKeys(sender.handed))).toBe('cannot-decrypt');
  });

  it('must 4 stay as they were', async () => {
    const given = await carried(await handOverGroupKeys({ keys, state }));
    const sealed = await post();
    await unchanged([keys, state, given, sealed, entry], async () => {
      await open(sealed);
      await codeOf(() => open(flipped(sealed, 60)));
      await acceptGroupKeys(given);
      await handOverGroupKeys({ keys, state });
      await sealEntry(keys.log, 0, entry);
    });
  });
});
