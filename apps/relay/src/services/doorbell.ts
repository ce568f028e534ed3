import { EventEmitter } from 'node:events';
import type { DeviceId } from '@sotto/contract/ids';

/**
 * Says that there may be something new in a device's inbox, to whoever serves that device. It carries nothing:
 * the inbox is the truth, so that a ring may be lost, doubled or come from another process.
 */
export interface Doorbell {
  ring(device: DeviceId): void;
  /** Calls `listener` at every ring; returns how to stop that. */
  listen(device: DeviceId, listener: () => void): () => void;
}

/** Within one process. */
export const localDoorbell = (): Doorbell => {
  const emitter = new EventEmitter().setMaxListeners(0);
  return {
    // By another name than the id alone: an emitter gives some names a meaning.
    ring: (device) => void emitter.emit(`device ${device}`),
    listen: (device, listener) => {
      emitter.on(`device ${device}`, listener);
      return () => void emitter.off(`device ${device}`, listener);
    },
  };
};
