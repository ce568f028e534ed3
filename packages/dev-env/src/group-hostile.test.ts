import type { AccountId } from '@sotto/contract/ids';
import { toBase64url } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { sealEntry, sealPost } from '@sotto/crypto/channel-seal';
import { propose } from '@sotto/crypto/membership';
import { sortAccounts } from '@sotto/crypto/membership-operation';
import type { Transport } from '@sotto/engine/ports';
import { openVault } from '@sotto/engine/vault';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDevice } from './devices.ts';
import { accountOf, circle, groupOf, hears, ownKeyOf, people, sees, words } from './circle.ts';
import { newId } from './meeting.ts';
import { entryBy, puppet, reasonOf } from './puppet.ts';
import { tapped } from './tapped.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

const stopped = (resident: Resident, id: Parameters<typeof groupOf>[1], why: string) =>
  until(resident.engine, () => groupOf(resident, id)?.stopped === why, why);

const waitingOf = ({ engine }: Resident, id: string) =>
  engine.getSnapshot().conversations.find((one) => (one.id as string) === id)?.waiting;

describe('A2: a relay', () => {
  it('that adds a member to its list stops the group', async () => {
    const relay = puppet();
    const { all, id } = await circle(world, 'list', [{}, { transport: relay.wrap }]);
    const [ann, bob] = all as [Resident, Resident];
    const eve = await world.resident('eve_list');
    relay.lieWith(({ members }) => void members.push({ account: accountOf(eve), admin: false }));
    await ann.engine.setTitle(id, 'anything');
    await stopped(bob, id, 'roster-mismatch');
    await expect(bob.engine.send(id, 'to whom?')).rejects.toMatchObject({ code: 'group-stopped' });
  });

  it('that leaves a member out of its list stops the group', async () => {
    const relay = puppet();
    const { all, id } = await circle(world, 'out', [{}, {}, { transport: relay.wrap }]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    relay.lieWith((response) => {
      response.members = response.members.filter(({ account }) => account !== accountOf(bob));
    });
    await ann.engine.setTitle(id, 'anything');
    await stopped(cyd, id, 'roster-mismatch');
  });

  it('that changes a post, or hands it out as of another group, has nothing of it shown', async () => {
    const relay = puppet();
    const { all, id, views } = await circle(world, 'bent', [{}, { transport: relay.wrap }]);
    const [ann, bob] = all as [Resident, Resident];
    const other = newId() as unknown as typeof id;
    await ann.engine.createGroup({ id: other, title: 'other', members: [accountOf(bob)] });
    await sees(bob, other, 2);
    await ann.engine.send(id, 'as it was');
    await hears(views[1]!, 'as it was');
    const post = relay.seen.findLast(({ channel }) => String(channel) === id)!.body;
    const bent = (change: (copy: Uint8Array<ArrayBuffer>) => void) => {
      const copy = new Uint8Array(post);
      change(copy);
      return copy;
    };
    const tries: [Uint8Array<ArrayBuffer>, string, string][] = [
      [bent((copy) => (copy[0] = 2)), id, 'unsupported'],
      // The epoch, the vector, the text, the tag.
      ...[4, 40, 60, post.length - 1].map((at): [Uint8Array<ArrayBuffer>, string, string] => [
        bent((copy) => (copy[at]! ^= 1)),
        id,
        'cannot-open',
      ]),
      [bent(() => undefined).slice(0, 48), id, 'cannot-open'],
      [bent(() => undefined).slice(0, 20), id, 'cannot-open'],
      [new Uint8Array(0), id, 'cannot-open'],
      // Under another key than the log of this group names there.
      [bent(() => undefined), other, 'channel-key-unknown'],
    ];
    for (const [body, group, reason] of tries)
      expect(await reasonOf(bob, relay.hand(body, group))).toBe(reason);
    await ann.engine.send(id, 'goes on');
    await hears(views[1]!, 'goes on');
    expect(words(views[1]!)).toEqual(['as it was', 'goes on']);
    expect(words((await bob.engine.openConversation(other))!)).toEqual([]);
    for (const group of [id, other]) expect(groupOf(bob, group)?.stopped).toBeUndefined();
  });

  it('that makes somebody an admin on its list alone stops the group', async () => {
    const relay = puppet();
    const { all, id } = await circle(world, 'admin', [{}, {}, { transport: relay.wrap }]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    relay.lieWith(({ members }) => {
      members.find(({ account }) => account === accountOf(bob))!.admin = true;
    });
    await ann.engine.setTitle(id, 'anything');
    await stopped(cyd, id, 'roster-mismatch');
  });

  it('that hands out entries of no one, or of who may not, or again, changes nothing', async () => {
    const relay = puppet();
    const { all, id, views } = await circle(world, 'entries', [{}, {}, { transport: relay.wrap }]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    const eve = await world.resident('eve_entries');
    const before = (await cyd.store.get('group', id))!.state!;
    const ids = [accountOf(eve)] as AccountId[];
    // A member who may not, but has the log key.
    const row = (await bob.store.get('group', id))!;
    const own = (await bob.store.get('self', 'self'))!;
    const bits = (role: 'owner' | 'member') => ({
      ...row.state!,
      members: row.state!.members.map((member) =>
        member.account === own.account ? { ...member, role } : member,
      ),
    });
    const forged = await propose({
      state: bits('owner'),
      actor: { account: own.account, device: own.device },
      signing: own.signing.privateKey,
      createdAt: Date.now(),
      operation: { kind: 'add', accounts: sortAccounts(ids) },
    });
    const tries: [Uint8Array<ArrayBuffer>, string][] = [
      [await sealEntry(row.log, forged.state.epoch, forged.entry), 'membership-invalid'],
      // In the name of the owner.
      [
        await sealEntry(row.log, forged.state.epoch, (await signedAs(ann, bob, id, ids)).entry),
        'membership-invalid',
      ],
      [await sealEntry(await createGroupKey('log', id), 9, forged.entry), ''],
      [crypto.getRandomValues(new Uint8Array(1200)), 'unsupported'],
    ];
    for (const [body, reason] of tries) {
      const envelope = relay.hand(body, id);
      if (reason !== '') expect(await reasonOf(cyd, envelope)).toBe(reason);
    }
    for (const { channel, body, at } of relay.seen.filter(({ channel }) => String(channel) === id)) {
      relay.hand(body as Uint8Array<ArrayBuffer>, channel!, at + 1);
    }
    await ann.engine.send(id, 'as before');
    await Promise.all(views.map((view) => hears(view, 'as before')));
    const after = (await cyd.store.get('group', id))!;
    expect(after.state!.hash).toEqual(before.hash);
    expect(after.stopped).toBeUndefined();
  });

  it('that repeats posts and turns them around shows each once', async () => {
    const relay = puppet();
    const { all, id, views } = await circle(world, 'posts', [{}, { transport: relay.wrap }]);
    const [ann, bob] = all as [Resident, Resident];
    await ann.engine.send(id, 'one');
    await hears(views[1]!, 'one');
    await bob.engine.close();
    for (const text of ['two', 'three', 'four']) await ann.engine.send(id, text);
    await until(ann.engine, ({ unsent }) => unsent === 0, 'sent');
    await bob.restart();
    await Promise.all(
      ['two', 'three', 'four'].map(async (text) => hears((await bob.engine.openConversation(id))!, text)),
    );
    for (const { body, at } of relay.seen.filter(({ channel }) => String(channel) === id).toReversed()) {
      relay.hand(body as Uint8Array<ArrayBuffer>, id, at);
    }
    await ann.engine.send(id, 'five');
    const view = (await bob.engine.openConversation(id))!;
    await hears(view, 'five');
    expect(words(view)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });

  const histories = async (name: string) => {
    const relay = puppet();
    let deaf = false;
    let hidden = 0;
    const ears = tapped(({ channel }) => {
      if (!deaf || channel === undefined) return undefined;
      hidden += 1;
      return [];
    });
    const wrap = { transport: (transport: Transport) => ears(relay.wrap(transport)) };
    const { all, id } = await circle(world, name, [{}, {}, wrap]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    await until(bob.engine, () => groupOf(bob, id)?.role === 'admin', 'the role');
    await expect.poll(async () => (await cyd.store.get('group', id))!.state!.epoch).toBe(3);
    // Both sign for the same epoch; the relay takes one of them, and shows the other to Cyd.
    const other = await entryBy(bob, id, { kind: 'policy', policy: 8 });
    relay.lieWith((response) => {
      response.entries = [{ epoch: 4, entry: toBase64url(other) }];
      response.epoch = 4;
    });
    relay.hand(other, id);
    await expect.poll(async () => (await cyd.store.get('group', id))!.state!.policy).toBe(8);
    const hide = (now: boolean) => (deaf = now);
    return { ann, cyd, id, hide, hidden: () => hidden, tellTruth: () => relay.lieWith(undefined) };
  };

  it('that shows a log which does not follow what it showed before stops the group', async () => {
    const { ann, cyd, id, tellTruth } = await histories('twice');
    await ann.engine.setPolicy(id, { membersAdd: true });
    tellTruth();
    await ann.engine.setTitle(id, 'another history');
    await stopped(cyd, id, 'group-fork');
  });

  it('that shows two histories is found out by the first message between them', async () => {
    const { ann, cyd, id, hide, hidden } = await histories('fork');
    hide(true);
    await ann.engine.setPolicy(id, { membersAdd: true });
    await expect.poll(hidden).toBe(1);
    hide(false);
    await ann.engine.send(id, 'from another group');
    await stopped(cyd, id, 'group-fork');
    const view = (await cyd.engine.openConversation(id))!;
    expect(words(view)).toEqual([]);
  });

  it('that withholds an entry is found out by the next message', async () => {
    const relay = puppet();
    let deaf = false;
    const { all, id } = await circle(world, 'hold', [
      {},
      {},
      {
        transport: (transport) => ({
          ...tapped((envelope) => (deaf && envelope.channel && envelope.body.length < 1200 ? [] : undefined))(
            relay.wrap(transport),
          ),
        }),
      },
    ]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    const eve = await world.resident('eve_hold');
    const began = Date.now();
    deaf = true;
    relay.lieWith((response) => {
      const { epoch } = response;
      response.entries = response.entries.filter((entry) => entry.epoch < 3);
      response.epoch = Math.min(epoch, 2);
      response.members = response.members.filter(({ account }) => account !== accountOf(eve));
      response.more = false;
    });
    await ann.engine.addMembers(id, [accountOf(eve)]);
    await sees(bob, id, 4);
    deaf = false;
    await bob.engine.send(id, 'do you see eve?');
    // It waits, as its sender knows more: nothing is shown that was said in a group that Cyd does not know.
    await expect.poll(async () => (await cyd.store.all('held')).length).toBeGreaterThan(0);
    await expect.poll(() => waitingOf(cyd, id), { timeout: 10_000 }).toBeGreaterThan(began);
    relay.lieWith(undefined);
    cyd.engine.nudge();
    await ann.engine.setTitle(id, 'seen');
    const view = (await cyd.engine.openConversation(id))!;
    await hears(view, 'do you see eve?');
    expect(groupOf(cyd, id)?.members).toBe(4);
    await expect.poll(() => waitingOf(cyd, id)).toBeUndefined();
  });

  it('that withholds somebody’s sender key is told of until it comes', async () => {
    let withheld = false;
    const transport = tapped(({ channel }) => (withheld && channel === undefined ? [] : undefined));
    const { all, id } = await circle(world, 'mute', [{}, { transport }]);
    const [ann, bob] = all as [Resident, Resident];
    await bob.engine.close();
    withheld = true;
    await ann.engine.send(id, 'one');
    await ann.engine.send(id, 'two');
    await until(ann.engine, ({ unsent }) => unsent === 0, 'sent');
    // However old it is, it has waited here since it came.
    const began = Date.now();
    await bob.restart();
    await expect.poll(() => waitingOf(bob, id), { timeout: 10_000 }).toBeGreaterThanOrEqual(began);
    const since = waitingOf(bob, id);
    const view = (await bob.engine.openConversation(id))!;
    expect(words(view)).toEqual([]);
    // It is said after a start as well.
    await bob.restart();
    expect(waitingOf(bob, id)).toBe(since);
    // What has waited for too long is let go of, and nothing is said of it any more.
    await bob.engine.close();
    const store = await openVault(bob.disk.open());
    const puts = (await store.all('held')).map((put) => ({ table: 'held', put: { ...put, at: 1 } }) as const);
    await store.commit(puts);
    store.close();
    await bob.restart();
    await expect.poll(() => waitingOf(bob, id)).toBeUndefined();
    await ann.engine.send(id, 'three');
    await expect.poll(() => waitingOf(bob, id), { timeout: 10_000 }).toBeDefined();
    withheld = false;
    await bob.restart();
    const again = (await bob.engine.openConversation(id))!;
    await hears(again, 'three');
    await expect.poll(() => waitingOf(bob, id)).toBeUndefined();
  });
});

describe('a revoked device', () => {
  it('changes nothing any more, whoever hands out what it signs', async () => {
    const relay = puppet();
    const { all, id } = await circle(world, 'revoked', [{ transport: relay.wrap }, {}]);
    const [ann, bob] = all as [Resident, Resident];
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    const other = await addDevice(world, bob);
    await sees(other, id, 2);
    await until(other.engine, () => groupOf(other, id)?.role === 'admin', 'the role');
    const { device } = other.engine.getSnapshot().devices.find(({ current }) => current)!;
    const keys = async () => (await ann.store.get('contact', accountOf(bob)))!;
    await expect.poll(async () => (await keys()).devices.length).toBe(2);
    const epochOf = async () => (await ann.store.get('group', id))!.state!.epoch;
    const before = await epochOf();
    await bob.engine.removeDevice(device);
    await expect.poll(async () => (await keys()).revoked).toContain(device);
    // The new channel key of the group follows.
    await expect.poll(epochOf).toBe(before + 1);
    const { log, state } = (await ann.store.get('group', id))!;
    const self = (await other.store.get('self', 'self'))!;
    const made = await propose({
      state: state!,
      actor: { account: self.account, device: self.device },
      signing: self.signing.privateKey,
      createdAt: Date.now(),
      operation: { kind: 'policy', policy: 1 },
    });
    const sealed = await sealEntry(log, made.state.epoch, made.entry);
    expect(await reasonOf(ann, relay.hand(sealed, id))).toBe('membership-invalid');
    expect((await ann.store.get('group', id))!.state!.policy).toBe(0);
  });
});

describe('a post', () => {
  it('of who is no member, under a key that they had, is refused', async () => {
    const relay = puppet();
    const { all, id, views } = await circle(world, 'late', [{}, { transport: relay.wrap }, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    await cyd.engine.send(id, 'hello');
    await hears(views[1]!, 'hello');
    const row = (await cyd.store.get('group', id))!;
    const { encryptGroupMessage } = await import('@sotto/crypto/sender-key');
    const { encode } = await import('@sotto/crypto/canonical');
    const content = encode({ kind: 'text', id: newId(), sentAt: 1, text: 'from outside' });
    const made = await encryptGroupMessage({
      own: await ownKeyOf(cyd, id),
      state: row.state!,
      content,
      now: Date.now(),
    });
    const keys = { channel: row.channels[0]!, log: row.log };
    const post = await sealPost({ keys, state: row.state!, kind: 1, body: made.message });
    await ann.engine.removeMembers(id, [accountOf(cyd)]);
    await sees(bob, id, 2);
    // It was a member then: shown, and said to be from then.
    const shown = relay.hand(post, id);
    await hears(views[1]!, 'from outside');
    const message = views[1]!.getSnapshot().messages.find(({ text }) => text === 'from outside');
    expect(message).toMatchObject({ outdated: true });
    expect(await bob.store.get('aside', shown)).toBeUndefined();
    // Under the present epoch it is not.
    const now = (await ann.store.get('group', id))!;
    const late = await encryptGroupMessage({ own: made.own, state: row.state!, content, now: Date.now() });
    const channel = { channel: now.channels[0]!, log: now.log };
    const under = await sealPost({ keys: channel, state: now.state!, kind: 1, body: late.message });
    expect(await reasonOf(bob, relay.hand(under, id))).toBe('not-allowed');
    expect(groupOf(bob, id)?.stopped).toBeUndefined();
  });
});

describe('keys that a stranger handed over first, for a log that is not there', () => {
  it('give way to those of who added one', async () => {
    const { all, id } = await circle(world, 'rival', [{}, {}]);
    const [ann] = all as [Resident, Resident];
    const [cyd] = await people(world, 'lured', [{}]);
    await ann.engine.addContact(cyd!.engine.getSnapshot().contact!);
    await cyd!.engine.close();
    const store = await openVault(cyd!.disk.open());
    const [log, channel] = await Promise.all([createGroupKey('log', id), createGroupKey('channel', id)]);
    await store.commit([{ table: 'group', put: { group: id, log, channels: [channel] } }]);
    store.close();
    await ann.engine.addMembers(id, [accountOf(cyd!)]);
    await until(ann.engine, ({ unsent }) => unsent === 0, 'its keys with everybody');
    await cyd!.restart();
    await sees(cyd!, id, 3);
    await expect.poll(() => groupOf(cyd!, id)?.title).toBe('rival');
    expect((await cyd!.store.get('group', id))!.rivals).toBeUndefined();
  });
});

/** What `by` signs as if it were `as`. */
const signedAs = async (as: Resident, by: Resident, id: string, accounts: readonly string[]) => {
  const row = (await by.store.get('group', id))!;
  const [self, other] = await Promise.all(
    [by, as].map(async ({ store }) => (await store.get('self', 'self'))!),
  );
  return propose({
    state: row.state!,
    actor: { account: other!.account, device: other!.device },
    signing: self!.signing.privateKey,
    createdAt: Date.now(),
    operation: { kind: 'add', accounts: sortAccounts(accounts) },
  });
};
