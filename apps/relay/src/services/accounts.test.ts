import { createHash } from 'node:crypto';
import { resolve } from 'node:path';
import { RelayError } from '@sotto/contract/errors';
import type { InviteSecret } from '@sotto/contract/ids';
import type { RegisterRequest, Verification } from '@sotto/contract/rest/accounts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDevice, randomId } from '../../test/device.ts';
import { temporaryDatabase } from '../../test/harness.ts';
import { migrate } from '../postgres/migrate.ts';
import { idBytes } from '../store/id-bytes.ts';
import { Accounts } from './accounts.ts';
import { removeAccount } from './devices.ts';
import { Gate, SharedGate } from './gate.ts';
import { inviteId, Invites, newInviteSecret } from './invites.ts';
import type { Step } from './verification/open.ts';

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
let invites: Invites;
beforeAll(async () => {
  database = await temporaryDatabase();
  await migrate(database.pool, resolve(import.meta.dirname, '../../../../prisma/migrations'));
  invites = new Invites(database.prisma, { lifetime: 60_000, now: Date.now });
});
afterAll(() => database.close());

/** A proof that serves once: `request` names the code, as with e-mail. */
const once = async (verification: Verification | undefined): Promise<Step> => {
  if (!verification?.email) throw new RelayError('verification-required');
  const request = idBytes(verification.email.request);
  return async (tx) => {
    const { count } = await tx.emailCode.deleteMany({ where: { request } });
    if (count === 0) throw new RelayError('verification-failed');
  };
};
const accounts = (checkProofs = once) =>
  new Accounts(database.prisma, {
    gate: new SharedGate({ atOnce: 1, queue: 9, queueEach: 9 }),
    openGate: new Gate({ atOnce: 2, queue: 9 }),
    invites,
    inviteDemanded: true,
    checkProofs,
    now: Date.now,
    registered: async () => undefined,
  });
const open = async (): Promise<InviteSecret> => {
  const secret = newInviteSecret();
  await invites.create(inviteId(secret));
  return secret;
};
const someone = async (): Promise<RegisterRequest> => {
  const request = randomId();
  const expiresAt = new Date(Date.now() + 60_000);
  await database.prisma.emailCode.create({
    data: { request: idBytes(request), hash: idBytes(randomId(32)), tries: 5, expiresAt },
  });
  const email = { address: 'ann@example.org', request, code: '123456' };
  return { ...(await createDevice(await open())).registration, verification: { email } };
};
const codes = () => database.prisma.emailCode.count();
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => 'registered',
    (error: unknown) => (error instanceof RelayError ? error.code : error),
  );

describe('registration with proofs', () => {
  it('asks for what is missing and uses nothing up', async () => {
    const { verification: _, ...request } = await someone();
    expect(await codeOf(accounts().register(request))).toBe('verification-required');
    expect(await invites.check(request.invite!)).toBe('open');
    expect(await codes()).toBe(1);
    await database.prisma.emailCode.deleteMany();
  });

  it('F4: uses them up once, and answers the same request as the first time afterwards and at once', async () => {
    const request = await someone();
    const answers = await Promise.all([1, 2, 3].map(() => accounts().register(request)));
    answers.push(await accounts().register(request));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(await codes()).toBe(0);
  });

  it('F4: gives invite and code back when the rest is refused', async () => {
    const [first, second] = [await someone(), await someone()];
    await accounts().register(first);
    const { handle } = first;
    expect(await codeOf(accounts().register({ ...second, handle }))).toBe('handle-taken');
    expect(await invites.check(second.invite!)).toBe('open');
    expect(await codes()).toBe(1);
    expect(await codeOf(accounts().register({ ...second, invite: first.invite }))).toBe('invite-used');
    expect(await codes()).toBe(1);
    expect(await codeOf(accounts().register(second))).toBe('registered');
  });

  it('lets one of two people in with one code', async () => {
    const [first, second] = [await someone(), await someone()];
    const { verification } = first;
    const both = [first, { ...second, verification }].map((request) => codeOf(accounts().register(request)));
    expect((await Promise.all(both)).toSorted()).toEqual(['registered', 'verification-failed']);
  });

  it('of an account that came and was deleted meanwhile ends in no account', async () => {
    const [request, same] = [await someone(), await someone()];
    const again = { ...request, invite: await open(), verification: same.verification };
    const late = accounts(async (verification) => {
      const { account } = await accounts().register(request);
      await removeAccount(database.prisma, account);
      return once(verification);
    });
    expect(await codeOf(late.register(again))).toBe('account-deleted');
    expect(await invites.check(again.invite)).toBe('open');
    expect(await codeOf(accounts().register(again))).toBe('account-deleted');
  });

  it('leaves nothing of the proofs with the account', async () => {
    const request = await someone();
    await accounts().register(request);
    const rows = await database.pool.query('SELECT account::text AS row FROM account');
    const text = rows.rows.map(({ row }: { row: string }) => row).join('\n');
    const secret = createHash('sha256').update(idBytes(request.invite!)).digest('hex');
    for (const trace of ['example.org', secret]) expect(text).not.toContain(trace);
  });
});
