import { RelayError } from '@sotto/contract/errors';
import { CryptoError } from '@sotto/crypto/errors';
import { planPrekeys } from '@sotto/crypto/prekey-plan';
import type { Clock } from '../clock.ts';
import type { Model } from '../model.ts';
import type { Transport } from '../ports.ts';
import type { Directory } from './directory.ts';
import { maintainPrekeys } from './prekeys.ts';

interface Parts {
  model: Model;
  directory: Directory;
  transport: Transport;
  clock: Clock;
}

/** Whether the keys that the relay has of this device are too old for anything to be sent before it has new ones. */
const isOverdue = async (model: Model, now: number): Promise<boolean> => {
  const own = (await model.store.all('prekey')).filter(({ published }) => published);
  return planPrekeys({ own, left: { oneTime: 0, pqOneTime: 0 }, now }).overdue;
};

/**
 * What a device looks at before it sends anything: whether another has the same profile, what has become of its account,
 * and whether its own keys are fresh.
 */
export const createCheckIn = ({ model, directory, transport, clock }: Parts) => {
  let passed = false;

  const lookAtSelf = async (): Promise<void> => {
    try {
      await directory.refreshSelf();
    } catch (error) {
      // What cannot be found out now does not hold anything up; a forked chain is kept with the account.
      if (!(error instanceof RelayError || error instanceof CryptoError)) throw error;
    }
  };

  return {
    /** Whether this device may send. */
    passed: (): boolean => passed && model.self?.copied === undefined,
    /** Once in each connection. @throws StoreError */
    async look(): Promise<void> {
      await lookAtSelf();
      passed ||= !(await isOverdue(model, clock.now()));
    },
    /** Keeps this device's keys at the relay fresh. @throws RelayError, StoreError */
    async maintain(): Promise<void> {
      if (model.self?.copied) return;
      try {
        await maintainPrekeys(model, transport, clock.now());
        passed = true;
      } catch (error) {
        // Another has used the number for a key of its own.
        if (error instanceof RelayError && error.code === 'sealing-key-invalid') await lookAtSelf();
        throw error;
      }
    },
  };
};
