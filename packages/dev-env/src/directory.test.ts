import type { AccountResponse } from '@sotto/contract/rest/accounts';
import { toBase64url } from '@sotto/crypto/bytes';
import { acceptDevice, createChain, proposeDevice, verifyChain } from '@sotto/crypto/chain';
import { generateAgreementKey, generateSigningKey } from '@sotto/crypto/keys';
import { createSealingKey } from '@sotto/crypto/sealing-key';
import { createDirectory } from '@sotto/engine/account/directory';
import { openModel } from '@sotto/engine/model';
import { createMemoryDisk } from '@sotto/store-memory/memory-store';
import { beforeAll, describe, expect, it } from 'vitest';

/** An account as the relay tells of it, first with one device, then with two; and with an old sealing key after a new one. */
let answers: { one: AccountResponse; two: AccountResponse; rotated: AccountResponse };
let account: string;

beforeAll(async () => {
  const [first, second] = [await generateSigningKey(), await generateSigningKey()];
  const identities = [await generateAgreementKey(), await generateAgreementKey()];
  const created = await createChain({ signing: first, identity: identities[0]!, createdAt: 1 });
  account = created.account;
  const state = await verifyChain([created.event]);
  const joining = { signing: second.publicKey, identity: identities[1]!.publicKey };
  const proposal = await proposeDevice({ state, author: first, createdAt: 2, device: joining });
  const added = await acceptDevice({ state, proposal, signing: second, identity: identities[1]! });
  const sealing = async (at: number, id: number) => {
    const { device } = added.state.devices[at]!;
    const signing = [first, second][at]!.privateKey;
    const { publicKey, signature, createdAt } = await createSealingKey({
      account,
      device,
      signing,
      id,
      createdAt: id,
    });
    const sealingKey = {
      id,
      createdAt,
      publicKey: toBase64url(publicKey),
      signature: toBase64url(signature),
    };
    return { device: device as never, sealingKey };
  };
  const answer = async (events: Uint8Array[], keys: Promise<Awaited<ReturnType<typeof sealing>>>[]) =>
    ({
      account,
      handle: 'ann',
      chain: events.map(toBase64url),
      devices: await Promise.all(keys),
    }) as unknown as AccountResponse;
  answers = {
    one: await answer([created.event], [sealing(0, 1)]),
    two: await answer([created.event, added.event], [sealing(0, 1), sealing(1, 1)]),
    rotated: await answer([created.event, added.event], [sealing(0, 2), sealing(1, 1)]),
  };
});

const open = async () => {
  const store = createMemoryDisk().open();
  const model = await openModel(store);
  let time = 1000;
  const clock = { now: () => (time += 1000), after: () => () => undefined };
  return { store, model, directory: createDirectory(model, undefined as never, clock) };
};

describe('what is known of an account', () => {
  it('A1 goes on from what was known, whichever answer comes last', async () => {
    const { store, directory } = await open();
    await directory.learn(answers.one, account);
    const late = Promise.allSettled([
      directory.learn(answers.two, account),
      directory.learn(answers.one, account),
    ]);
    expect((await late).map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    const row = (await store.get('contact', account))!;
    expect(row.devices).toHaveLength(2);
    // Each event keeps the time at which it was first seen.
    expect(row.chain.map(({ seenAt }) => seenAt)).toEqual([2000, 3000]);
    const again = await directory.learn(answers.two, account);
    expect(again.chain.map(({ seenAt }) => seenAt)).toEqual([2000, 3000]);
  });

  it('A1 an old sealing key that is brought up again is not gone back to', async () => {
    const { directory } = await open();
    await directory.learn(answers.rotated, account);
    const { devices } = await directory.learn(answers.two, account);
    expect(devices.map(({ sealing }) => sealing?.id)).toEqual([2, 1]);
  });
});
