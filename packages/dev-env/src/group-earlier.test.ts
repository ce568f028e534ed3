import { toBase64url } from '@sotto/crypto/bytes';
import type { ConversationId } from '@sotto/contract/ids';
import { type Clock, systemClock } from '@sotto/engine/clock';
import type { Transport } from '@sotto/engine/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { handEarlier } from '@sotto/engine/groups/hand-over';
import type { OutboxRow } from '@sotto/engine/rows';
import { accountOf, circle, groupOf, hears, people, sees, viewOf, words } from './circle.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

const rowOf = async ({ store }: Resident, id: string) => (await store.get('group', id))!;
const channelOf = async (one: Resident, id: string) => toBase64url((await rowOf(one, id)).state!.channel);
const keysOf = async (one: Resident, id: string) =>
  (await rowOf(one, id)).channels.map((key) => toBase64url(key.id));
/** After which a lost key is asked for. */
const ASKED_MS = 2_000;
const isHeld = async ({ store }: Resident) =>
  (await store.all('held')).some(({ from, told }) => !from && !told);

describe('a channel key that another one follows before all have it', () => {
  /** Ann has made one that Cyd was not handed, something was written under it, and Bob has made the next. */
  const followed = async (name: string, asks = true) => {
    let unreached = '';
    const transport = (inner: Transport): Transport => ({
      ...inner,
      bundles: async (signer, account, devices) =>
        account === unreached ? { bundles: [] } : inner.bundles(signer, account, devices),
    });
    /** For Cyd: what is missed is asked for, unless it is to come by itself. */
    const clock: Clock = {
      ...systemClock,
      after: (ms, task) => (!asks && ms === ASKED_MS ? () => undefined : systemClock.after(ms, task)),
    };
    const wraps = [{}, { transport }, { clock }, {}, {}];
    // Ann and Cyd have not written to each other: a session has to be begun.
    const { all, id } = await circle(world, name, wraps);
    const [bob, ann, cyd, dan, eve] = all as [Resident, Resident, Resident, Resident, Resident];
    await bob.engine.setRole(id, accountOf(ann), 'admin');
    await until(ann.engine, () => groupOf(ann, id)?.role === 'admin', 'the role');
    unreached = accountOf(cyd);
    const before = await channelOf(bob, id);
    await ann.engine.removeMembers(id, [accountOf(dan)]);
    const first = await channelOf(ann, id);
    await expect.poll(async () => keysOf(bob, id)).toContain(first);
    await expect.poll(async () => keysOf(eve, id)).toContain(first);
    await ann.engine.close();
    await bob.engine.send(id, 'under the first');
    await expect.poll(async () => isHeld(cyd)).toBe(true);
    await bob.engine.removeMembers(id, [accountOf(eve)]);
    const second = await channelOf(bob, id);
    expect(second).not.toBe(first);
    await expect.poll(async () => keysOf(cyd, id)).toContain(second);
    return { bob, ann, cyd, id, before, first, second, reach: () => void (unreached = '') };
  };

  it('comes from its maker, who was away', async () => {
    const { bob, ann, cyd, id, reach } = await followed('back', false);
    expect(words(await viewOf(cyd, id))).not.toContain('under the first');
    await until(bob.engine, ({ unsent }) => unsent === 0, 'handed over');
    await bob.engine.close();
    reach();
    await ann.restart();
    await hears(await viewOf(cyd, id), 'under the first');
  });

  it('is had of another who has it, and never by who came later', async () => {
    const { bob, cyd, id, before, first, second } = await followed('others');
    await hears(await viewOf(cyd, id), 'under the first');
    const [fay] = await people(world, 'later', [{}]);
    await bob.engine.addContact(fay!.engine.getSnapshot().contact!);
    await bob.engine.addMembers(id as ConversationId, [accountOf(fay!)]);
    await sees(fay!, id, 4);
    await fay!.engine.accept(id);
    await bob.engine.send(id, 'welcome');
    await hears(await viewOf(fay!, id), 'welcome');
    expect(await keysOf(fay!, id)).toEqual([second]);
    expect(await keysOf(cyd, id)).toContain(first);
    const rows: OutboxRow[] = [];
    const draft = { nextSeq: () => rows.length, put: (_: string, row: OutboxRow) => void rows.push(row) };
    const both = [cyd, fay!].map((one) => ({ account: accountOf(one) }));
    handEarlier(draft as never, await rowOf(bob, id), both);
    expect(rows.map(({ conversation }) => conversation)).toEqual([accountOf(cyd), accountOf(cyd)]);
    expect(rows.map(({ hand }) => hand!.channel).toSorted()).toEqual([before, first].toSorted());
  });
});
