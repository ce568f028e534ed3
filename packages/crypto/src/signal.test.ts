import { beforeAll, describe, expect, it } from 'vitest';
import { utf8 } from './bytes.ts';
import { MAX_SIGNALS, OLD_SESSION_LIFETIME, SIGNAL_LIFETIME } from './limits.ts';
import { decrypt } from './session.ts';
import {
  conversation,
  NOW,
  publicDevice,
  start,
  testDevice,
  write,
  type TestDevice,
} from './session-suite.ts';
import { decryptSignal, encryptSignal, type SignalWindow } from './signal.ts';
import { flipped, unchanged } from './test-support.ts';

let a: TestDevice;
let b: TestDevice;
beforeAll(async () => {
  ({ a, b } = await conversation());
});

const say = async (text: string, now = NOW) =>
  (await unchanged({ state: a.peers.get(b.device)!, plaintext: utf8(text), now }, encryptSignal)).body;
const hear = (body: Uint8Array, window: SignalWindow = [], now = NOW) =>
  unchanged({ state: b.peers.get(a.device), window, body, now }, decryptSignal);
const code = (name: string) => expect.objectContaining({ code: name });

describe('a live signal', () => {
  it('is heard, without a word of it in the state', async () => {
    const heard = await hear(await say('typing'));
    expect(heard?.plaintext).toEqual(utf8('typing'));
    expect(heard?.window).toHaveLength(1);
  });

  it('harms nothing when thousands of them are lost', async () => {
    const bodies = await Promise.all(Array.from({ length: 50 }, (_, i) => say(`${i}`)));
    expect((await hear(bodies[49]!))?.plaintext).toEqual(utf8('49'));
    expect((await hear(bodies[0]!))?.plaintext).toEqual(utf8('0'));
  });

  it('is heard once', async () => {
    const body = await say('typing');
    const { window } = (await hear(body))!;
    expect(await hear(body, window)).toBeUndefined();
    expect((await hear(await say('again'), window))?.window).toHaveLength(2);
  });

  it('is heard in its time alone, and the window forgets what is past it', async () => {
    const body = await say('typing');
    expect(await hear(body, [], NOW + SIGNAL_LIFETIME)).toBeDefined();
    expect(await hear(body, [], NOW + SIGNAL_LIFETIME + 1)).toBeUndefined();
    expect(await hear(body, [], NOW - SIGNAL_LIFETIME - 1)).toBeUndefined();
    const { window } = (await hear(body))!;
    const later = NOW + SIGNAL_LIFETIME + 1;
    expect((await hear(await say('later', later), window, later))?.window).toHaveLength(1);
    const full = Array.from({ length: MAX_SIGNALS }, () => window[0]!);
    expect((await hear(await say('one more'), full))?.window).toHaveLength(MAX_SIGNALS);
  });

  it('is refused with any byte changed, cut, from the other side, or as a message', async () => {
    const body = await say('typing');
    for (let at = 0; at < body.length; at += 1) {
      const refused = at < 4 ? 'unsupported' : at < 20 ? 'no-session' : 'cannot-decrypt';
      const changed = flipped(body, at, at === 3 ? 0x40 : 1);
      // A time that is far away is not looked at any further.
      if (at >= 33 && at <= 37) expect(await hear(changed), `${at}`).toBeUndefined();
      else await expect(hear(changed), `${at}`).rejects.toThrow(code(refused));
    }
    for (let length = 0; length < body.length; length += 1) {
      await expect(hear(body.slice(0, length)), `${length}`).rejects.toThrow(code('cannot-decrypt'));
    }
    const own = { state: a.peers.get(b.device), window: [], body, now: NOW };
    await expect(decryptSignal(own), 'reflected').rejects.toThrow(code('cannot-decrypt'));
    const asMessage = { me: b, peer: publicDevice(a), state: b.peers.get(a.device), body, now: NOW };
    await expect(decrypt(asMessage)).rejects.toThrow(code('unsupported'));
    await expect(hear(await write(a, b, 'a message'))).rejects.toThrow(code('unsupported'));
  });

  it('needs a session that both have', async () => {
    const [c, d] = await Promise.all([testDevice(), testDevice()]);
    await start(c, d);
    const unanswered = { state: c.peers.get(d.device)!, plaintext: utf8('x'), now: NOW };
    await expect(encryptSignal(unanswered)).rejects.toThrow(code('no-session'));
    const request = { window: [], body: await say('x'), now: NOW };
    await expect(decryptSignal({ ...request, state: undefined })).rejects.toThrow(code('no-session'));
    const body = await say('x', NOW);
    const old = b.peers.get(a.device)!;
    const sessions = old.sessions.map((one) => ({ ...one, archivedAt: NOW - OLD_SESSION_LIFETIME }));
    const expired = { state: { ...old, sessions }, window: [], body, now: NOW };
    await expect(decryptSignal(expired)).rejects.toThrow(code('no-session'));
  });

  it('has a key for each direction, that nobody can export', () => {
    const { signal } = a.peers.get(b.device)!.sessions[0]!;
    expect(signal.send).toMatchObject({ extractable: false, usages: ['encrypt'] });
    expect(signal.receive).toMatchObject({ extractable: false, usages: ['decrypt'] });
  });
});
