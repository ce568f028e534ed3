import type { Content, GroupContent } from '@sotto/contract/content';
import { toBase64url, utf8 } from '@sotto/crypto/bytes';
import { createGroupKey, type GroupKey, handOverGroupKeys } from '@sotto/crypto/channel';
import { sealField } from '@sotto/crypto/group-field';
import * as suite from '@sotto/crypto/group-suite';
import { createGroup, propose } from '@sotto/crypto/membership';
import type { GroupState } from '@sotto/crypto/membership-state';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { createSenderKey, handOverSenderKey } from '@sotto/crypto/sender-key';
import { emptyPeer } from '@sotto/crypto/session-state';
import { generateSigningKey } from '@sotto/crypto/keys';
import { isCensor, isWriter } from '@sotto/engine/groups/rights';
import { withTexts } from '@sotto/engine/groups/group-rows';
import { EARLY_KEYS, takeHanded } from '@sotto/engine/groups/hand-over';
import { settleTold, takeTold } from '@sotto/engine/groups/told';
import { heldOf } from '@sotto/engine/groups/waiting';
import type { GroupRow, SelfRow } from '@sotto/engine/rows';
import { apply } from '@sotto/engine/inbox/apply';
import type { Known } from '@sotto/engine/inbox/decrypt';
import { openModel } from '@sotto/engine/model';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { describe, expect, it } from 'vitest';

const ME = 'm'.repeat(43);
const ANN = 'a'.repeat(43);
const BOB = 'b'.repeat(43);
const GROUP = 'GGGGGGGGGGGGGGGGGGGGGA';
const [OF_ANN, MINE] = ['AAAAAAAAAAAAAAAAAAAAAA', 'BBBBBBBBBBBBBBBBBBBBBA'];

/** What stands in the group after somebody said something in it, or to this account alone. */
const after = async (
  content: Content,
  from: string,
  { conversation = GROUP, deletesAll = false }: { conversation?: string; deletesAll?: boolean } = {},
) => {
  const store = createMemoryDisk().open();
  const model = await openModel(store);
  const group = { title: '', members: 3, policy: 0, role: 'member' as const, others: [ANN, BOB] };
  const message = (id: string, by: string) => ({
    conversation: GROUP,
    id,
    order: 1,
    from: by,
    device: 'd',
    sentAt: 1,
    at: 1,
    status: 'sent' as const,
    text: id,
    ...(by === ME && { to: [ANN, BOB] }),
  });
  await model.change((draft) => {
    draft.put(
      'self',
      { key: 'self', account: ME, device: 'mine', name: 'Me', devices: [] } as never as SelfRow,
      'self',
    );
    draft.put('conversation', { id: GROUP, createdAt: 0, unread: 0, floors: {}, group }, GROUP);
    draft.put('message', message(OF_ANN, ANN), [GROUP, OF_ANN]);
    draft.put('message', message(MINE, ME), [GROUP, MINE]);
  });
  await model.change((draft) =>
    apply(draft, content as Known, {
      from: { account: from, device: 'theirs' },
      conversation,
      at: 2,
      now: 100,
      me: ME,
      request: false,
      ...(deletesAll && { deletesAll: true }),
    }),
  );
  return {
    ann: (await store.get('message', [GROUP, OF_ANN]))!,
    mine: (await store.get('message', [GROUP, MINE]))!,
    contact: await store.get('contact', from),
  };
};

describe('what a member says of messages', () => {
  const deletion = { kind: 'delete', messages: [{ author: ANN, id: OF_ANN }], sentAt: 5 } as Content;

  it('A13 takes back those of others only as an admin where the group lets them', async () => {
    expect((await after(deletion, BOB)).ann.deleted).toBeUndefined();
    expect((await after(deletion, BOB, { deletesAll: true })).ann.deleted).toEqual({ by: BOB, sentAt: 5 });
    expect((await after(deletion, ANN)).ann.deleted).toEqual({ by: ANN, sentAt: 5 });
    const edit = { kind: 'edit', message: OF_ANN, sentAt: 5, text: 'not hers' } as Content;
    expect((await after(edit, BOB, { deletesAll: true })).ann.text).toBe(OF_ANN);
  });

  it('how far they came is said to the author alone, and counts when all have said it', async () => {
    const receipt = { kind: 'receipt', status: 'read', messages: [MINE], group: GROUP } as Content;
    const { mine } = await after(receipt, BOB, { conversation: BOB });
    expect(mine).toMatchObject({ status: 'sent', reached: { [BOB]: { theirs: 'read' } } });
    const { mine: elsewhere } = await after({ ...receipt, group: undefined } as Content, BOB, {
      conversation: BOB,
    });
    expect(elsewhere.reached).toBeUndefined();
  });
});

