import { randomBytes } from 'node:crypto';
import type { EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import type { ChangeChannelRequest, ChannelResponse } from '@sotto/contract/rest/channels';
import fc from 'fast-check';
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
import { eventually } from '../../test/harness.ts';
import { insertAccounts, type TestAccount } from '../../test/roster.ts';
import { gateOf } from '../store/channels.ts';
import { idText } from '../store/id-bytes.ts';
import { insertPosts } from '../store/posts.ts';

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

describe('at once', () => {
  it('A4: of many changes of one epoch one is accepted', async () => {
    const { channel } = await make([admin(alice), admin(bob)]);
    for (let epoch = 1; epoch <= 10; epoch += 1) {
      const requests = Array.from({ length: 6 }, () => change(epoch));
      const codes = await Promise.all(
        requests.map((request, n) =>
          codeOf(
            (n % 3 ? test.channels : test.other).change((n % 2 ? alice : bob).account, channel, request),
          ),
        ),
      );
      expect(codes.toSorted()).toEqual(['accepted', ...Array<string>(5).fill('stale-epoch')]);
      const { entries } = await test.channels.read(alice.account, channel, epoch);
      expect(entries).toEqual([{ epoch, entry: requests[codes.indexOf('accepted')]!.entry }]);
    }
  });

  /** What somebody tries: by whom, of whom, and how far from the epoch that was right when the round began. */
  const attempt = fc.record({
    by: fc.nat(4),
    put: fc.uniqueArray(fc.record({ who: fc.nat(4), admin: fc.boolean() }), {
      selector: ({ who }) => who,
      maxLength: 2,
    }),
    remove: fc.uniqueArray(fc.nat(4), { maxLength: 2 }),
    ahead: fc.integer({ min: 0, max: 3 }),
    repeat: fc.boolean(),
  });

  it('whatever is tried: the log has no gaps, the list is what the accepted changes make of it, every reader sees both agree', async () => {
    const rounds = fc.array(fc.array(attempt, { minLength: 1, maxLength: 6 }), {
      minLength: 1,
      maxLength: 6,
    });
    await fc.assert(
      fc.asyncProperty(rounds, async (tried) => {
        const people = await insertAccounts(test.look, 5);
        const members = [admin(people[0]!), admin(people[1]!), plain(people[2]!)];
        const { channel, entry } = creation(members);
        await test.channels.create(people[0]!.account, creation(members, { channel, entry }));
        const accepted = new Map<number, ChangeChannelRequest>();
        const views: ChannelResponse[] = [];
        const look = () =>
          test.channels.read(people[0]!.account, channel, 0).then(
            (view) => void views.push(view),
            () => undefined,
          );
        for (const round of tried) {
          const base = accepted.size;
          await Promise.all([
            look(),
            ...round.flatMap(({ by, put, remove, ahead, repeat }) => {
              const request = change(base + Math.max(1, ahead), {
                put: put.map(({ who, admin: bit }) => ({ account: people[who]!.account, admin: bit })),
                remove: remove.map((who) => people[who]!.account),
              });
              const run = async (): Promise<void> => {
                const relay = by % 2 ? test.channels : test.other;
                const code = await codeOf(relay.change(people[by]!.account, channel, request));
                if (code !== 'accepted') return;
                expect(accepted.get(request.epoch) ?? request).toBe(request);
                accepted.set(request.epoch, request);
              };
              return repeat ? [run(), run()] : [run()];
            }),
            look(),
          ]);
        }
        const rosters = [new Map(members.map((member) => [member.account, member]))];
        for (let epoch = 1; epoch <= accepted.size; epoch += 1) {
          const { put, remove, id } = accepted.get(epoch)!;
          const roster = new Map(rosters[epoch - 1]);
          for (const account of remove) expect(roster.delete(account)).toBe(true);
          for (const member of put) roster.set(member.account, member);
          rosters.push(roster);
          const told = people.filter(
            ({ account }) => roster.has(account) || rosters[epoch - 1]!.has(account),
          );
          expect((await test.inboxes(id)).devices).toEqual(devicesOf(...told));
        }
        const logOf = (upTo: number) => [
          { epoch: 0, entry },
          ...Array.from({ length: upTo }, (_, n) => ({ epoch: n + 1, entry: accepted.get(n + 1)!.entry })),
        ];
        const survivor = [...rosters.at(-1)!.keys()][0];
        if (survivor) views.push(await test.channels.read(survivor, channel, 0));
        else expect(await codeOf(test.channels.read(people[0]!.account, channel, 0))).toBe('channel-unknown');
        if (survivor) expect(views.at(-1)!.epoch).toBe(accepted.size);
        for (const view of views) {
          expect(view.members).toEqual(sorted(rosters[view.epoch]!.values()));
          expect(view.entries).toEqual(logOf(view.epoch));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('a post under an old epoch is not stored after a change', async () => {
    const { channel } = await make([admin(alice), plain(bob), plain(carol)]);
    const [from] = alice.devices;
    await Promise.all([bob, carol].map(({ account }) => test.channels.join(account, channel)));
    for (let epoch = 0; epoch < 20; epoch += 2) {
      const posts = Array.from({ length: 12 }, () => randomId<EnvelopeId>());
      let done = false;
      const posting = Promise.all(
        posts.map(async (id, n) => {
          await new Promise((go) => setTimeout(go, n % 6));
          const late = done;
          const [fate] = await insertPosts(
            test.pool,
            [{ device: from!, account: alice.account, id, channel, epoch, body: randomBytes(20) }],
            { at: test.time(), crowded: [] },
          );
          return { id, late, stored: 'post' in fate!, fate };
        }),
      );
      await test.channels.change(alice.account, channel, change(epoch + 1, { remove: [bob.account] }));
      done = true;
      const { rows } = await test.look.query<{ id: Buffer }>('SELECT id FROM envelope WHERE device = $1', [
        idBytesOf(bob.devices[0]!),
      ]);
      const had = new Set(rows.map(({ id }) => idText<EnvelopeId>(id)));
      for (const { id, late, stored, fate } of await posting) {
        if (late) expect(stored).toBe(false);
        if (!stored) expect(fate).toEqual({ code: 'stale-epoch' });
        // What the removed device had when the change was answered is all that it ever gets.
        expect(had.has(id)).toBe(stored);
        expect((await test.inboxes(id)).devices).toEqual(stored ? devicesOf(alice, bob, carol) : []);
      }
      await test.channels.change(alice.account, channel, change(epoch + 2, { put: [plain(bob)] }));
      await test.channels.join(bob.account, channel);
    }
  });

  it('a change waits for the posts that are being stored, and posts that come later wait for the change', async () => {
    const { channel } = await make();
    const storing = await test.pool.connect();
    await storing.query('BEGIN');
    await storing.query(`SELECT pg_advisory_xact_lock_shared(${gateOf('$1::bytea')})`, [idBytesOf(channel)]);
    await storing.query('SELECT FROM channel WHERE id = $1 FOR SHARE', [idBytesOf(channel)]);
    const done: string[] = [];
    const changing = test.channels
      .change(alice.account, channel, change(1, { remove: [bob.account] }))
      .then(() => done.push('change'));
    const waiting = (count: number) =>
      eventually(async () => {
        const { rows } = await test.look.query<{ waiting: string }>(
          'SELECT count(*) AS waiting FROM pg_locks JOIN pg_database d ON d.oid = database WHERE datname = current_database() AND NOT granted',
        );
        expect(Number(rows[0]!.waiting)).toBe(count);
      });
    try {
      await waiting(1);
      const post = { id: randomId<EnvelopeId>(), channel, epoch: 0, body: randomBytes(20) };
      const by = { device: alice.devices[0]!, account: alice.account };
      const posting = insertPosts(test.pool, [{ ...by, ...post }], { at: test.time(), crowded: [] });
      void posting.then(() => done.push('post'));
      await waiting(2);
      expect(done).toEqual([]);
      await storing.query('COMMIT');
      expect(await posting).toEqual([{ code: 'stale-epoch' }]);
      await changing;
      expect(done.toSorted()).toEqual(['change', 'post']);
    } finally {
      await storing.query('COMMIT');
      storing.release();
    }
  });
});

describe('large', () => {
  it('F19: of more changes than can wait some are told to try again, and connections are left for messages', async () => {
    const { channel } = await make();
    const client = await test.pool.connect();
    await client.query('BEGIN');
    await client.query('SELECT FROM channel WHERE id = $1 FOR UPDATE', [idBytesOf(channel)]);
    const answers = Array.from({ length: 60 }, () =>
      codeOf(test.channels.change(alice.account, channel, change(1))),
    );
    await eventually(async () => {
      const { rows } = await test.look.query<{ waiting: string }>(
        "SELECT count(*) AS waiting FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      expect(Number(rows[0]!.waiting)).toBe(1);
      // One account keeps nobody else out.
      expect(await codeOf(test.channels.create(carol.account, creation([admin(carol)])))).toBe('accepted');
    }).finally(async () => {
      await client.query('COMMIT');
      client.release();
    });
    const codes = await Promise.all(answers);
    expect(codes.filter((code) => code === 'busy')).toHaveLength(60 - 17);
    expect(codes.filter((code) => code === 'accepted')).toHaveLength(1);
    await test.channels.change(alice.account, channel, change(2));
  });

  it('I: of more reads than one account may have at a time some are told to try again', async () => {
    const { channel } = await make();
    const reads = Array.from({ length: 40 }, () => codeOf(test.channels.read(alice.account, channel, 0)));
    const codes = await Promise.all([...reads, codeOf(test.channels.read(bob.account, channel, 0))]);
    expect(codes.filter((code) => code === 'busy')).toHaveLength(40 - 17);
    expect(codes.at(-1)).toBe('accepted');
  });

  it('a log is read in pages of entries and of bytes', async () => {
    const { channel } = await make();
    const small = LIMITS.entriesPerPage + 5;
    for (let epoch = 1; epoch <= small; epoch += 1) {
      await test.channels.change(alice.account, channel, change(epoch));
    }
    const large = Math.floor(LIMITS.pageBytes / LIMITS.entryBytes) + 2;
    for (let n = 1; n <= large; n += 1) {
      await test.channels.change(
        alice.account,
        channel,
        change(small + n, { entry: entryOf(LIMITS.entryBytes) }),
      );
    }
    const pages = [];
    for (let from = 0; ;) {
      const { entries, more, epoch } = await test.channels.read(bob.account, channel, from);
      expect(epoch).toBe(small + large);
      pages.push(entries);
      from = entries.at(-1)!.epoch + 1;
      if (!more) break;
    }
    expect(pages.flat().map(({ epoch }) => epoch)).toEqual(
      Array.from({ length: small + large + 1 }, (_, epoch) => epoch),
    );
    expect(pages[0]).toHaveLength(LIMITS.entriesPerPage);
    for (const page of pages) {
      const bytes = page.reduce((sum, { entry }) => sum + (entry.length * 3) / 4, 0);
      expect(bytes).toBeLessThanOrEqual(LIMITS.pageBytes);
    }
    expect(await test.channels.read(bob.account, channel, small + large + 1)).toMatchObject({
      entries: [],
      more: false,
    });
    expect(await test.channels.read(bob.account, channel, 0xffffffff)).toMatchObject({
      entries: [],
      more: false,
    });
  });

  it('a channel has 1,000 members and no more; who leaves makes room', async () => {
    const people = await insertAccounts(test.look, LIMITS.membersPerChannel, 2);
    const [first, ...rest] = people as [TestAccount, ...TestAccount[]];
    const request = creation([admin(first), ...rest.map(plain)]);
    await test.channels.create(first.account, request);
    expect((await test.inboxes(request.id)).devices).toEqual(devicesOf(...people));
    const more = change(1, { put: [plain(alice)] });
    expect(await codeOf(test.channels.change(first.account, request.channel, more))).toBe('too-many-members');
    await test.channels.change(first.account, request.channel, { ...more, remove: [rest[0]!.account] });
    // An account that is in it takes no room.
    await test.channels.change(first.account, request.channel, change(2, { put: [admin(alice)] }));
    const all = change(3, { remove: rest.slice(1).map(({ account }) => account) });
    await test.channels.change(first.account, request.channel, all);
    expect((await test.channels.read(alice.account, request.channel, 9)).members).toHaveLength(2);
    expect(
      await codeOf(test.channels.create(alice.account, creation([admin(alice), ...people.map(plain)]))),
    ).toBe('too-many-members');
  });

  it('an account is asked by 200 channels and no more, and makes its own', async () => {
    const fill = (count: number) =>
      test.look.query(
        `WITH made AS (INSERT INTO channel (id, epoch)
         SELECT decode(md5($1::text || $2::integer || n), 'hex'), 0 FROM generate_series(1, $2) AS n RETURNING id)
       INSERT INTO channel_member SELECT id, $3, false, false FROM made`,
        [carol.account, count, idBytesOf(carol.account)],
      );
    await fill(LIMITS.askedPerAccount - 1);
    const ask = () => codeOf(test.channels.create(alice.account, creation([admin(alice), plain(carol)])));
    expect([await ask(), await ask()]).toEqual(['accepted', 'too-many-channels']);
    // However many there are.
    await fill(LIMITS.channelsPerAccount);
    expect(await codeOf(test.channels.create(carol.account, creation([admin(carol)])))).toBe('accepted');
  });

  it('an account is in 1,000 channels and no more', async () => {
    await test.look.query(
      `WITH made AS (INSERT INTO channel (id, epoch)
         SELECT decode(md5($1::text || n), 'hex'), 0 FROM generate_series(1, $2) AS n RETURNING id)
       INSERT INTO channel_member SELECT id, $3, false, true FROM made`,
      [bob.account, LIMITS.channelsPerAccount - 1, idBytesOf(bob.account)],
    );
    const { channel } = await make();
    await test.channels.join(bob.account, channel);
    expect((await test.channels.list(bob.account)).channels).toHaveLength(LIMITS.channelsPerAccount);
    expect(await codeOf(test.channels.create(bob.account, creation([admin(bob)])))).toBe('too-many-channels');
    expect(await codeOf(test.channels.create(alice.account, creation([admin(alice), plain(bob)])))).toBe(
      'too-many-channels',
    );
    await test.channels.change(alice.account, channel, change(1, { put: [admin(bob)] }));
    await test.channels.change(bob.account, channel, change(2, { remove: [bob.account] }));
    await test.channels.change(alice.account, channel, change(3, { put: [plain(bob)] }));
  });
});
