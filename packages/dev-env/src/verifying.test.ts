import { fromBase64url, toBase64url } from '@sotto/crypto/bytes';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idOf, meet } from './meeting.ts';
import { recover } from './recovering.ts';
import { createWorld, type Resident, until, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

const peerOf = ({ engine }: Resident, id: string) =>
  engine.getSnapshot().conversations.find((entry) => entry.id === id)!.peer;

describe('a safety number', () => {
  it('is the same on both sides; its code verifies whoever shows it, and no other does', async () => {
    const { ann, bob, withAnn, withBob } = await meet(world, 'safety');
    const cyd = await world.resident('safety_cyd');
    const withCyd = await bob.engine.addContact({ handle: cyd.engine.getSnapshot().me!.handle });
    const [anns, bobs, others] = await Promise.all([
      ann.engine.safety(withBob),
      bob.engine.safety(withAnn),
      bob.engine.safety(withCyd),
    ]);
    expect(anns.number).toMatch(/^\d{60}$/);
    expect(bobs.number).toBe(anns.number);
    expect(others.number).not.toBe(anns.number);

    expect(peerOf(ann, withBob).verified).toBe(false);
    const newer = fromBase64url(bobs.code);
    newer[newer.length - 65] = 2;
    expect(await ann.engine.compareCode(withBob, toBase64url(newer))).toBe('newer');
    expect(await ann.engine.compareCode(withBob, others.code)).toBe('other');
    // One's own, seen in a mirror.
    expect(await ann.engine.compareCode(withBob, anns.code)).toBe('other');
    for (const other of ['', 'https://example.org/#/add/bob', bobs.code.slice(0, -2), `${bobs.code}AA`])
      expect(await ann.engine.compareCode(withBob, other)).toBe('no-code');
    expect(peerOf(ann, withBob).verified).toBe(false);
    expect(await ann.engine.compareCode(withBob, bobs.code)).toBe('same');
    expect(peerOf(ann, withBob).verified).toBe(true);
    await ann.restart();
    expect(peerOf(ann, withBob).verified).toBe(true);
    await ann.engine.setVerified(withBob, false);
    expect(peerOf(ann, withBob).verified).toBe(false);
    await expect(ann.engine.safety(idOf(ann))).rejects.toMatchObject({ code: 'yourself' });
  });

  it('has to be compared again once the account was recovered; until the person agrees nothing is sent', async () => {
    const { ann, bob, withBob } = await meet(world, 'recovered');
    await ann.engine.setVerified(withBob, true);
    await recover(bob, world.relay.url);
    const id = toBase64url(crypto.getRandomValues(new Uint8Array(16)));
    await ann.engine.send(withBob, 'who are you?', { id });
    const isChanged = () => peerOf(ann, withBob).changed === 'recovered';
    await until(ann.engine, isChanged, 'the change');
    expect(peerOf(ann, withBob).verified).toBe(false);
    const view = (await ann.engine.openConversation(withBob))!;
    const statusOf = () => view.getSnapshot().messages.find((message) => message.id === id)!.status;
    expect(statusOf()).toBe('waiting');
    // That it is the person does not follow from that they are asked after.
    await ann.engine.setVerified(withBob, true);
    expect(isChanged()).toBe(true);
    await ann.engine.setVerified(withBob, false);
    await ann.engine.acceptIdentity(withBob);
    await until(view, () => statusOf() === 'delivered', 'delivery');
    expect(peerOf(ann, withBob)).toMatchObject({ verified: false });
    expect(peerOf(ann, withBob).changed).toBeUndefined();
  });
});
