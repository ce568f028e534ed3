import { utf8, toBase64url, type Bytes } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { seal, KIND_GROUP_MESSAGE } from '@sotto/crypto/channel-seal';
import { sealField } from '@sotto/crypto/group-field';
import { createLinkSecret, openLink, sealJoinRequest } from '@sotto/crypto/group-link';
import * as suite from '@sotto/crypto/group-suite';
import type { GroupState } from '@sotto/crypto/membership-state';
import { settingsText } from '@sotto/engine/groups/settings';
import { takePost, type ShownLog, type Taken } from '@sotto/engine/groups/taking';
import { tellWaiting } from '@sotto/engine/groups/waiting';
import { openModel } from '@sotto/engine/model';
import type { GroupRow, HeldRow, LinkSettings, SelfRow } from '@sotto/engine/rows';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { describe, expect, it } from 'vitest';

const { NOW } = suite;
const MINUTE = 60_000;

/** A group at epoch 3, with a link that its log sets there: the state before it, and how its owner's device has it. */
const linked = async () => {
  const [ann, bob] = await suite.people(2);
  const { group, keys, state: made } = await suite.someGroup(ann!);
  const { state: two } = await suite.act(made, ann!, suite.addition(bob!));
  const { state: before } = await suite.act(two, ann!, { kind: 'policy', policy: 8 });
  const link = { secret: createLinkSecret(), approval: true, history: 'none' } as LinkSettings;
  const text = settingsText(link);
  const { value, opened } = await sealField(keys.channel, 'settings', utf8(text));
  const { state } = await suite.act(before, ann!, { kind: 'field', field: 'settings', value });
  const texts = { settings: { salt: toBase64url(opened.salt), text } };
  const reached = [1, 2, 3].map((epoch) => ({ epoch, at: NOW - 10 * MINUTE }));
  const row: GroupRow = { group, log: keys.log, channels: [keys.channel], state, texts, reached };
  return { ann: ann!, bob: bob!, group, keys, before, state, row, secret: link.secret };
};

const shown = ({ epoch }: GroupState, ...before: string[]): ShownLog => ({
  epoch,
  entries: [],
  before: new Set(before),
});

/** What becomes of a post, and of one that came before the log was shown. */
const taken = async (
  row: GroupRow,
  me: string,
  body: Bytes,
  { at = NOW, log = undefined as ShownLog | undefined } = {},
) => {
  const model = await openModel(createMemoryDisk().open());
  const self = { account: me, device: 'd', devices: [] } as unknown as SelfRow;
  return model.change(async (draft): Promise<Taken> => {
    draft.put('group', row, row.group);
    return takePost({ draft, self, now: NOW }, { group: row.group, envelope: 'e', at, body }, log);
  });
};

const HELD = { hold: {}, due: true };
const ASIDE = { reason: 'channel-key-unknown', due: true };

describe('a post under a key that is not here', () => {
  it('is set aside where it names the present epoch, whose key is another', async () => {
    const { ann, group, keys, state, row } = await linked();
    const other = await createGroupKey('channel', group);
    const under = async (key: typeof other, epoch: number, known = row) =>
      taken(known, ann.account, await seal(key, epoch, KIND_GROUP_MESSAGE, utf8('x')));
    expect(await under(other, state.epoch)).toEqual(ASIDE);
    // Its key, or the log, may still come.
    expect(await under(other, state.epoch - 1)).toEqual(HELD);
    expect(await under(other, 0)).toEqual(HELD);
    expect(await under(other, state.epoch + 1)).toEqual(HELD);
    expect(await under(keys.channel, state.epoch, { ...row, channels: [] })).toEqual(HELD);
  });

  it('is set aside where it asks to be let in by a link that the log does not name any more', async () => {
    const { ann, bob, before, state, row, secret, group } = await linked();
    const requestBy = async (link: string) => {
      const from = { account: bob.account, device: bob.device };
      const id = toBase64url(new Uint8Array(16));
      const request = { from, id, createdAt: NOW, delivery: id, name: 'Bob' };
      return sealJoinRequest(await openLink(group, link), request, bob.signing.privateKey);
    };
    const old = await requestBy(createLinkSecret());
    const read = { log: shown(state, 'e') };
    expect(await taken(row, ann.account, old, read)).toEqual(ASIDE);
    expect(await taken(row, ann.account, await requestBy(secret), read)).toEqual({ due: true });
    // The log may name it where it was not looked at since, or not taken in; or what it names cannot be read.
    expect(await taken(row, ann.account, old)).toEqual(HELD);
    expect(await taken(row, ann.account, old, { log: shown(state) })).toEqual(HELD);
    expect(await taken({ ...row, state: before }, ann.account, old, read)).toEqual(HELD);
    expect(await taken({ ...row, texts: {} }, ann.account, old, read)).toEqual(HELD);
    // Or it may be a message from when the group was made.
    expect(await taken(row, ann.account, old, { ...read, at: NOW - 9.5 * MINUTE })).toEqual(HELD);
  });
});

describe('what a group says that it waits for', () => {
  it('is its log, the key in force, or that of a member: what the relay can have', async () => {
    const { bob, group, keys, state, row } = await linked();
    const other = await createGroupKey('channel', group);
    const under = (key: typeof other, epoch: number) => seal(key, epoch, KIND_GROUP_MESSAGE, utf8('x'));
    const since = async (what: Partial<HeldRow>): Promise<number | undefined> => {
      const model = await openModel(createMemoryDisk().open());
      await model.change((draft) => {
        const brief = { title: '', members: 2, policy: 0 };
        draft.put('group', row, group);
        draft.put('conversation', { id: group, createdAt: 1, unread: 0, floors: {}, group: brief }, group);
        const body = new Uint8Array(0);
        draft.put('held', { group, envelope: 'e', at: 1, since: 7, body, ...what }, [group, 'e']);
      });
      await tellWaiting(model);
      return model.conversations.get(group)?.waiting;
    };
    expect(await since({ body: await under(keys.channel, state.epoch) })).toBe(7);
    expect(await since({ body: await under(other, state.epoch + 1) })).toBe(7);
    const from = { account: bob.account, device: bob.device };
    expect(await since({ body: await under(keys.channel, 1), from })).toBe(7);
    // Anybody can have made these up.
    expect(await since({ body: await under(other, state.epoch) })).toBeUndefined();
    expect(await since({ body: await under(other, 1) })).toBeUndefined();
    expect(await since({ body: await under(other, 0) })).toBeUndefined();
    expect(await since({ body: new Uint8Array(20) })).toBeUndefined();
    expect(await since({ from: { account: 'z'.repeat(43), device: 'd' } })).toBeUndefined();
  });
});