describe('who takes back what others wrote, and who alone writes', () => {
  it('is said by the state that it was sent under, whenever it is read', () => {
    const rights = [
      { epoch: 2, censors: [ANN] },
      { epoch: 5, censors: [ANN, BOB], writers: [ANN, BOB] },
      { epoch: 7, censors: [], writers: [ANN] },
      { epoch: 8, censors: [] },
    ];
    const row = { rights } as unknown as GroupRow;
    const at = (account: string, may = isCensor) =>
      [1, 2, 4, 5, 6, 7, 8].filter((epoch) => may(row, { account, epoch }));
    expect(at(ANN)).toEqual([2, 4, 5, 6]);
    expect(at(BOB)).toEqual([5, 6]);
    expect(at(ME)).toEqual([]);
    expect(at(ANN, isWriter)).toEqual([1, 2, 4, 5, 6, 7, 8]);
    expect(at(BOB, isWriter)).toEqual([1, 2, 4, 5, 6, 8]);
    expect(at(ME, isWriter)).toEqual([1, 2, 4, 8]);
  });
});

describe('sender keys', () => {
  it('of who is not known to be in their groups are kept by the handful', async () => {
    const [ann] = await suite.people(1);
    const { account, device } = ann!;
    const store = createMemoryDisk().open();
    const model = await openModel(store);
    const peer = { account, device, state: emptyPeer(ann!), repairs: NO_REPAIRS, renew: false };
    const hand = async ({ state }: { state: GroupState }) => {
      const made = await createSenderKey({ state, owner: ann!, now: suite.NOW });
      const { handed } = await handOverSenderKey({ own: made, state, now: suite.NOW });
      const given = await suite.carried(handed);
      await model.change((draft) => takeHanded(draft, ann!, given, { me: ME, now: suite.NOW }));
    };
    const known = await suite.someGroup(ann!);
    await model.change((draft) => {
      const { group, keys, state } = known;
      draft.put('group', { group, log: keys.log, channels: [keys.channel], state }, group);
      draft.put('peer', peer, [account, device]);
    });
    await hand(known);
    let last = '';
    for (let n = 0; n < EARLY_KEYS + 5; n += 1) {
      const group = await suite.someGroup(ann!);
      last = group.group;
      await hand(group);
    }
    const groups = (await store.all('sender')).map(({ group }) => group);
    expect(groups).toHaveLength(EARLY_KEYS + 1);
    expect(groups).toContain(known.group);
    expect(groups).toContain(last);
  });
});

describe('a channel key', () => {
  it('of before is kept where the log named it, and no other', async () => {
    const [ann, bob] = await suite.people(2);
    const model = await openModel(createMemoryDisk().open());
    const at = { me: ann!.account, now: suite.NOW };
    const made = await suite.someGroup(ann!);
    const { group, keys } = made;
    const { state: both } = await suite.act(made.state, ann!, suite.addition(bob!));
    const { state } = await suite.act(both, ann!, suite.removal(bob!));
    await model.change((draft) => {
      draft.put('self', { key: 'self', account: at.me, devices: [] } as never as SelfRow, 'self');
      draft.put('group', { group, log: keys.log, channels: [], state }, group);
    });
    const take = async (channel: GroupKey, on: GroupState) => {
      const of = { ...on, channel: channel.id };
      const handed = await handOverGroupKeys({ keys: { ...keys, channel }, state: of });
      const given = await suite.carried(handed);
      await model.change((draft) => takeHanded(draft, ann!, given, at));
    };
    const other = await createGroupKey('channel', group);
    for (const on of [both, state])
      await expect(take(other, on)).rejects.toMatchObject({ code: 'cannot-decrypt' });
    await take(keys.channel, both);
    const ids = async () => (await model.store.get('group', group))!.channels.map(({ id }) => id);
    expect(await ids()).toEqual([keys.channel.id]);
    // The log may not have been read as far. They come and go, and what it names stays.
    for (let n = 0; n < 20; n += 1)
      await take(await createGroupKey('channel', group), { ...state, epoch: state.epoch + 1 });
    expect(await ids()).toHaveLength(16);
    expect(await ids()).toContainEqual(keys.channel.id);
  });
});

