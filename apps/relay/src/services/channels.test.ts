import type { AccountId, ChannelId, EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { ChangeChannelRequest, CreateChannelRequest, Member } from '@sotto/contract/rest/channels';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  admin,
  change,
  codeOf,
  creation,
  devicesOf,
  entryOf,
  openChannels,
  plain,
  sorted,
  type TestChannels,
} from '../../test/channels.ts';
import { idBytesOf, randomId } from '../../test/device.ts';
import { insertAccounts, type TestAccount } from '../../test/roster.ts';
import { idText } from '../store/id-bytes.ts';
import { sweep } from './sweep.ts';

let test: TestChannels;
let alice: TestAccount;
let bob: TestAccount;
let carol: TestAccount;
beforeAll(async () => {
  test = await openChannels();
});
afterAll(() => test.close());
beforeEach(async () => {
  [alice, bob, carol] = (await insertAccounts(test.look, 3, 2)) as [TestAccount, TestAccount, TestAccount];
  test.state.rings = [];
});

/** A channel of Alice, its admin, and Bob. */
const make = async (members = [admin(alice), plain(bob)]) => {
  const request = creation(members);
  await test.channels.create(alice.account, request);
  test.state.rings = [];
  return request;
};

describe('a channel', () => {
  it('takes no entry whose id somebody has already: they would not be told of it', async () => {
    const { channel } = await make();
    const entry = change(1, { put: [plain(carol)] });
    await test.look.query("INSERT INTO envelope (device, id, at, body) VALUES ($1, $2, 1, '')", [
      idBytesOf(carol.devices[0]!),
      idBytesOf(entry.id),
    ]);
    const before = await test.everything();
    expect(await codeOf(test.channels.change(alice.account, channel, entry))).toBe('bad-request');
    expect(await test.everything()).toEqual(before);
    expect(await codeOf(test.channels.change(alice.account, channel, { ...entry, id: randomId() }))).toBe(
      'accepted',
    );
  });

  it('is made with its entry in the inbox of every active device, which then are rung', async () => {
    await test.look.query('UPDATE device SET removed_at = now() WHERE id = $1', [idBytesOf(bob.devices[1]!)]);
    const request = creation([admin(alice), plain(bob)]);
    expect(await test.channels.create(alice.account, request)).toEqual({ epoch: 0 });
    const devices = [...alice.devices, bob.devices[0]!].toSorted();
    expect(await test.inboxes(request.id)).toEqual({
      devices,
      bodies: [request.entry],
      channels: [request.channel],
      times: [test.state.last],
    });
    expect(test.state.rings.map((ring) => ring.devices)).toEqual([devices]);
    expect(await test.state.rings[0]!.seen).toBe(3);
    expect(await test.channels.read(bob.account, request.channel, 0)).toEqual({
      epoch: 0,
      members: sorted(request.members),
      joined: false,
      entries: [{ epoch: 0, entry: request.entry }],
      more: false,
    });
    expect(await test.channels.list(bob.account)).toEqual({
      channels: [{ channel: request.channel, epoch: 0, joined: false }],
    });
    expect(await test.channels.list(carol.account)).toEqual({ channels: [] });
  });

  it('F12: made again is answered as the first time, and nothing is delivered again', async () => {
    const request = await make();
    await test.look.query('DELETE FROM envelope');
    await test.channels.change(alice.account, request.channel, change(1));
    const before = await test.everything();
    test.state.rings = [];
    expect(await test.channels.create(alice.account, request)).toEqual({ epoch: 0 });
    const others: [AccountId, CreateChannelRequest][] = [
      [alice.account, { ...request, entry: entryOf() }],
      [carol.account, { ...request, members: [admin(carol)] }],
    ];
    for (const [account, other] of others) {
      expect(await codeOf(test.channels.create(account, other))).toBe('channel-exists');
    }
    expect(await test.everything()).toEqual(before);
    expect(test.state.rings).toEqual([]);
  });

  it('A4: made twice at once is made once', async () => {
    const request = creation([admin(alice), plain(bob)]);
    const other = { ...request, entry: entryOf(), id: randomId<EnvelopeId>() };
    const codes = await Promise.all(
      [request, request, other].map((one) => codeOf(test.channels.create(alice.account, one))),
    );
    const { entries } = await test.channels.read(alice.account, request.channel, 0);
    const first = entries[0]!.entry === request.entry;
    expect(codes).toEqual(
      first ? ['accepted', 'accepted', 'channel-exists'] : ['channel-exists', 'channel-exists', 'accepted'],
    );
    // Twice the same may be rung twice.
    expect(new Set(test.state.rings.map(({ devices }) => String(devices))).size).toBe(1);
  });

  it('F12: made or changed again after a lost answer rings who does not have the entry', async () => {
    const request = await make();
    const [has, waits] = [alice.devices[0]!, devicesOf(alice, bob).filter((one) => one !== alice.devices[0])];
    const ack = 'UPDATE envelope SET acked_day = 1 WHERE device = $1';
    await test.look.query(ack, [idBytesOf(has)]);
    await test.channels.create(alice.account, request);
    const next = change(1, { remove: [bob.account] });
    await test.channels.change(alice.account, request.channel, next);
    await test.look.query(ack, [idBytesOf(has)]);
    test.state.rings.pop();
    await test.channels.change(alice.account, request.channel, next);
    expect(test.state.rings.map(({ devices }) => devices)).toEqual([waits, waits]);
  });

  const badCreations: [string, string, () => Member[]][] = [
    ['without its maker', 'bad-request', () => [admin(bob)]],
    ['whose maker is no admin', 'bad-request', () => [plain(alice), admin(bob)]],
    ['with an account twice', 'bad-request', () => [admin(alice), plain(bob), admin(bob)]],
    [
      'with who does not exist',
      'account-unknown',
      () => [admin(alice), { account: randomId<AccountId>(32), admin: false }],
    ],
  ];
  it.each(badCreations)('I: %s is refused and leaves nothing', async (_name, code, members) => {
    const before = await test.everything();
    expect(await codeOf(test.channels.create(alice.account, creation(members())))).toBe(code);
    expect(await test.everything()).toEqual(before);
    expect(test.state.rings).toEqual([]);
  });

  it('F14: failing on the way leaves nothing and test.state.rings nobody', async () => {
    const { channel } = await make();
    const before = await test.everything();
    test.state.failing = true;
    await expect(
      test.channels.change(alice.account, channel, change(1, { put: [plain(carol)], remove: [bob.account] })),
    ).rejects.toThrow('failed on the way');
    await expect(test.channels.create(alice.account, creation([admin(alice)]))).rejects.toThrow('failed');
    test.state.failing = false;
    expect(await test.everything()).toEqual(before);
    expect(test.state.rings).toEqual([]);
  });
});

