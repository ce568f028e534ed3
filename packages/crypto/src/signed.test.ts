import { describe, expect, it } from 'vitest';
import { concat, utf8 } from './bytes.ts';
import { generateSigningKey, sign } from './keys.ts';
import { signBody, verifyBody } from './signed.ts';
import { BAD_POINTS, flipped, someDevice } from './test-support.ts';

const bad = expect.objectContaining({ code: 'bad-signature', message: 'bad-signature' });

const setUp = async (content = utf8('content')) => {
  const [from, to] = await Promise.all([someDevice(), someDevice()]);
  const body = await signBody({ from, to, signing: from.signing.privateKey, content });
  return { content, request: { from, to, signingPublic: from.signing.publicKey, body } };
};

describe('a signed body', () => {
  it('gives its content to whom it was signed for', async () => {
    const { request, content } = await setUp();
    expect(await verifyBody(request)).toEqual(content);
    expect(request.body.length).toBe(64 + content.length);
  });

  it('may be empty, or 65,535 bytes, and no more', async () => {
    for (const length of [0, 65_535]) {
      const { request } = await setUp(new Uint8Array(length));
      expect((await verifyBody(request)).length).toBe(length);
    }
    const { request } = await setUp();
    await expect(setUp(new Uint8Array(65_536))).rejects.toThrow(
      expect.objectContaining({ code: 'bad-encoding' }),
    );
    await expect(verifyBody({ ...request, body: new Uint8Array(64 + 65_536) })).rejects.toThrow(bad);
  });

  it('is refused with any byte changed, cut anywhere, or with more behind it', async () => {
    const { request } = await setUp();
    const { body } = request;
    for (let at = 0; at < body.length; at += 1) {
      await expect(verifyBody({ ...request, body: flipped(body, at) }), `byte ${at}`).rejects.toThrow(bad);
      await expect(verifyBody({ ...request, body: body.slice(0, at) }), `${at} bytes`).rejects.toThrow(bad);
    }
    await expect(verifyBody({ ...request, body: concat(body, new Uint8Array(1)) })).rejects.toThrow(bad);
  });

  it('is refused from or to anybody else: forwarded, claimed, or turned around', async () => {
    const { request } = await setUp();
    const { from, to } = request;
    const other = await someDevice();
    const changes = {
      'to another account': { to: { ...to, account: other.account } },
      'to another device': { to: { ...to, device: other.device } },
      'from another account': { from: { ...from, account: other.account } },
      'from another device': { from: { ...from, device: other.device } },
      'turned around': { from: to, to: from },
      'signed by another key': { signingPublic: other.signing.publicKey },
    };
    for (const [what, change] of Object.entries(changes)) {
      await expect(verifyBody({ ...request, ...change }), what).rejects.toThrow(bad);
    }
  });

  it('A8 is refused when the content was signed without its label', async () => {
    const { request, content } = await setUp();
    const { privateKey, publicKey } = await generateSigningKey();
    const body = concat(await sign(privateKey, content), content);
    await expect(verifyBody({ ...request, signingPublic: publicKey, body })).rejects.toThrow(bad);
  });

  it('A6 is not verified under a degenerate key', async () => {
    const { request } = await setUp();
    for (const signingPublic of Object.values(BAD_POINTS)) {
      const refused = expect.objectContaining({ code: 'bad-key' });
      await expect(verifyBody({ ...request, signingPublic })).rejects.toThrow(refused);
    }
  });

  it('leaves what it was given alone', async () => {
    const content = utf8('content');
    const { request } = await setUp(content);
    const before = new Uint8Array(request.body);
    (await verifyBody(request)).fill(0);
    expect(request.body).toEqual(before);
    expect(content).toEqual(utf8('content'));
  });
});