describe('what a group is called', () => {
  it('is what its log commits to, whatever a newcomer is told', async () => {
    const signing = await generateSigningKey();
    const [account, device] = [32, 16].map((size) =>
      toBase64url(crypto.getRandomValues(new Uint8Array(size))),
    );
    const actor = { account: account!, device: device! };
    const [old, now, log] = await Promise.all([
      createGroupKey('channel', GROUP),
      createGroupKey('channel', GROUP),
      createGroupKey('log', GROUP),
    ]);
    const by = { actor, signing: signing.privateKey, createdAt: 1 };
    const made = await createGroup({ ...by, group: GROUP, channel: old.id, log: log.id });
    const { value, opened } = await sealField(old, 'title', utf8('Hikers'));
    const { state } = await propose({
      ...by,
      state: made.state,
      operation: { kind: 'field', field: 'title', value },
    });
    // A newcomer: the key that it was sealed under is none of theirs.
    const row: GroupRow = { group: GROUP, log, channels: [now], state };
    const told = { salt: toBase64url(opened.salt), text: 'Hikers' };
    expect((await withTexts(row, { title: { ...told, text: 'Bikers' } })).texts).toEqual({});
    expect((await withTexts(row, { title: told })).texts).toEqual({ title: told });
    expect((await withTexts({ ...row, channels: [now, old] })).texts).toEqual({ title: told });
    // Told before the log was read.
    const { state: _, ...unread } = row;
    const early = await withTexts(unread, { title: told });
    expect((await withTexts({ ...early, state })).texts).toEqual({ title: told });
  });
});

describe('what is said of a group before its keys come', () => {
  const message = (author: string) => ({ author, id: OF_ANN, sentAt: 1, at: 1, text: 'before' });
  const title = { salt: toBase64url(new Uint8Array(16)), text: 'Hikers' };
  const groups = (count: number) =>
    Array.from({ length: count }, () => toBase64url(crypto.getRandomValues(new Uint8Array(16))));
  const at = { me: ME, now: suite.NOW };

  /** A device that others tell of groups. */
  const open = async () => {
    const store = createMemoryDisk().open();
    const model = await openModel(store);
    await model.change((draft) => {
      draft.put('self', { key: 'self', account: ME, device: 'd', devices: [] } as unknown as SelfRow, 'self');
    });
    const tell = (from: { account: string; device: string }, what: object) =>
      model.change((draft) => takeTold(draft, { kind: 'group', ...what } as GroupContent, from, at));
    const told = async () => (await store.all('held')).filter((row) => row.told);
    const bytes = async () => JSON.stringify(await told()).length;
    return { store, model, tell, told, bytes };
  };

  it('waits for them, of each account that of a few groups', async () => {
    const [ann] = await suite.people(1);
    const { account } = ann!;
    const { store, model, tell, told } = await open();
    const { group, keys, state } = await suite.someGroup(ann!);
    await tell(ann!, { group, title });
    await tell(ann!, { group, history: [message(account)] });
    const others = groups(7);
    for (const other of others) await tell(ann!, { group: other, title });
    expect(await told()).toHaveLength(8);
    const handed = await suite.carried(await handOverGroupKeys({ keys, state }));
    await model.change(async (draft) => {
      await takeHanded(draft, ann!, handed, at);
      await settleTold(draft, group, at);
    });
    expect(await store.get('group', group)).toMatchObject({
      texts: { title },
      early: [{ from: account, messages: [message(account)] }],
    });
    expect((await told()).map((row) => row.group).toSorted()).toEqual(others.toSorted());
    const more = ['C', 'D'].map((letter) => `${letter.repeat(21)}A`);
    for (const other of more) await tell({ account, device: 'another' }, { group: other, title });
    expect((await told()).map((row) => row.group)).toEqual(expect.arrayContaining(more));
    expect(await told()).toHaveLength(8);
  });

  it('is no more than so many bytes, of one account and of all, and is not read with what waits', async () => {
    const KB = 1024;
    const some = Array.from({ length: 12 }, (_, n) => String.fromCharCode(97 + n).repeat(43));
    const { store, tell, told, bytes } = await open();
    const history = Array.from({ length: 5 }, () => ({ ...message(ANN), text: 'x'.repeat(10 * KB) }));
    const flood = async (account: string) => {
      const names = groups(8);
      for (const [n, group] of names.entries())
        for (let times = 0; times < 2; times += 1)
          await tell({ account, device: `${n}` }, { group, history });
      return names;
    };
    const names = await flood(some[0]!);
    expect(await bytes()).toBeLessThan(260 * KB);
    // The latest stays.
    expect((await told()).map(({ group }) => group)).toContain(names.at(-1));
    for (let times = 0; times < 10; times += 1)
      await tell({ account: some[0]!, device: 'd' }, { group: names[7], history });
    expect(await bytes()).toBeLessThan(260 * KB);
    for (const account of some.slice(1)) await flood(account);
    expect(await bytes()).toBeLessThan(2100 * KB);
    expect(await heldOf(store)).toEqual([]);
    // Once its keys are there, others have the room.
    const { kept } = (await store.get('held', ['', 'told']))!;
    expect(kept!.length).toBe(
      (await told()).flatMap((row) => [...new Set(row.told!.map(({ from }) => from.account))]).length,
    );
  });
});
