import { createGroupKey } from '@sotto/crypto/channel';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, words } from './circle.ts';
import { newId } from './meeting.ts';
import { entryBy, postBy, puppet, reasonOf } from './puppet.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

const MINUTE = 60_000;

/** Three in a group; whatever comes to the last can be made up. */
const three = async (name: string) => {
  const relay = puppet();
  const { all, id, views } = await circle(world, name, [{}, {}, { transport: relay.wrap }]);
  const [ann, bob, cyd] = all as [Resident, Resident, Resident];
  await bob.engine.send(id, 'hello');
  await Promise.all(views.map((view) => hears(view, 'hello')));
  const stateOf = async (one: Resident) => (await one.store.get('group', id))!.state!;
  /** All have come as far as the first. */
  const agreed = async () => {
    const { epoch } = await stateOf(ann);
    for (const one of [bob, cyd]) await expect.poll(async () => (await stateOf(one)).epoch).toBe(epoch);
    // The last knows when.
    await expect
      .poll(async () => (await cyd.store.get('group', id))!.reached?.some((one) => one.epoch === epoch))
      .toBe(true);
  };
  return { relay, ann, bob, cyd, id, view: views[2]!, views, stateOf, agreed };
};

const said = (text: string) => ({ kind: 'text', id: newId(), sentAt: Date.now(), text });

describe('a member who posts an entry that the log does not have', () => {
  it('changes nothing for anybody', async () => {
    const { relay, ann, bob, cyd, id, views, stateOf } = await three('unlogged');
    const before = await stateOf(cyd);
    const key = await createGroupKey('channel', id);
    const rekey = await entryBy(bob, id, { kind: 'rekey', channel: key.id });
    expect(await reasonOf(cyd, relay.hand(rekey, id))).toBe('membership-invalid');
    const leave = await entryBy(bob, id, { kind: 'leave' });
    expect(await reasonOf(cyd, relay.hand(leave, id))).toBe('membership-invalid');
    expect((await stateOf(cyd)).hash).toEqual(before.hash);
    await cyd.engine.send(id, 'goes on');
    await ann.engine.setTitle(id, 'still here');
    await ann.engine.send(id, 'so it does');
    await Promise.all(views.map((view) => hears(view, 'so it does')));
    await Promise.all(views.map((view) => hears(view, 'goes on')));
    await until(cyd.engine, () => groupOf(cyd, id)?.title === 'still here', 'the title');
  });

  it('stops no group with another one for an epoch that has passed', async () => {
    const { relay, ann, bob, cyd, id, views, stateOf, agreed } = await three('beside');
    const before = await stateOf(bob);
    await ann.engine.setTitle(id, 'as it is');
    await agreed();
    const key = await createGroupKey('channel', id);
    const other = await entryBy(bob, id, { kind: 'rekey', channel: key.id }, before);
    expect(await reasonOf(cyd, relay.hand(other, id))).toBe('group-fork');
    await ann.engine.send(id, 'goes on');
    await Promise.all(views.map((view) => hears(view, 'goes on')));
    expect(groupOf(cyd, id)?.stopped).toBeUndefined();
  });
});

describe('a member who names a state that has passed', () => {
  it('does not write where admins alone do', async () => {
    const { relay, ann, bob, cyd, id, view, stateOf, agreed } = await three('closed');
    const open = await stateOf(bob);
    await ann.engine.setPolicy(id, { adminsPost: true });
    await agreed();
    const { at } = (await cyd.store.get('group', id))!.reached!.at(-1)!;
    const late = await postBy(bob, id, said('too late'), open);
    expect(await reasonOf(cyd, relay.hand(late, id, at + 2 * MINUTE))).toBe('stale-epoch');
    const now = await postBy(bob, id, said('now'), await stateOf(bob));
    expect(await reasonOf(cyd, relay.hand(now, id, at + 2 * MINUTE))).toBe('not-allowed');
    // What the relay took before is shown, however late it comes.
    relay.hand(await postBy(bob, id, said('in time'), open), id, at - 1);
    await hears(view, 'in time');
    expect(words(view)).toEqual(['hello', 'in time']);
  });

  it('wrote where admins alone did, and is not shown though all may now', async () => {
    const { relay, ann, bob, cyd, id, stateOf, agreed } = await three('opened');
    await ann.engine.setPolicy(id, { adminsPost: true });
    await agreed();
    const closed = await stateOf(bob);
    await ann.engine.setPolicy(id, { adminsPost: false });
    await agreed();
    const { at } = (await cyd.store.get('group', id))!.reached!.at(-1)!;
    const post = await postBy(bob, id, said('was not mine to say'), closed);
    expect(await reasonOf(cyd, relay.hand(post, id, at - 1))).toBe('not-allowed');
  });

  it('takes nothing back of others once it is no admin any more', async () => {
    const { relay, ann, bob, cyd, id, view, stateOf, agreed } = await three('demoted');
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    await ann.engine.setPolicy(id, { adminsDelete: true });
    await agreed();
    const asAdmin = await stateOf(bob);
    await ann.engine.setRole(id, accountOf(bob), 'member');
    await agreed();
    await ann.engine.send(id, 'stays');
    await hears(view, 'stays');
    const message = view.getSnapshot().messages.find(({ text }) => text === 'stays')!;
    const deletion = {
      kind: 'delete',
      messages: [{ author: accountOf(ann), id: message.id }],
      sentAt: 1,
    };
    const { at } = (await cyd.store.get('group', id))!.reached!.at(-1)!;
    const post = await postBy(bob, id, deletion, asAdmin);
    expect(await reasonOf(cyd, relay.hand(post, id, at + 2 * MINUTE))).toBe('stale-epoch');
    expect(words(view)).toContain('stays');
  });
});
