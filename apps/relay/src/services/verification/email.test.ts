import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { eventually, temporaryDatabase } from '../../../test/harness.ts';
import { startMailServer, type MailServer } from '../../../test/mail-server.ts';
import { createLog } from '../../log.ts';
import { migrate } from '../../postgres/migrate.ts';
import { DEFAULT_LIMITS, RateLimits } from '../limits.ts';
import { mailboxOf, normaliseAddress } from './address.ts';
import { EmailCodes } from './email.ts';
import { type Mailer, openMailer } from './mailer.ts';
import type { Step } from './open.ts';

const ASKER = '203.0.113.7';
const clock = { ahead: 0 };
const now = () => Date.now() + clock.ahead;
const log = createLog('silent');
const warn = vi.spyOn(log, 'warn');

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let server: MailServer;
let mailer: Mailer;
let limits: RateLimits;
let codes: EmailCodes;

beforeAll(async () => {
  database = await temporaryDatabase();
  await migrate(database.pool, resolve(import.meta.dirname, '../../../../../prisma/migrations'));
  server = await startMailServer();
  mailer = openMailer({ smtpUrl: server.url, from: 'Sotto <relay@example.org>' });
});
beforeEach(async () => {
  await database.pool.query('DELETE FROM email_code');
  clock.ahead = 0;
  limits = new RateLimits(DEFAULT_LIMITS, { now });
  codes = open(mailer);
});
afterAll(async () => {
  await codes.close();
  await server.stop();
  await database.close();
});

const open = (through: Mailer) =>
  new EmailCodes(database.prisma, { mailer: through, limits, relay: 'https://chat.example.org', now, log });

let count = 0;
const newAddress = () => `person${(count += 1)}@example.org`;

/** Asks for a code and reads the mail. */
const ask = async (address = newAddress()) => {
  const { request } = await codes.send(address, ASKER);
  const code = await eventually(() => server.codeFor(address));
  return { address, request, code };
};
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
const register = async (proof: { address: string; request: string; code: string }) => {
  const step: Step = await codes.check(proof);
  await database.prisma.$transaction(async (tx) => step(tx));
};
const rows = async () => {
  const { rows } = await database.pool.query<{ tries: number; request: Buffer; hash: Buffer }>(
    'SELECT * FROM email_code',
  );
  return rows;
};
const FAILED = { code: 'verification-failed' };

describe('the mail', () => {
  it('is short plain text to one address, with the code and the name of the relay', async () => {
    const address = newAddress();
    const answer = await codes.send(address, ASKER);
    expect(answer).toEqual({ request: expect.stringMatching(/^[\w-]{22}$/), expiresIn: 600_000 });
    const code = await eventually(() => server.codeFor(address));
    const { mail, recipients, raw } = server.caught.at(-1)!;
    expect(recipients).toEqual([address]);
    expect(mail.from).toMatchObject({ name: 'Sotto', address: 'relay@example.org' });
    expect(mail.to).toEqual([{ name: '', address }]);
    expect(mail.subject).toBe('Your code for chat.example.org');
    expect(mail.subject).not.toContain(code);
    expect(mail.text).toContain('Your code for https://chat.example.org is');
    expect(mail.text).toMatch(/did not ask for a code\?[^]*Ignore\s+this mail/);
    expect(mail.html).toBeUndefined();
    expect(mail.headers.find(({ key }) => key === 'auto-submitted')?.value).toBe('auto-generated');
    expect(raw).not.toMatch(/x-mailer/i);
  });
});

