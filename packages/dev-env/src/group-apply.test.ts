import type { Content } from '@sotto/contract/content';
import { toBase64url, utf8 } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { sealField } from '@sotto/crypto/group-field';
import * as suite from '@sotto/crypto/group-suite';
import { createGroup, propose } from '@sotto/crypto/membership';
import type { GroupState } from '@sotto/crypto/membership-state';
import { NO_REPAIRS } from '@sotto/crypto/repair';
import { createSenderKey, handOverSenderKey } from '@sotto/crypto/sender-key';
import { emptyPeer } from '@sotto/crypto/session-state';
import { generateSigningKey } from '@sotto/crypto/keys';
import { isCensor } from '@sotto/engine/groups/log';
import { withTexts } from '@sotto/engine/groups/group-rows';
import { EARLY_KEYS, takeHanded } from '@sotto/engine/groups/hand-over';
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

describe('who takes back what others wrote', () => {
  it('is said by the state that it was sent under, whenever it is read', () => {
    const censors = [
      { epoch: 2, accounts: [ANN] },
      { epoch: 5, accounts: [ANN, BOB] },
      { epoch: 7, accounts: [] },
    ];
    const row = { censors } as unknown as GroupRow;
    const at = (account: string) => [1, 2, 4, 5, 6, 7].filter((epoch) => isCensor(row, { account, epoch }));
    expect(at(ANN)).toEqual([2, 4, 5, 6]);
    expect(at(BOB)).toEqual([5, 6]);
    expect(at(ME)).toEqual([]);
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