describe('a log', () => {
  const fill = (channel: ChannelId, bytes: number) =>
    test.look.query('UPDATE channel SET log_bytes = $2 WHERE id = $1', [idBytesOf(channel), bytes]);
  const tried = (by: TestAccount, channel: ChannelId, epoch: number, over = {}) =>
    codeOf(test.channels.change(by.account, channel, change(epoch, over)));

  it('counts its bytes', async () => {
    const { channel } = await make();
    await test.channels.change(alice.account, channel, change(1, { entry: entryOf(1000) }));
    const { rows } = await test.look.query('SELECT log_bytes FROM channel WHERE id = $1', [
      idBytesOf(channel),
    ]);
    expect(rows).toEqual([{ log_bytes: '1040' }]);
    expect(test.state.taken.get(`entryBytes ${alice.account}`)).toBe(1040);
  });

  it('I: ends, for members before admins; who leaves and who is removed always can', async () => {
    const { channel } = await make([admin(alice), plain(bob), plain(carol)]);
    await fill(channel, LIMITS.logBytesPerChannel / 2 - 40);
    expect(await tried(bob, channel, 1)).toBe('accepted');
    expect(await tried(bob, channel, 2)).toBe('channel-full');
    expect(await tried(alice, channel, 2)).toBe('accepted');
    await fill(channel, LIMITS.logBytesPerChannel - 39);
    expect(await tried(alice, channel, 3)).toBe('channel-full');
    expect(await tried(alice, channel, 3, { put: [admin(bob)], remove: [carol.account] })).toBe(
      'channel-full',
    );
    expect(await tried(alice, channel, 3, { remove: [carol.account] })).toBe('accepted');
    expect(await tried(bob, channel, 4, { remove: [bob.account] })).toBe('accepted');
  });

  it('I: takes so many bytes of one account in a time, and nothing of what is refused', async () => {
    const { channel } = await make();
    const before = await test.everything();
    test.state.most = test.state.taken.get(`entryBytes ${alice.account}`)! + 39;
    expect(await tried(alice, channel, 1)).toBe('too-many-requests');
    test.state.most = Infinity;
    expect(await test.everything()).toEqual(before);
  });
});

