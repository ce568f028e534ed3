import { createHash, randomBytes } from 'node:crypto';
import type { ChannelId, EnvelopeId, LinkHash, LinkToken } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  admin,
  change,
  codeOf,
  creation,
  devicesOf,
  openChannels,
  plain,
  type TestChannels,
} from '../../test/channels.ts';
import { idBytesOf, randomId } from '../../test/device.ts';
import { insertAccounts, type TestAccount } from '../../test/roster.ts';

let test: TestChannels;
let alice: TestAccount, bob: TestAccount, carol: TestAccount, dora: TestAccount;
beforeAll(async () => {
  test = await openChannels();
});
afterAll(() => test.close());

const sealedOf = (): string => randomBytes(64).toString('base64url');
const hashOf = (token: LinkToken): LinkHash =>
  createHash('sha256').update(idBytesOf(token)).digest('base64url') as LinkHash;
const link = () => {
  const token = randomId<LinkToken>();
  return { token, hash: hashOf(token), preview: sealedOf() };
};

let channel: ChannelId;
beforeEach(async () => {
  [alice, bob, carol, dora] = (await insertAccounts(test.look, 4, 2)) as [
    TestAccount,
    TestAccount,
    TestAccount,
    TestAccount,
  ];
  const request = creation([admin(alice), plain(bob), admin(carol)]);
  ({ channel } = request);
  await test.channels.create(alice.account, request);
  test.state.rings = [];
});

const put = (by: TestAccount, epoch: number, made?: ReturnType<typeof link>) =>
  test.links.put(by.account, channel, {
    epoch,
    ...(made && { link: { hash: made.hash, preview: made.preview } }),
  });
const look = (token: LinkToken, by = dora) => test.links.look(by.account, channel, { token });
const requestOf = (token: LinkToken) => ({ token, id: randomId<EnvelopeId>(), body: sealedOf() });

describe('a link to a channel', () => {
  it('shows what an admin put there to who shows its token, and to nobody else', async () => {
    const made = link();
    await put(alice, 0, made);
    expect(await look(made.token)).toEqual({ preview: made.preview, members: 3, member: false });
    expect((await look(made.token, bob)).member).toBe(true);
    expect(await codeOf(look(randomId<LinkToken>()))).toBe('link-unknown');
    const elsewhere = test.links.look(dora.account, randomId<ChannelId>(), { token: made.token });
    expect(await codeOf(elsewhere)).toBe('link-unknown');
  });

  it('is put by admins alone', async () => {
    expect(await codeOf(put(bob, 0, link()))).toBe('forbidden');
    expect(await codeOf(put(dora, 0, link()))).toBe('channel-unknown');
    const unknown = test.links.put(alice.account, randomId<ChannelId>(), { epoch: 0 });
    expect(await codeOf(unknown)).toBe('channel-unknown');
  });

  it('is the one of the latest entry, in whichever order they come', async () => {
    const [first, second, late] = [link(), link(), link()];
    expect(await codeOf(put(alice, 1, first))).toBe('stale-epoch');
    await test.channels.change(alice.account, channel, change(1));
    await test.channels.change(alice.account, channel, change(2));
    await put(alice, 1, first);
    await put(carol, 2, second);
    expect(await codeOf(put(alice, 1, late))).toBe('stale-epoch');
    expect(await codeOf(look(first.token))).toBe('link-unknown');
    expect((await look(second.token)).preview).toBe(second.preview);
    // What it shows is another: the same link.
    await put(carol, 2, { ...second, preview: late.preview });
    expect((await look(second.token)).preview).toBe(late.preview);
    await put(alice, 2);
    expect(await codeOf(look(second.token))).toBe('link-unknown');
    expect(await codeOf(put(alice, 1, first))).toBe('stale-epoch');
  });

  it('hands a request to the devices of the admins alone, once', async () => {
    const made = link();
    await put(alice, 0, made);
    const request = requestOf(made.token);
    await test.links.ask(dora.account, channel, request);
    const there = await test.inboxes(request.id);
    expect(there).toMatchObject({
      devices: devicesOf(alice, carol),
      bodies: [request.body],
      channels: [channel],
    });
    expect(test.state.rings.map(({ devices }) => devices)).toEqual([devicesOf(alice, carol)]);
    const before = await test.everything();
    await test.links.ask(dora.account, channel, request);
    expect(await test.everything()).toEqual(before);
    // Nobody was let in.
    expect((await test.channels.read(alice.account, channel, 0)).members).toHaveLength(3);
  });

  it('hands a request that comes again to those who do not have it yet', async () => {
    const made = link();
    await put(alice, 0, made);
    const request = requestOf(made.token);
    await test.links.ask(dora.account, channel, request);
    await test.channels.change(alice.account, channel, change(1, { put: [admin(bob)] }));
    test.state.rings = [];
    await test.links.ask(dora.account, channel, { ...request, body: sealedOf() });
    const there = await test.inboxes(request.id);
    expect(there.devices).toEqual(devicesOf(alice, bob, carol));
    expect(test.state.rings.map(({ devices }) => devices)).toEqual([devicesOf(bob)]);
    const before = await test.everything();
    await test.links.ask(dora.account, channel, request);
    expect(await test.everything()).toEqual(before);
  });

  it('takes no request that is sealed under an epoch: it would pass for an entry that is still to come', async () => {
    const made = link();
    await put(alice, 0, made);
    const sealedAt = (version: number, epoch: number) => {
      const body = randomBytes(65);
      body[0] = version;
      body.writeUInt32BE(epoch, 1);
      return { ...requestOf(made.token), body: body.toString('base64url') };
    };
    const before = await test.everything();
    test.state.taken.clear();
    expect(await codeOf(test.links.ask(dora.account, channel, sealedAt(1, 1)))).toBe('bad-request');
    expect(await test.everything()).toEqual(before);
    expect(test.state.taken.size).toBe(0);
    // Of a version that is not known here nobody can say what stands there.
    for (const request of [sealedAt(1, 0), sealedAt(2, 1)]) {
      await test.links.ask(dora.account, channel, request);
      expect((await test.inboxes(request.id)).devices).toEqual(devicesOf(alice, carol));
    }
  });

  it('takes no request under an old link, of a member, or into a full channel', async () => {
    const made = link();
    await put(alice, 0, made);
    const before = await test.everything();
    expect(await codeOf(test.links.ask(dora.account, channel, requestOf(randomId())))).toBe('link-unknown');
    expect(await codeOf(test.links.ask(bob.account, channel, requestOf(made.token)))).toBe('already-member');
    expect(await test.everything()).toEqual(before);
    const more = await insertAccounts(test.look, LIMITS.membersPerChannel - 3, 0);
    await test.channels.change(alice.account, channel, change(1, { put: more.map(plain) }));
    expect(await codeOf(test.links.ask(dora.account, channel, requestOf(made.token)))).toBe(
      'too-many-members',
    );
  });

  it('is limited by channel', async () => {
    const made = link();
    await put(alice, 0, made);
    test.state.taken.clear();
    await test.links.ask(dora.account, channel, requestOf(made.token));
    expect(test.state.taken.get(`joins ${channel}`)).toBe(1);
    test.state.most = 1;
    const refused = await codeOf(test.links.ask(dora.account, channel, requestOf(made.token)));
    test.state.most = Infinity;
    expect(refused).toBe('too-many-requests');
  });
});
