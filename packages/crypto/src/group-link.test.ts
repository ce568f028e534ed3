import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64url, utf8 } from './bytes.ts';
import {
  checkJoinRequest,
  createLinkSecret,
  linkPin,
  openJoinRequest,
  openLink,
  openPreview,
  sealJoinRequest,
  sealPreview,
  type GroupLinkKeys,
  type JoinRequest,
} from './group-link.ts';
import { codeOf, NOW, people, type Person } from './group-suite.ts';
import { flipped, random } from './test-support.ts';

const id = (): string => toBase64url(random(16));

let ann: Person, eve: Person;
let keys: GroupLinkKeys, other: GroupLinkKeys;
const group = id();
const secret = createLinkSecret();
beforeAll(async () => {
  [ann, eve] = (await people(2)) as [Person, Person];
  [keys, other] = await Promise.all([openLink(group, secret), openLink(group, createLinkSecret())]);
});

const requestOf = (who: Person): JoinRequest => ({
  from: { account: who.account, device: who.device },
  id: id(),
  createdAt: NOW,
  delivery: id(),
  name: 'Ann Ämter',
});

describe('a link to a group', () => {
  it('leads to the same keys for whoever has it, and to others for another group', async () => {
    const again = await openLink(group, secret);
    expect([again.id, again.token]).toEqual([keys.id, keys.token]);
    const elsewhere = await openLink(id(), secret);
    for (const one of [elsewhere, other]) {
      expect(one.id).not.toEqual(keys.id);
      expect(one.token).not.toEqual(keys.token);
    }
    expect(keys.key.extractable).toBe(false);
    for (const bad of ['', toBase64url(random(15)), toBase64url(random(17))]) {
      expect(await codeOf(() => openLink(group, bad))).toBe('bad-encoding');
    }
    expect(linkPin(random(32))).toHaveLength(22);
  });

  it('A11 shows what was sealed under it, and no byte of it changed', async () => {
    const sealed = await sealPreview(keys, utf8('Hikers'));
    expect(await openPreview(keys, sealed)).toEqual(utf8('Hikers'));
    expect(await codeOf(() => openPreview(other, sealed))).toBe('channel-key-unknown');
    for (let at = 0; at < sealed.length; at += 1) {
      expect(await codeOf(() => openPreview(keys, flipped(sealed, at))), `byte ${at}`).not.toBe(
        'nothing was thrown',
      );
    }
    // Neither is taken for the other.
    const request = await sealJoinRequest(keys, requestOf(ann), ann.signing.privateKey);
    expect(await codeOf(() => openPreview(keys, request))).toBe('cannot-open');
    expect(await codeOf(() => openJoinRequest(keys, sealed))).toBe('cannot-open');
  });

  it('A2 carries requests that are signed by who asks, for this link alone', async () => {
    const request = requestOf(ann);
    const opened = await openJoinRequest(keys, await sealJoinRequest(keys, request, ann.signing.privateKey));
    expect(opened).toMatchObject(request);
    expect(await checkJoinRequest(keys, opened, ann.signing.publicKey)).toBe(true);
    expect(await checkJoinRequest(other, opened, ann.signing.publicKey)).toBe(false);
    const elsewhere = { ...keys, group: id() };
    expect(await checkJoinRequest(elsewhere, opened, ann.signing.publicKey)).toBe(false);
    for (const change of [
      { from: { account: eve.account, device: eve.device } },
      { id: id() },
      { createdAt: NOW + 1 },
      { delivery: id() },
      { name: 'Anna' },
    ]) {
      expect(await checkJoinRequest(keys, { ...opened, ...change }, ann.signing.publicKey)).toBe(false);
    }
    const forged = await openJoinRequest(keys, await sealJoinRequest(keys, request, eve.signing.privateKey));
    expect(await checkJoinRequest(keys, forged, ann.signing.publicKey)).toBe(false);
  });
});
