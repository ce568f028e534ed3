import type { IncomingEnvelope, OutgoingEnvelope } from '@sotto/contract/envelope';
import type { SendResult } from '@sotto/contract/events/relay';
import type { DeviceId, EnvelopeId } from '@sotto/contract/ids';
import type pg from 'pg';
import {
  clearBodies,
  envelopeKey,
  insertEnvelopes,
  selectActiveDevices,
  selectTimes,
  selectWaiting,
} from '../store/envelopes.ts';
import type { Doorbell } from './doorbell.ts';

const DEADLOCK = '40P01';

/** Takes sealed messages in, keeps them until their device has them, and knows no sender. */
export class Mailbox {
  readonly #pool: pg.Pool;
  readonly #doorbell: Doorbell;
  readonly #now: () => number;
  #last: number;

  /** `last` is the newest time given out before: a clock that was set back over a restart moves on from there. */
  constructor(pool: pg.Pool, options: { doorbell: Doorbell; now: () => number; last: number }) {
    this.#pool = pool;
    this.#last = options.last;
    this.#doorbell = options.doorbell;
    this.#now = options.now;
  }

  /**
   * Stores envelopes, one time for all, and returns each one's fate, in their order, once it is durable. An id that
   * the device had before is answered with the time of then. Refuses single envelopes with `device-unknown`.
   */
  async accept(envelopes: OutgoingEnvelope[]): Promise<SendResult[]> {
    const active = await selectActiveDevices(this.#pool, new Set(envelopes.map(({ device }) => device)));
    const known = envelopes.filter(({ device }) => active.has(device));
    const times = known.length > 0 ? await this.#store(known) : new Map<string, number>();
    return envelopes.map((envelope) => {
      const at = times.get(envelopeKey(envelope));
      return at === undefined ? { id: envelope.id, code: 'device-unknown' } : { id: envelope.id, at };
    });
  }

  async #store(envelopes: OutgoingEnvelope[]): Promise<Map<string, number>> {
    const at = this.#time();
    const insert = () => insertEnvelopes(this.#pool, envelopes, at);
    const fresh = await insert().catch((error: unknown) => {
      // The same envelopes in another order at the same moment: the other went through.
      if ((error as { code?: unknown }).code === DEADLOCK) return insert();
      throw error;
    });
    const repeated = envelopes.filter((envelope) => !fresh.has(envelopeKey(envelope)));
    const times = repeated.length > 0 ? await selectTimes(this.#pool, repeated) : new Map<string, number>();
    const rung = new Set<DeviceId>();
    for (const envelope of envelopes) {
      if (!fresh.has(envelopeKey(envelope))) continue;
      times.set(envelopeKey(envelope), at);
      rung.add(envelope.device);
    }
    for (const device of rung) this.#doorbell.ring(device);
    return times;
  }

  /** The clock, but always moving on: it is the order on every screen, and clocks step back. */
  #time(): number {
    this.#last = Math.max(this.#now(), this.#last + 1);
    return this.#last;
  }

  waiting(device: DeviceId, except: Iterable<EnvelopeId>, limit: number): Promise<IncomingEnvelope[]> {
    return selectWaiting(this.#pool, device, except, limit);
  }

  /** The device has these. Ids of others, unknown and repeated ones are ignored. */
  acknowledge(device: DeviceId, ids: EnvelopeId[]): Promise<void> {
    return clearBodies(this.#pool, device, ids, this.#now());
  }
}
