import type { InviteSecret } from '@sotto/contract/ids';
import type { EmailCodeResponse, RegisterRequest, Verification } from '@sotto/contract/rest/accounts';
import { RelayResponse } from '@sotto/contract/rest/relay';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, createDevice } from '../../test/device.ts';
import { eventually, startRelay, type TestRelay } from '../../test/harness.ts';
import { startMailServer, type MailServer } from '../../test/mail-server.ts';
import { DEFAULT_LIMITS } from '../services/limits.ts';

const FIREBASE = {
  projectId: 'sotto-test',
  apiKey: 'key',
  authDomain: 'sotto-test.firebaseapp.com',
  emulatorHost: '127.0.0.1:9099',
};
const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
let uid = 0;
/** As the Auth emulator writes them. */
const phoneToken = () => {
  const seconds = Math.floor(Date.now() / 1000);
  const payload = {
    iss: `https://securetoken.google.com/${FIREBASE.projectId}`,
    aud: FIREBASE.projectId,
    auth_time: seconds,
    iat: seconds,
    exp: seconds + 3600,
    sub: `uid${(uid += 1)}`,
    phone_number: '+15555550100',
    firebase: { sign_in_provider: 'phone' },
  };
  return `${part({ alg: 'none', typ: 'JWT' })}.${part(payload)}.`;
};

let server: MailServer;
let test: TestRelay;
let open: TestRelay;
beforeAll(async () => {
  server = await startMailServer();
  test = await startRelay({
    registration: { invite: true, email: true, phone: true },
    invites: 'host',
    mail: { smtpUrl: server.url, from: 'relay@example.org' },
    firebase: FIREBASE,
    limits: {
      ...DEFAULT_LIMITS,
      email: { points: 50, seconds: 3600 },
      register: { points: 500, seconds: 60 },
    },
  });
  open = await startRelay({ registration: { invite: false, email: false, phone: false } });
});
afterAll(async () => {
  await Promise.all([test.stop(), open.stop()]);
  await server.stop();
});

const register = (body: unknown, relay = test) => call(relay.relay.port, 'POST', '/v1/accounts', { body });
const ask = (address: unknown, relay = test) =>
  call(relay.relay.port, 'POST', '/v1/verifications/email', { body: { address } });

let count = 0;
const proveEmail = async (): Promise<NonNullable<Verification['email']>> => {
  const address = `person${(count += 1)}@example.org`;
  const { request } = (await ask(address)).body as EmailCodeResponse;
  return { address, request, code: await eventually(() => server.codeFor(address)) };
};
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

/** Somebody with everything that is demanded. */
const applicant = async (): Promise<RegisterRequest & { verification: Verification }> => ({
  ...(await createDevice(await test.invite())).registration,
  verification: { email: await proveEmail(), phone: { token: phoneToken() } },
});
const rows = async () => {
  const { rows } = await test.pool.query(
    `SELECT (SELECT count(*)::int FROM account) AS accounts, (SELECT count(*)::int FROM invite WHERE used) AS invites,
      (SELECT count(*)::int FROM email_code) AS codes, (SELECT count(*)::int FROM phone_sign_in) AS phones`,
  );
  return rows[0] as Record<'accounts' | 'invites' | 'codes' | 'phones', number>;
};

describe('what a relay demands', () => {
  it('it says', async () => {
    const answer = await call(test.relay.port, 'GET', '/v1/relay');
    expect(RelayResponse.parse(answer.body)).toMatchObject({
      registration: {
        invite: true,
        email: true,
        phone: {
          apiKey: 'key',
          authDomain: 'sotto-test.firebaseapp.com',
          projectId: 'sotto-test',
          emulator: '127.0.0.1:9099',
        },
      },
      invites: false,
    });
    expect(RelayResponse.parse((await call(open.relay.port, 'GET', '/v1/relay')).body)).toMatchObject({
      registration: { invite: false, email: false },
      invites: true,
    });
  });

  it('and where it demands no code, it mails none', async () => {
    expect(await ask('ann@example.org', open)).toMatchObject({ status: 404, body: { code: 'not-found' } });
    const { invite: _, ...registration } = (await createDevice('' as InviteSecret)).registration;
    expect((await register(registration, open)).status).toBe(201);
  });
});

