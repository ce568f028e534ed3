import type { DeviceId } from '@sotto/contract/ids';
import type { SelfRow } from '../rows.ts';
import type { EngineSnapshot, OwnDevice } from '../views.ts';

export const devicesOf = ({ device: own, devices }: SelfRow): OwnDevice[] =>
  devices.map(({ device, since, trouble }) => ({
    device: device as DeviceId,
    current: device === own,
    since,
    ...(trouble && { trouble }),
  }));

export const alarmOf = ({ copied, changed }: SelfRow): EngineSnapshot['alarm'] => {
  if (copied) return 'profile-copied';
  return changed && 'identity-changed';
};
