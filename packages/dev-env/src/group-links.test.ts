import type { ConversationId, EnvelopeId, LinkToken } from '@sotto/contract/ids';
import type { GroupLink } from '@sotto/contract/link';
import { concat, toBase64url, u32, u8 } from '@sotto/crypto/bytes';
import { openLink, sealJoinRequest } from '@sotto/crypto/group-link';
import { signerOf } from '@sotto/engine/account/signer';
import type { Transport } from '@sotto/engine/ports';
import { openVault } from '@sotto/engine/vault';
import type { ConversationView, GroupLinkOptions, GroupSnapshot } from '@sotto/engine/views';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, groupOf, hears, people, sees, viewOf, words } from './circle.ts';
import { newId } from './meeting.ts';
import { createWorld, online, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

const OPEN: GroupLinkOptions = { approval: false, history: 'none' };
const ASKING: GroupLinkOptions = { approval: true, history: 'none' };

const strangers = async (name: string, count: number): Promise<Resident[]> => {
  const all: Resident[] = [];
  for (let n = 0; n < count; n += 1) all.push(...(await people(world, `${name}${n}`, [{}])));
  return all;
};

/** What a group shows somebody, once it is so. */
const shown = async (
  { engine }: Resident,
  id: ConversationId,
  isSo: (group: GroupSnapshot) => boolean,
): Promise<GroupSnapshot> => {
  const view = (await engine.openGroup(id))!;
  await until(view, () => isSo(view.getSnapshot()), 'the group');
  const snapshot = view.getSnapshot();
  view.close();
  return snapshot;
};

const linkTo = async (
  admin: Resident,
  id: ConversationId,
  options: GroupLinkOptions & { fresh?: boolean },
  before?: GroupLink,
): Promise<GroupLink> => {
  await admin.engine.setGroupLink(id, options);
  const { link } = await shown(admin, id, (group) => group.link !== undefined);
  expect(link!.link.secret === before?.secret).toBe(before !== undefined && !options.fresh);
  return link!.link;
};

/** Once the relay knows the link. */
const leads = (one: Resident, link: GroupLink) =>
  expect
    .poll(() => one.engine.lookAtGroupLink(link).catch((error: { code: string }) => error.code))
    .toMatchObject({ member: false });

const joinOf = ({ engine }: Resident, id: ConversationId) =>
  engine.getSnapshot().joins.find(({ group }) => group === id);

const answered = (one: Resident, id: ConversationId, answer: string) =>
  until(one.engine, () => joinOf(one, id)?.answer === answer, answer);

const requestsOf = async (one: Resident, id: ConversationId, count: number) =>
  (await shown(one, id, ({ requests }) => requests.length === count)).requests;

describe('a link into a group', () => {
  it('shows name and number of members, and lets in by an admin’s device alone', async () => {
    const { all, id, views } = await circle(world, 'hikers', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    const [cyd] = await strangers('cyd', 1);
    const link = await linkTo(ann, id, OPEN);
    await leads(cyd!, link);
    expect(await cyd!.engine.lookAtGroupLink(link)).toEqual({
      title: 'hikers',
      members: 2,
      approval: false,
      member: false,
      full: false,
    });
    expect((await bob.engine.lookAtGroupLink(link)).member).toBe(true);
    // Who may not add is not shown the link.
    const bobs = (await bob.engine.openGroup(id))!;
    expect(bobs.getSnapshot().link).toBeUndefined();
    await expect(bob.engine.setGroupLink(id, ASKING)).rejects.toMatchObject({ code: 'membership-invalid' });
    await cyd!.engine.joinGroup(link);
    await Promise.all([ann, bob, cyd!].map((one) => sees(one, id, 3)));
    expect(cyd!.engine.getSnapshot().joins).toEqual([]);
    // It asked for it: no request.
    expect(cyd!.engine.getSnapshot().conversations.find((entry) => entry.id === id)?.request).toBeUndefined();
    const cyds = await viewOf(cyd!, id);
    await cyd!.engine.send(id, 'made it');
    await Promise.all([...views, cyds].map((view) => hears(view, 'made it')));
    await expect(cyd!.engine.joinGroup(link)).rejects.toMatchObject({ code: 'already-member' });
    // Another name is what the link shows from then on.
    await ann.engine.setTitle(id, 'climbers');
    const [dan] = await strangers('dan', 1);
    await expect.poll(async () => (await dan!.engine.lookAtGroupLink(link)).title).toBe('climbers');
  });

  it('with approval waits for a person, who accepts or refuses; the other admins hear of it', async () => {
    const { all, id } = await circle(world, 'careful', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    await ann.engine.setRole(id, accountOf(bob), 'admin');
    const link = await linkTo(ann, id, ASKING);
    const [cyd, dan] = (await strangers('wait', 2)) as [Resident, Resident];
    await leads(cyd, link);
    await Promise.all([cyd, dan].map((one) => one.engine.joinGroup(link)));
    expect(joinOf(cyd, id)).toMatchObject({ title: 'careful' });
    const requests = await requestsOf(ann, id, 2);
    expect(requests.map(({ person }) => person.name).every((name) => name.startsWith('WAIT'))).toBe(true);
    expect(groupOf(ann, id)!.asking).toBe(2);
    expect(requests.map(({ before }) => before)).toEqual([false, false]);
    await requestsOf(bob, id, 2);
    const byHandle = (one: Resident) =>
      requests.find(({ person }) => person.handle === one.engine.getSnapshot().me!.handle)!;
    expect(groupOf(ann, id)!.members).toBe(2);
    await bob.engine.answerRequest(id, byHandle(dan).id, { accept: false });
    await answered(dan, id, 'refused');
    await requestsOf(ann, id, 1);
    await ann.engine.answerRequest(id, byHandle(cyd).id, { accept: true });
    await Promise.all([ann, bob, cyd].map((one) => sees(one, id, 3)));
    await requestsOf(ann, id, 0);
    await requestsOf(bob, id, 0);
    expect([ann, bob].map((one) => groupOf(one, id)!.asking)).toEqual([undefined, undefined]);
    await dan.engine.forgetJoin(id);
    expect(joinOf(dan, id)).toBeUndefined();
    // They may ask again.
    await dan.engine.joinGroup(link);
    await requestsOf(bob, id, 1);
  });

  it('that is closed while people are let in lets in nobody more', async () => {
    let isHeld = false;
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    let reached = (): void => undefined;
    const asked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    const slow = (transport: Transport): Transport => ({
      ...transport,
      async changeChannel(...request) {
        if (isHeld) {
          isHeld = false;
          reached();
          await held;
        }
        return transport.changeChannel(...request);
      },
    });
    const { all, id } = await circle(world, 'closing', [{ transport: slow }, {}]);
    const [ann] = all as [Resident];
    const link = await linkTo(ann, id, OPEN);
    const [cyd, dan] = (await strangers('many', 2)) as [Resident, Resident];
    await leads(cyd, link);
    isHeld = true;
    await cyd.engine.joinGroup(link);
    await asked;
    await dan.engine.joinGroup(link);
    await ann.engine.setGroupLink(id, ASKING);
    release();
    await requestsOf(ann, id, 2);
    await ann.engine.setTitle(id, 'closed');
    expect(groupOf(ann, id)!.members).toBe(2);
    expect((await ann.store.get('group', id))!.sharing).toBeUndefined();
  });

  it('that is reset or ended leads nowhere, and says so to who had asked', async () => {
    const { all, id } = await circle(world, 'reset', [{}, {}]);
    const [ann] = all as [Resident, Resident];
    const first = await linkTo(ann, id, ASKING);
    const [cyd] = await strangers('late', 1);
    await leads(cyd!, first);
    await cyd!.engine.joinGroup(first);
    await requestsOf(ann, id, 1);
    const second = await linkTo(ann, id, { ...ASKING, fresh: true }, first);
    await answered(cyd!, id, 'reset');
    await requestsOf(ann, id, 0);
    await leads(cyd!, second);
    await expect(cyd!.engine.joinGroup(first)).rejects.toMatchObject({ code: 'link-unknown' });
    await ann.engine.setGroupLink(id, undefined);
    await expect
      .poll(() => cyd!.engine.lookAtGroupLink(second).catch((error: { code: string }) => error.code))
      .toBe('link-unknown');
    expect((await shown(ann, id, ({ link }) => link === undefined)).link).toBeUndefined();
  });

  it('leaves a line for each change, with who was there and who was not', async () => {
    const { all, id, views } = await circle(world, 'lines', [{}, {}, {}]);
    const [ann, bob, cyd] = all as [Resident, Resident, Resident];
    await cyd.engine.close();
    const first = await linkTo(ann, id, ASKING);
    await ann.engine.setGroupLink(id, OPEN);
    await linkTo(ann, id, { ...OPEN, fresh: true }, first);
    await ann.engine.setGroupLink(id, undefined);
    const lines = (view: ConversationView) =>
      view.getSnapshot().messages.flatMap(({ note }) => (note?.kind === 'settings' ? [note.link] : []));
    const changes = ['made', 'changed', 'reset', 'ended'];
    await expect.poll(() => lines(views[1]!)).toEqual(changes);
    const last = () => bob.engine.getSnapshot().conversations.find((one) => one.id === id)?.last;
    expect(last()).toMatchObject({ note: { link: 'ended' }, from: accountOf(ann) });
    await cyd.restart();
    const view = await viewOf(cyd, id);
    await expect.poll(() => lines(view)).toEqual(changes);
  });

  it('is ended by who cannot read it yet', async () => {
    const { all, id } = await circle(world, 'unread', [{}]);
    const [ann] = all as [Resident];
    const [cyd] = await strangers('unread', 1);
    const link = await linkTo(ann, id, OPEN);
    await leads(cyd!, link);
    await ann.engine.close();
    const store = await openVault(ann.disk.open());
    const { texts, ...row } = (await store.get('group', id))!;
    const { settings: _, ...read } = texts!;
    // The channel key is on its way.
    await store.commit([{ table: 'group', put: { ...row, texts: read, channels: [] } }]);
    await ann.restart();
    await online(ann.engine);
    await ann.engine.setGroupLink(id, undefined);
    await expect
      .poll(() => cyd!.engine.lookAtGroupLink(link).catch((error: { code: string }) => error.code))
      .toBe('link-unknown');
  });

  it('that is over lets nobody in', async () => {
    const { all, id } = await circle(world, 'over', [{}]);
    const [ann] = all as [Resident];
    const [cyd] = await strangers('over', 1);
    const link = await linkTo(ann, id, { ...OPEN, until: Date.now() - 1000 });
    await expect
      .poll(() => cyd!.engine.joinGroup(link).catch((error: { code: string }) => error.code))
      .toBe('link-expired');
  });

  it('lets who was there before in by a person alone', async () => {
    const { all, id } = await circle(world, 'again', [{}, {}]);
    const [ann, bob] = all as [Resident, Resident];
    const link = await linkTo(ann, id, OPEN);
    await ann.engine.removeMembers(id, [accountOf(bob)]);
    await sees(ann, id, 1);
    await until(bob.engine, () => groupOf(bob, id)?.role === undefined, 'removed');
    await leads(bob, link);
    await bob.engine.joinGroup(link);
    const [request] = await requestsOf(ann, id, 1);
    expect(request!.before).toBe(true);
    // Who asks after them is let in by itself.
    const [cyd] = await strangers('after', 1);
    await cyd!.engine.joinGroup(link);
    await sees(cyd!, id, 2);
    expect(groupOf(ann, id)!.members).toBe(2);
    await ann.engine.answerRequest(id, request!.id, { accept: true });
    await Promise.all([ann, bob].map((one) => sees(one, id, 3)));
    const bobs = await viewOf(bob, id);
    await ann.engine.send(id, 'welcome back');
    await hears(bobs, 'welcome back');
  });

  it('A2 leads into the group that it names, whatever the relay shows under its id', async () => {
    const { all, id } = await circle(world, 'real', [{}]);
    const [ann] = all as [Resident];
    const [cyd] = await strangers('pinned', 1);
    const link = await linkTo(ann, id, OPEN);
    await leads(cyd!, link);
    const other = { ...link, pin: 'AAAAAAAAAAAAAAAAAAAAAA' as GroupLink['pin'] };
    await cyd!.engine.joinGroup(other);
    await answered(cyd!, id, 'other-group');
    expect(groupOf(cyd!, id)).toBeUndefined();
    expect(await cyd!.store.get('group', id)).toBeUndefined();
  });

  it('A11 shows nothing that the relay made up, and asks nobody then', async () => {
    const { all, id } = await circle(world, 'lying', [{}]);
    const [ann] = all as [Resident];
    const link = await linkTo(ann, id, ASKING);
    let asked = 0;
    const [cyd] = await people(world, 'fooled', [
      {
        transport: (transport) => ({
          ...transport,
          async lookAtLink(...request) {
            const shown = await transport.lookAtLink(...request);
            return { ...shown, preview: `${shown.preview.slice(0, -4)}AAAA` };
          },
          askToJoin(...request) {
            asked += 1;
            return transport.askToJoin(...request);
          },
        }),
      },
    ]);
    const codeOf = (work: Promise<unknown>) => work.catch((error: { code: string }) => error.code);
    await expect.poll(() => codeOf(cyd!.engine.lookAtGroupLink(link))).toBe('bad-link');
    expect(await codeOf(cyd!.engine.joinGroup(link))).toBe('bad-link');
    expect([asked, joinOf(cyd!, id)]).toEqual([0, undefined]);
  });

  /** A request as somebody makes it who has the link and an engine of their own. */
  const forge = async (by: Resident, link: GroupLink, account: string, device: string): Promise<void> => {
    const keys = await openLink(link.channel, link.secret);
    const self = (await by.store.get('self', 'self'))!;
    const [id, delivery] = [newId(), newId()];
    const request = { from: { account, device }, id, createdAt: Date.now(), delivery, name: 'Cyd' };
    const body = await sealJoinRequest(keys, request, self.signing.privateKey);
    await by.transport.askToJoin(signerOf(self), link.channel, {
      token: toBase64url(keys.token) as LinkToken,
      id: newId() as unknown as EnvelopeId,
      body: toBase64url(body),
    });
  };

  it('A2 lets nobody in whom somebody else asks for, nor by a link that is over', async () => {
    const { all, id } = await circle(world, 'forged', [{}]);
    const [ann] = all as [Resident];
    const [cyd, eve, dan] = (await strangers('forger', 3)) as [Resident, Resident, Resident];
    const link = await linkTo(ann, id, OPEN);
    await leads(eve, link);
    const cyds = (await cyd.store.get('self', 'self'))!;
    await forge(eve, link, cyds.account, cyds.device);
    // Who asks after them is taken in: by then they were looked at.
    await dan.engine.joinGroup(link);
    await sees(dan, id, 2);
    expect(groupOf(ann, id)!.members).toBe(2);
    const eves = (await eve.store.get('self', 'self'))!;
    const asked = async () => (await ann.store.get('group', id))!.requests;
    await linkTo(ann, id, { ...OPEN, until: Date.now() - 1000 }, link);
    await forge(eve, link, eves.account, eves.device);
    await expect.poll(() => ann.store.get('contact', eves.account)).toBeDefined();
    await expect.poll(asked).toBeUndefined();
    expect(groupOf(ann, id)!.members).toBe(2);
  });

  it('A2 keeps what somebody asks, whatever others ask in their name', async () => {
    const { all, id } = await circle(world, 'named', [{}]);
    const [ann] = all as [Resident];
    const [cyd, eve, dan, fay] = (await strangers('claim', 4)) as [Resident, Resident, Resident, Resident];
    const link = await linkTo(ann, id, ASKING);
    await leads(eve, link);
    const cyds = (await cyd.store.get('self', 'self'))!;
    const kept = async () => (await ann.store.get('group', id))!.requests!.map(({ account }) => account);
    await cyd.engine.joinGroup(link);
    const [request] = await requestsOf(ann, id, 1);
    await forge(eve, link, cyds.account, cyds.device);
    // Once they are shown, what came before them was looked at.
    await dan.engine.joinGroup(link);
    await requestsOf(ann, id, 2);
    expect(await kept()).toEqual([cyd, dan].map(accountOf));
    await ann.engine.answerRequest(id, request!.id, { accept: false });
    await answered(cyd, id, 'refused');
    // And where both are looked at only later.
    await ann.engine.close();
    await cyd.engine.joinGroup(link);
    await forge(eve, link, cyds.account, cyds.device);
    await fay.engine.joinGroup(link);
    await ann.restart();
    await requestsOf(ann, id, 3);
    expect(await kept()).toEqual([dan, cyd, fay].map(accountOf));
  });

  it('tells who asks that the group has stopped', async () => {
    const { all, id } = await circle(world, 'halted', [{}]);
    const [ann] = all as [Resident];
    const [cyd] = await strangers('halt', 1);
    const link = await linkTo(ann, id, OPEN);
    await leads(cyd!, link);
    await ann.engine.close();
    const store = await openVault(ann.disk.open());
    const row = (await store.get('group', id))!;
    await store.commit([{ table: 'group', put: { ...row, stopped: 'group-fork' } }]);
    await ann.restart();
    // A9: what cannot be read holds nothing up.
    const cyds = (await cyd!.store.get('self', 'self'))!;
    const keys = await openLink(link.channel, link.secret);
    const named = concat(u8(1), u32(0), new Uint8Array(100).fill(1));
    for (const body of [new Uint8Array(100), named, concat(u8(1), u32(0), keys.id)]) {
      await cyd!.transport.askToJoin(signerOf(cyds), link.channel, {
        token: toBase64url(keys.token) as LinkToken,
        id: newId() as unknown as EnvelopeId,
        body: toBase64url(body),
      });
    }
    await cyd!.engine.joinGroup(link);
    await answered(cyd!, id, 'stopped');
  });

  it('waits while the admins are away, and is answered once one is there, whatever died in between', async () => {
    const { all, id } = await circle(world, 'asleep', [{}]);
    const [ann] = all as [Resident];
    const [cyd] = await strangers('patient', 1);
    const link = await linkTo(ann, id, OPEN);
    await leads(cyd!, link);
    await ann.engine.close();
    await cyd!.engine.joinGroup(link);
    await cyd!.engine.forgetJoin(id);
    expect(joinOf(cyd!, id)).toBeUndefined();
    // Once more: it is one request.
    await cyd!.engine.joinGroup(link);
    await cyd!.restart();
    await online(cyd!.engine);
    expect(joinOf(cyd!, id)).toBeDefined();
    await ann.restart();
    await Promise.all([ann, cyd!].map((one) => sees(one, id, 2)));
    expect(cyd!.engine.getSnapshot().joins).toEqual([]);
    const view = await viewOf(cyd!, id);
    await ann.engine.send(id, 'hello');
    await hears(view, 'hello');
    expect(words(view)).toEqual(['hello']);
  });
});