describe('a code by e-mail', () => {
  it('serves once, and nothing stays', async () => {
    const proof = await ask();
    await register(proof);
    expect(await rows()).toEqual([]);
    await expect(register(proof)).rejects.toMatchObject(FAILED);
  });

  it('leaves nothing in the database that tells address or code without the request', async () => {
    const { address, request, code } = await ask();
    const dump = JSON.stringify(
      (await rows()).map((row) => [row, row.request.toString('latin1'), row.hash.toString('latin1')]),
    );
    for (const text of [address, request, code]) expect(dump).not.toContain(text);
    expect(dump).not.toContain(Buffer.from(request, 'base64url').toString('latin1'));
  });

  it('two registrations with one code at once: one gets in', async () => {
    const proof = await ask();
    const ends = await Promise.allSettled(Array.from({ length: 4 }, () => register(proof)));
    expect(ends.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject(FAILED);
  });

  it('serves another time when the registration is undone', async () => {
    const proof = await ask();
    const step = await codes.check(proof);
    const undone = database.prisma.$transaction(async (tx) => {
      await step(tx);
      throw new Error('handle taken');
    });
    await expect(undone).rejects.toThrow('handle taken');
    await register(proof);
  });

  it('does not lose a try to registrations that fail for another reason', async () => {
    const proof = await ask();
    for (let n = 0; n < 10; n += 1) await codes.check(proof);
    await register(proof);
  });

  it('is locked by five wrong tries', async () => {
    const proof = await ask();
    for (let n = 0; n < 5; n += 1) {
      await expect(codes.check({ ...proof, code: wrong(proof.code) })).rejects.toMatchObject(FAILED);
    }
    await expect(codes.check(proof)).rejects.toMatchObject(FAILED);
  });

  it('four wrong tries do not lock it', async () => {
    const proof = await ask();
    for (let n = 0; n < 4; n += 1) {
      await expect(codes.check({ ...proof, code: wrong(proof.code) })).rejects.toMatchObject(FAILED);
    }
    await register(proof);
  });

  it('counts wrong tries that come at once', async () => {
    const proof = await ask();
    const tries = Array.from({ length: 20 }, () => codes.check({ ...proof, code: wrong(proof.code) }));
    for (const end of await Promise.allSettled(tries)) expect(end.status).toBe('rejected');
    expect((await rows()).map(({ tries }) => tries)).toEqual([0]);
    await expect(codes.check(proof)).rejects.toMatchObject(FAILED);
  });

  it('is for its own address and its own request', async () => {
    const [one, other] = [await ask(), await ask()];
    await expect(codes.check({ ...one, address: other.address })).rejects.toMatchObject(FAILED);
    await expect(codes.check({ ...one, request: other.request })).rejects.toMatchObject(FAILED);
    await expect(codes.check({ ...one, request: 'x' })).rejects.toMatchObject(FAILED);
    await register(one);
    await register(other);
  });

  it('takes the address as it is typed the second time', async () => {
    const proof = await ask();
    await register({ ...proof, address: ` ${proof.address.replace('example.org', 'Example.ORG')} ` });
  });

  it.each([
    [-1, true],
    [1, false],
  ])('%i s after ten minutes: accepted %s', async (seconds, accepted) => {
    const proof = await ask();
    // The mail took a moment, which the clock counts too.
    clock.ahead = 600_000 + seconds * 1000 - (seconds < 0 ? 5_000 : 0);
    if (accepted) await register(proof);
    else await expect(codes.check(proof)).rejects.toMatchObject(FAILED);
  });
});

describe('addresses', () => {
  it.each([
    [' Ann.B+x@Example.ORG ', 'Ann.B+x@example.org'],
    ['ann@bücher.example', 'ann@xn--bcher-kva.example'],
    [`${'a'.repeat(64)}@example.org`, `${'a'.repeat(64)}@example.org`],
  ])('%j is %j', (text, address) => {
    expect(normaliseAddress(text)).toBe(address);
  });

  it.each([
    'ann@example.org\r\nBcc: eve@example.org',
    'ann@example.org\n',
    'ann\r\n@example.org',
    'ann@exam\nple.org',
    'ann@example.org%0d%0aBcc:eve@example.org',
    'ann@example.org\0',
    'ann@example.org\u2028',
    'ann@eve.example@example.org',
    'ann@example.org, eve@example.org',
    'ann@example.org;eve@example.org',
    'eve@example.org <ann@example.org>',
    '<ann@example.org>',
    '"ann@eve.example"@example.org',
    'ann(comment)@example.org',
    'ann bell@example.org',
    'ann@example.org/x',
    'ann@example.org:25',
    'ann@ex%61mple.org',
    'ann@[127.0.0.1]',
    'ann@127.0.0.1',
    'ann@0x7f.1',
    'ann@localhost',
    'ann@example.org.',
    'ann@-example.org',
    '.ann@example.org',
    'an..n@example.org',
    'ánn@example.org',
    '@example.org',
    'ann@',
    'ann',
    '   ',
    `${'a'.repeat(65)}@example.org`,
    `ann@${'a'.repeat(64)}.org`,
    `${'a'.repeat(60)}@${`${'b'.repeat(60)}.`.repeat(3)}${'c'.repeat(20)}.org`,
  ])('%j is refused and no mail is sent', async (text) => {
    await expect(codes.send(text, ASKER)).rejects.toMatchObject({ code: 'bad-request', detail: 'address' });
    expect(await rows()).toEqual([]);
  });

  it('of one mailbox count together', async () => {
    expect(mailboxOf('Ann+one@example.org')).toBe(mailboxOf('ann@example.org'));
    await codes.send('limit@example.org', '198.51.100.1');
    await codes.send('Limit+a@example.org', '198.51.100.2');
    await codes.send('limit+b@EXAMPLE.org', '198.51.100.3');
    await expect(codes.send('limit@example.org', '198.51.100.4')).rejects.toMatchObject({
      code: 'too-many-requests',
      retryAfter: expect.toSatisfy((seconds: number) => seconds > 0 && seconds <= 600),
    });
  });

  it('who has asked too often is refused and takes nothing from the mailbox', async () => {
    for (let n = 0; n < DEFAULT_LIMITS.email.points; n += 1) await codes.send(newAddress(), ASKER);
    for (let n = 0; n < 5; n += 1) {
      await expect(codes.send('free@example.org', ASKER)).rejects.toMatchObject({
        code: 'too-many-requests',
      });
    }
    for (let n = 0; n < DEFAULT_LIMITS.mailbox.points; n += 1) {
      await codes.send('free@example.org', '198.51.100.9');
    }
  });
});

describe('the answer says nothing about the mail', () => {
  const shape = { request: expect.stringMatching(/^[\w-]{22}$/), expiresIn: 600_000 };

  it('while the mail server does not answer', async () => {
    server.state.holding = true;
    const address = newAddress();
    expect(await codes.send(address, ASKER)).toEqual(shape);
    expect(server.caught.some(({ recipients }) => recipients.includes(address))).toBe(false);
    server.release();
    await eventually(() => server.codeFor(address));
  });

  it('when the mail server refuses the mailbox, and the log names none', async () => {
    warn.mockClear();
    server.state.refusing = true;
    const address = newAddress();
    expect(await codes.send(address, ASKER)).toEqual(shape);
    // Mails of the tests before may still be on their way.
    await eventually(() => expect(warn).toHaveBeenCalled());
    server.state.refusing = false;
    // Of an error the log keeps its kind, its code and where it was; see log.ts.
    for (const call of warn.mock.calls)
      expect(call).toEqual([{ error: expect.any(Error) }, expect.not.stringContaining('@')]);
  });

  it('when there is no mail server', async () => {
    warn.mockClear();
    const nowhere = open(openMailer({ smtpUrl: 'smtp://127.0.0.1:1', from: 'relay@example.org' }));
    expect(await nowhere.send(newAddress(), ASKER)).toEqual(shape);
    await eventually(() => expect(warn).toHaveBeenCalledOnce());
    await nowhere.close();
  });

  it('and more than a hundred that wait are refused by name', async () => {
    let release = () => undefined as void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    const slow = open({ send: () => gate, close: () => undefined });
    const ask = (n: number) => slow.send(newAddress(), `198.51.${n >> 8}.${n & 255}`);
    for (let n = 0; n < 100; n += 1) await ask(n);
    await expect(ask(100)).rejects.toMatchObject({ code: 'busy' });
    release();
    await eventually(() => ask(101));
    await slow.close();
  });
});