describe('all three together', () => {
  it('let in who has them, and are used up', async () => {
    const before = await rows();
    const body = await applicant();
    expect((await register(body)).status).toBe(201);
    expect(await rows()).toEqual({
      accounts: before.accounts + 1,
      invites: before.invites + 1,
      codes: before.codes,
      phones: before.phones + 1,
    });
    // The answer may have been lost.
    expect((await register(body)).status).toBe(201);
    for (const proof of ['email', 'phone'] as const) {
      const other = await applicant();
      const { [proof]: used } = body.verification;
      const answer = await register({ ...other, verification: { ...other.verification, [proof]: used } });
      expect(answer).toMatchObject({ status: 403, body: { code: 'verification-failed', detail: proof } });
    }
  });

  it.each(['invite', 'email', 'phone'] as const)(
    'without %s: required, and nothing is used up',
    async (proof) => {
      const { invite, verification, ...rest } = await applicant();
      const before = await rows();
      const { [proof]: _, ...shown } = { invite, ...verification };
      const { invite: shownInvite, ...shownVerification } = shown as { invite?: InviteSecret } & Verification;
      const answer = await register({
        ...rest,
        ...(shownInvite !== undefined && { invite: shownInvite }),
        verification: shownVerification,
      });
      expect(answer).toMatchObject({ status: 403, body: { code: 'verification-required' } });
      expect(await rows()).toEqual(before);
      expect((await register({ ...rest, invite, verification })).status).toBe(201);
    },
  );

  it('a registration that is refused uses nothing up but the tries of a wrong code', async () => {
    const body = await applicant();
    const taken = await applicant();
    expect((await register(taken)).status).toBe(201);
    const before = await rows();
    const answers = [
      await register({ ...body, handle: taken.handle }),
      await register({ ...body, invite: taken.invite }),
      await register({ ...body, verification: { ...body.verification, phone: { token: 'a.b.c' } } }),
    ];
    expect(answers.map(({ body }) => body['code'])).toEqual([
      'handle-taken',
      'invite-used',
      'verification-failed',
    ]);
    expect(await rows()).toEqual(before);
    const { email } = body.verification;
    const mistyped = { ...email!, code: wrong(email!.code) };
    for (let n = 0; n < 4; n += 1) {
      const answer = await register({ ...body, verification: { ...body.verification, email: mistyped } });
      expect(answer).toMatchObject({ status: 403, body: { code: 'verification-failed', detail: 'email' } });
    }
    expect((await register(body)).status).toBe(201);
  });

  it('after five wrong codes the right one is refused', async () => {
    const body = await applicant();
    const { email } = body.verification;
    const mistyped = { ...email!, code: wrong(email!.code) };
    const tries = Array.from({ length: 5 }, () =>
      register({ ...body, verification: { ...body.verification, email: mistyped } }),
    );
    for (const { body } of await Promise.all(tries)) expect(body['code']).toBe('verification-failed');
    expect((await register(body)).body['code']).toBe('verification-failed');
  });

  it.each(['email', 'phone'] as const)(
    'two people with one proof by %s at once: one gets in',
    async (proof) => {
      const [one, two] = [await applicant(), await applicant()];
      const shared = { [proof]: one.verification[proof] };
      const answers = await Promise.all([
        register(one),
        register({ ...two, verification: { ...two.verification, ...shared } }),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([201, 403]);
      // Who did not get in keeps the rest.
      const loser = answers[0]!.status === 403 ? one : two;
      const again = { ...loser.verification, [proof]: (await applicant()).verification[proof] };
      expect((await register({ ...loser, verification: again })).status).toBe(201);
    },
  );
});

describe('asking for a code', () => {
  it.each([
    [undefined],
    [5],
    [''],
    ['ann'],
    ['ann@example.org\r\nBcc: eve@example.org'],
    ['ann@example.org, eve@example.org'],
    ['a'.repeat(255)],
  ])('for %j: bad-request, and the answer does not repeat it', async (address) => {
    const answer = await ask(address);
    expect(answer).toMatchObject({ status: 400, body: { code: 'bad-request' } });
    expect(JSON.stringify(answer.body)).not.toContain('ann');
  });

  it('too often for a mailbox: refused with the time after which it may be asked again', async () => {
    const answers = [];
    for (let n = 0; n < 4; n += 1) answers.push(await ask('often@example.org'));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[3]!.body).toMatchObject({ code: 'too-many-requests' });
    expect(Number(answers[3]!.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('is answered at once and alike, whatever the mail server does', async () => {
    const asked = async (address: string) => {
      const { status, body } = await ask(address);
      return { status, keys: Object.keys(body) };
    };
    const plain = await asked('plain@example.org');
    server.state.refusing = true;
    const refused = await asked('refused@example.org');
    server.state.refusing = false;
    server.state.holding = true;
    // Answered before the mail server is.
    const held = await asked('held@example.org');
    await eventually(() => expect(server.held()).toBeGreaterThan(0));
    server.release();
    for (const { status, keys } of [plain, refused, held])
      expect([status, keys]).toEqual([200, ['request', 'expiresIn']]);
  });
});