describe('a change', () => {
  it('reaches who is a member before or after it', async () => {
    const { channel } = await make();
    const request = change(1, { put: [admin(carol)], remove: [bob.account] });
    expect(await test.channels.change(alice.account, channel, request)).toEqual({ epoch: 1 });
    expect(await test.inboxes(request.id)).toEqual({
      devices: devicesOf(alice, bob, carol),
      bodies: [request.entry],
      channels: [channel],
      times: [test.state.last],
    });
    expect(test.state.rings.map(({ devices }) => devices)).toEqual([devicesOf(alice, bob, carol)]);
    expect(await test.state.rings[0]!.seen).toBeGreaterThanOrEqual(6);
    const answer = await test.channels.read(carol.account, channel, 1);
    expect(answer).toMatchObject({ epoch: 1, entries: [{ epoch: 1, entry: request.entry }], more: false });
    expect(answer.members).toEqual(sorted([admin(alice), admin(carol)]));
    const next = change(2);
    await test.channels.change(carol.account, channel, next);
    expect((await test.inboxes(next.id)).devices).toEqual(devicesOf(alice, carol));
  });

  it('by an admin may be of anybody’s bit; by others it may be a leave or of nobody', async () => {
    const { channel } = await make();
    await test.channels.change(bob.account, channel, change(1));
    await test.channels.change(alice.account, channel, change(2, { put: [admin(bob), plain(alice)] }));
    await test.channels.change(bob.account, channel, change(3, { put: [plain(carol)] }));
    await test.channels.change(alice.account, channel, change(4, { remove: [alice.account] }));
    const { members } = await test.channels.read(bob.account, channel, 0);
    expect(members).toEqual(sorted([admin(bob), plain(carol)]));
  });

  it('lets who is no admin add others: whether the group does its log says', async () => {
    const { channel } = await make();
    await test.channels.change(bob.account, channel, change(1, { put: [plain(carol)] }));
    const { members } = await test.channels.read(carol.account, channel, 0);
    expect(members).toEqual(sorted([admin(alice), plain(bob), plain(carol)]));
  });

  const bad: [string, string, () => [TestAccount, Partial<ChangeChannelRequest>]][] = [
    ['by who is no member', 'channel-unknown', () => [carol, { put: [plain(carol)] }]],
    ['by who is no member, of an old epoch', 'channel-unknown', () => [carol, { epoch: 0 }]],
    ['that adds an admin, by no admin', 'forbidden', () => [bob, { put: [admin(carol)] }]],
    [
      'that adds, and demotes an admin, by no admin',
      'forbidden',
      () => [bob, { put: [plain(carol), plain(alice)] }],
    ],
    [
      'that adds and removes another, by no admin',
      'forbidden',
      () => [bob, { put: [plain(carol)], remove: [alice.account] }],
    ],
    ['that makes oneself an admin', 'forbidden', () => [bob, { put: [admin(bob)] }]],
    ['that puts what is there, by no admin', 'forbidden', () => [bob, { put: [plain(bob)] }]],
    ['that removes another, by no admin', 'forbidden', () => [bob, { remove: [alice.account] }]],
    [
      'that removes oneself and another, by no admin',
      'forbidden',
      () => [bob, { remove: [bob.account, alice.account] }],
    ],
    ['of the present epoch', 'stale-epoch', () => [alice, { epoch: 1 }]],
    ['of an epoch ahead', 'stale-epoch', () => [alice, { epoch: 3 }]],
    ['of the last epoch that there is', 'stale-epoch', () => [alice, { epoch: 0xffffffff }]],
    ['that removes who is no member', 'bad-request', () => [alice, { remove: [carol.account] }]],
    ['that removes twice', 'bad-request', () => [alice, { remove: [bob.account, bob.account] }]],
    ['that puts twice', 'bad-request', () => [alice, { put: [plain(bob), admin(bob)] }]],
    [
      'that puts and removes one account',
      'bad-request',
      () => [alice, { put: [plain(bob)], remove: [bob.account] }],
    ],
    [
      'that puts who does not exist',
      'account-unknown',
      () => [alice, { put: [{ account: randomId<AccountId>(32), admin: false }] }],
    ],
  ];
  it.each(bad)('I: %s is refused and changes nothing', async (_name, code, of) => {
    const { channel } = await make();
    await test.channels.change(alice.account, channel, change(1));
    test.state.rings = [];
    const before = await test.everything();
    const [by, over] = of();
    expect(await codeOf(test.channels.change(by.account, channel, change(2, over)))).toBe(code);
    expect(await test.everything()).toEqual(before);
    expect(test.state.rings).toEqual([]);
  });

  it('I: an unknown channel and that of others are told apart by nothing', async () => {
    const { channel } = await make();
    const unknown = randomId<ChannelId>();
    const told = async (of: ChannelId) => {
      const failure = (promise: Promise<unknown>) =>
        promise.catch((error: unknown) => ({ ...(error as Error) }));
      return Promise.all([
        failure(test.channels.read(carol.account, of, 0)),
        failure(test.channels.change(carol.account, of, change(1))),
        failure(test.channels.change(carol.account, of, change(9, { remove: [alice.account] }))),
      ]);
    };
    expect(await told(channel)).toEqual(await told(unknown));
    expect(await told(unknown)).toMatchObject(Array(3).fill({ code: 'channel-unknown' }));
  });

  it('F12: again is answered as the first time, also after later ones and by who left', async () => {
    const { channel } = await make();
    const leave = change(1, { remove: [bob.account] });
    await test.channels.change(bob.account, channel, leave);
    const later = change(2, { put: [plain(carol)] });
    await test.channels.change(alice.account, channel, later);
    // Acknowledged and forgotten: it must not come anew.
    await test.look.query('DELETE FROM envelope WHERE id = $1', [idBytesOf(leave.id)]);
    test.state.rings = [];
    const before = await test.everything();
    expect(await test.channels.change(bob.account, channel, leave)).toEqual({ epoch: 1 });
    expect(await test.channels.change(alice.account, channel, later)).toEqual({ epoch: 2 });
    // The same bytes at another epoch are another entry.
    expect(await codeOf(test.channels.change(alice.account, channel, { ...leave, epoch: 2 }))).toBe(
      'stale-epoch',
    );
    expect(await test.everything()).toEqual(before);
    // Who has not got it yet may be rung once more.
    for (const ring of test.state.rings) expect(ring.devices).toEqual(devicesOf(alice, carol));
  });

  it('after which nobody is left deletes the channel with its log', async () => {
    const { channel } = await make();
    const end = change(1, { remove: [alice.account, bob.account] });
    await test.channels.change(alice.account, channel, end);
    expect((await test.inboxes(end.id)).devices).toEqual(devicesOf(alice, bob));
    for (const table of ['channel_member', 'channel_entry']) {
      const { rows } = await test.look.query(`SELECT FROM ${table} WHERE channel = $1`, [idBytesOf(channel)]);
      expect(rows).toEqual([]);
    }
    expect(await codeOf(test.channels.read(alice.account, channel, 0))).toBe('channel-unknown');
    expect(await codeOf(test.channels.change(alice.account, channel, change(2)))).toBe('channel-unknown');
  });

  it('may remove a member whose account was deleted', async () => {
    const { channel } = await make();
    await test.look.query('DELETE FROM account WHERE id = $1', [idBytesOf(bob.account)]);
    const { members } = await test.channels.read(alice.account, channel, 0);
    expect(members).toHaveLength(2);
    await test.channels.change(alice.account, channel, change(1, { remove: [bob.account] }));
    expect((await test.channels.read(alice.account, channel, 0)).members).toEqual([admin(alice)]);
  });

  it('cannot come any more when every account is deleted: then the sweep takes the channel', async () => {
    const [left, kept] = [await make(), await make([admin(alice), plain(carol)])];
    await test.look.query('DELETE FROM account WHERE id = ANY($1)', [
      [alice, bob].map(({ account }) => idBytesOf(account)),
    ]);
    const client = await test.look.connect();
    const failures: unknown[] = [];
    const failed = (error: unknown) => failures.push(error);
    await sweep(client, { now: test.state.last, retention: LIMITS.retentionMs, failed });
    client.release();
    expect(failures).toEqual([]);
    const { rows } = await test.look.query<{ id: Buffer }>('SELECT id FROM channel WHERE id = ANY($1)', [
      [left, kept].map(({ channel }) => idBytesOf(channel)),
    ]);
    expect(rows.map(({ id }) => idText(id))).toEqual([kept.channel]);
  });
});
