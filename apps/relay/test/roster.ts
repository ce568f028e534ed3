import type { AccountId, DeviceId } from '@sotto/contract/ids';
import type pg from 'pg';
import { idBytesOf, randomId } from './device.ts';

export interface TestAccount {
  account: AccountId;
  devices: DeviceId[];
}

/** Accounts straight in the database, for those who need many: nobody can sign in to them. */
export const insertAccounts = async (pool: pg.Pool, count: number, devices = 1): Promise<TestAccount[]> => {
  const made = Array.from({ length: count }, () => ({
    account: randomId<AccountId>(32),
    devices: Array.from({ length: devices }, () => randomId<DeviceId>()),
  }));
  const ids = made.map(({ account }) => idBytesOf(account));
  await pool.query(
    `INSERT INTO account (id, handle, skeleton, head, created_at)
     SELECT id, encode(id, 'hex'), encode(id, 'hex'), id, now() FROM unnest($1::bytea[]) AS id`,
    [ids],
  );
  await pool.query(
    `INSERT INTO device (id, account, signing_key, created_at)
     SELECT id, account, '\\x00', now() FROM unnest($1::bytea[], $2::bytea[]) AS made (id, account)`,
    [
      made.flatMap((one) => one.devices.map(idBytesOf)),
      made.flatMap((one) => one.devices.map(() => idBytesOf(one.account))),
    ],
  );
  return made;
};
