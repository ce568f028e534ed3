import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { DeviceId } from '@sotto/contract/ids';

/** Who serves a device: one of its sockets. */
export interface Listener {
  /** There may be something new in the inbox. */
  ring(): void;
  /** This is new in the inbox. Comes once for each, in order of arrival, unless a ring takes its place. */
  fresh(envelope: IncomingEnvelope): void;
}

/**
 * Says what is new in a device's inbox to whoever serves that device. The inbox is the truth: a ring may be lost, doubled
 * or come from another relay, and what is handed over here is there to be read too.
 */
export class Doorbell {
  readonly #listeners = new Map<DeviceId, Listener[]>();
  /** Rings at the other relays; undefined while there are none. */
  elsewhere: ((devices: DeviceId[]) => void) | undefined;

  /** Rings here and everywhere. */
  ring(devices: Iterable<DeviceId>): void {
    const rung = [...devices];
    this.ringHere(rung);
    if (rung.length > 0) this.elsewhere?.(rung);
  }

  ringHere(devices: Iterable<DeviceId>): void {
    for (const device of devices) for (const listener of this.#listeners.get(device) ?? []) listener.ring();
  }

  /** Who hears of a device here. */
  at(device: DeviceId): readonly Listener[] | undefined {
    return this.#listeners.get(device);
  }

  /** The devices that are listened for here. */
  devices(): DeviceId[] {
    return [...this.#listeners.keys()];
  }

  listen(device: DeviceId, listener: Listener): void {
    const others = this.#listeners.get(device);
    // A new list: the old one may be walked through at this moment.
    this.#listeners.set(device, others ? [...others, listener] : [listener]);
  }

  silence(device: DeviceId, listener: Listener): void {
    const others = this.#listeners.get(device)?.filter((other) => other !== listener) ?? [];
    if (others.length > 0) this.#listeners.set(device, others);
    else this.#listeners.delete(device);
  }
}
