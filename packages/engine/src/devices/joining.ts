import { RelayError } from '@sotto/contract/errors';
import type { Directory } from '../account/directory.ts';

/**
 * Resolves when the account has this device. What it needs to send anything, the device that added it hands over.
 *
 * @throws RelayError `device-unknown` and others while it does not, CryptoError
 */
export const joined = async (directory: Directory): Promise<void> => {
  const { device, devices } = await directory.refreshSelf();
  const isNamed = devices.some((entry) => entry.device === device && entry.sealing);
  if (!isNamed) throw new RelayError('device-unknown');
};
