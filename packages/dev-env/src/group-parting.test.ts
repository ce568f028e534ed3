import type { IncomingEnvelope } from '@sotto/contract/envelope';
import { fromBase64url } from '@sotto/crypto/bytes';
import { createGroupKey } from '@sotto/crypto/channel';
import { openEntry, sealEntry } from '@sotto/crypto/channel-seal';
import { propose } from '@sotto/crypto/membership';
import type { Operation } from '@sotto/crypto/membership-operation';
import { roleOf } from '@sotto/crypto/membership-state';
import { signerOf } from '@sotto/engine/account/signer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { accountOf, circle, sees } from './circle.ts';
import { addDevice } from './devices.ts';
import { newId } from './meeting.ts';
import { tapped } from './tapped.ts';
import { createWorld, type Resident, type World } from './world.ts';

let world: World;
beforeAll(async () => {
  world = await createWorld();
}, 60_000);
afterAll(() => world.close());

type Body = Uint8Array<ArrayBuffer>;

/** Three in a group, the last of whom is away; `before` and `after` is what comes to them around the first entry that they missed. */
const away = async (name: string) => {
  const around: { before: Body[]; after: Body[] } = { before: [], after: [] };
  const transport = tapped((envelope) => {
    if (envelope.channel === undefined) return undefined;
    const other = (body: Body) => ({ ...envelope, id: newId(), body }) as unknown as IncomingEnvelope;
    const all = [...around.before.map(other), envelope, ...around.after.map(other)];
    Object.assign(around, { before: [], after: [] });
    return all;
  });
  const { all, id } = await circle(world, name, [{}, {}, { transport }]);
  const [ann, bob, cyd] = all as [Resident, Resident, Resident];
  const stateOf = async (one: Resident) => (await one.store.get('group', id))!.state!;
  await cyd.engine.close();
  const isOut = async () => {
    await cyd.restart();
    await expect
      .poll(async () => roleOf(await stateOf(cyd), accountOf(cyd)), { timeout: 15_000 })
      .toBeUndefined();
    expect((await cyd.store.get('group', id))!.stopped).toBeUndefined();
  };
  return { ann, bob, cyd, id, around, stateOf, isOut };
};

describe('who was removed while they were away', () => {
  it('is out whatever a member posts that the one who removed them never signed', async () => {
    const { ann, bob, cyd, id, around, stateOf, isOut } = await away('forged');
    const known = await stateOf(bob);
    await ann.engine.setTitle(id, 'as it is');
    await expect.poll(async () => (await stateOf(bob)).epoch).toBe(known.epoch + 1);
    const { log } = (await bob.store.get('group', id))!;
    const [self, owner] = await Promise.all(
      [bob, ann].map(async ({ store }) => (await store.get('self', 'self'))!),
    );
    const forge = async (operation: Operation) => {
      const { account, device } = owner!;
      const actor = { account, device };
      const signing = self!.signing.privateKey;
      const { entry } = await propose({ state: known, actor, signing, createdAt: Date.now(), operation });
      return sealEntry(log, known.epoch + 1, entry);
    };
    const { id: channel } = await createGroupKey('channel', id);
    around.before = [await forge({ kind: 'remove', accounts: [accountOf(cyd)], channel })];
    const { entries } = await bob.transport.channel(signerOf(self!), id as never, known.epoch + 1);
    const { epoch, entry: copy } = await openEntry(log, fromBase64url(entries[0]!.entry));
    copy[copy.length - 1]! ^= 1;
    around.after = [await sealEntry(log, epoch, copy)];
    await ann.engine.removeMembers(id, [accountOf(cyd)]);
    await isOut();
    expect((await stateOf(cyd)).hash).toEqual((await stateOf(ann)).hash);
    await expect.poll(async () => (await cyd.store.all('held')).length).toBe(0);
  });

  it('is out though the device that removed them was itself removed since', async () => {
    const { ann, bob, cyd, id, stateOf, isOut } = await away('revoked');
    const other = await addDevice(world, ann);
    await sees(other, id, 3);
    await other.engine.removeMembers(id, [accountOf(cyd)]);
    await sees(bob, id, 2);
    const removed = await stateOf(bob);
    const { device } = other.engine.getSnapshot().devices.find(({ current }) => current)!;
    await ann.engine.removeDevice(device);
    await expect
      .poll(async () => (await bob.store.get('contact', accountOf(ann)))!.revoked)
      .toContain(device);
    await isOut();
    expect((await stateOf(cyd)).hash).toEqual(removed.hash);
  });
});
