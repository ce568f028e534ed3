import { RelayError } from '@sotto/contract/errors';
import type { Handle, InviteSecret } from '@sotto/contract/ids';
import type { Transport } from '@sotto/engine/ports';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWorld, online, until, type World } from './world.ts';

let world: World;
let count = 0;
beforeAll(async () => {
  world = await createWorld();
});
afterAll(() => world.close());

const newHandle = () => `person_${++count}` as Handle;

/** Lets requests through or not, or loses their answers. */
const network = () => {
  const state = { mode: 'up' as 'up' | 'down' | 'deaf' };
  const wrap = (transport: Transport): Transport => ({
    ...transport,
    async register(request) {
      if (state.mode === 'down') throw new RelayError('unreachable');
      const answer = await transport.register(request);
      if (state.mode === 'deaf') throw new RelayError('unreachable');
      return answer;
    },
  });
  return { state, transport: wrap };
};

describe('making an account', () => {
  it('needs an invite that is open, and keeps nothing when the relay refuses', async () => {
    const ann = await world.resident(newHandle());
    const { link } = await ann.engine.createInvite();
    const eve = await world.newcomer();
    expect(await eve.engine.checkInvite(link.invite!)).toBe('open');

    const taken = eve.engine.register({ link, handle: ann.engine.getSnapshot().me!.handle, name: 'Eve' });
    await expect(taken).rejects.toMatchObject({ code: 'handle-taken' });
    expect(eve.engine.getSnapshot()).toMatchObject({ phase: 'new' });
    expect(await eve.store.all('self')).toEqual([]);

    await eve.engine.register({ link, handle: newHandle(), name: 'Eve' });
    const mallory = await world.newcomer();
    expect(await mallory.engine.checkInvite(link.invite!)).toBe('used');
    const used = mallory.engine.register({ link, handle: newHandle(), name: 'Mallory' });
    await expect(used).rejects.toMatchObject({ code: 'invite-used' });

    const invite = Buffer.alloc(16, 3).toString('base64url') as InviteSecret;
    const unknown = mallory.engine.register({ link: { invite }, handle: newHandle(), name: 'Mallory' });
    await expect(unknown).rejects.toMatchObject({ code: 'invite-unknown' });
    const none = mallory.engine.register({ link: {}, handle: newHandle(), name: 'Mallory' });
    await expect(none).rejects.toMatchObject({ code: 'verification-required', detail: 'invite' });
    const again = eve.engine.register({ link, handle: newHandle(), name: 'Eve' });
    await expect(again).rejects.toMatchObject({ code: 'already-registered' });
  });

  it('opens a verified conversation with whoever made the link', async () => {
    const ann = await world.resident(newHandle());
    const bob = await world.newcomer();
    const { link } = await ann.engine.createInvite();
    await bob.engine.register({ link, handle: newHandle(), name: 'Bob' });
    const { conversations } = await online(bob.engine);
    expect(conversations).toMatchObject([
      { id: ann.engine.getSnapshot().me!.account, peer: { verified: true } },
    ]);
    await bob.engine.send(conversations[0]!.id, 'hello');
    await until(ann.engine, (snapshot) => snapshot.conversations[0]?.unread === 1, 'the first message');
  });

  it('F4 survives a lost answer: one account, whatever the person changes before trying again', async () => {
    const { state, transport } = network();
    const bob = await world.newcomer({ transport });
    const link = await world.invite();
    const handle = newHandle();
    state.mode = 'deaf';
    const lost = bob.engine.register({ link, handle, name: 'Bob' });
    await expect(lost).rejects.toMatchObject({ code: 'unreachable' });
    expect(bob.engine.getSnapshot().phase).toBe('new');
    state.mode = 'up';
    await bob.engine.register({ link, handle: newHandle(), name: 'Bobby' });
    expect(bob.engine.getSnapshot()).toMatchObject({ phase: 'ready', me: { handle, name: 'Bobby' } });
    await online(bob.engine);
  });

  it('goes on after a crash in the middle', async () => {
    const { state, transport } = network();
    const bob = await world.newcomer({ transport });
    const link = await world.invite();
    state.mode = 'down';
    const lost = bob.engine.register({ link, handle: newHandle(), name: 'Bob' });
    await expect(lost).rejects.toMatchObject({ code: 'unreachable' });
    const engine = await bob.restart();
    expect(engine.getSnapshot().phase).toBe('joining');
    state.mode = 'up';
    await until(engine, ({ phase }) => phase === 'ready', 'the account');
    await online(engine);
  });

  it('goes back to the start when the invite was used meanwhile', async () => {
    const { state, transport } = network();
    const bob = await world.newcomer({ transport });
    const link = await world.invite();
    state.mode = 'down';
    await bob.engine.register({ link, handle: newHandle(), name: 'Bob' }).catch(() => undefined);
    const eve = await world.newcomer();
    await eve.engine.register({ link, handle: newHandle(), name: 'Eve' });
    state.mode = 'up';
    const engine = await bob.restart();
    await until(engine, ({ phase }) => phase === 'new', 'the start');
    expect(await bob.store.all('self')).toEqual([]);
  });
});
