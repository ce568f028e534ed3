import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';

const RETRY_MS = 1_000;

export interface PumpPorts {
  /** The first `limit` waiting envelopes without those in `except`. */
  read: (except: Iterable<EnvelopeId>, limit: number) => Promise<IncomingEnvelope[]>;
  deliver: (envelopes: IncomingEnvelope[]) => void;
  caughtUp: () => void;
  failed: (error: unknown) => void;
}

/** Cuts a list where the bodies of a piece would go past a frame. */
const frames = (envelopes: IncomingEnvelope[]): IncomingEnvelope[][] => {
  const cut: IncomingEnvelope[][] = [];
  let room = 0;
  for (const envelope of envelopes) {
    if (envelope.body.length > room) {
      cut.push([]);
      room = LIMITS.frameBytes / 2;
    }
    cut.at(-1)!.push(envelope);
    room -= envelope.body.length;
  }
  return cut;
};

/**
 * Carries a device's inbox to one socket, at most `LIMITS.envelopesInFlight` ahead of its acks. One read runs at a
 * time; a ring during a read makes it read again, since that read may have looked before the new row was there.
 */
export class Pump {
  readonly #ports: PumpPorts;
  readonly #inFlight = new Set<EnvelopeId>();
  #running = false;
  #again = false;
  #caughtUp = false;
  #stopped = false;
  /** The last read failed and that was told. */
  #failing = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(ports: PumpPorts) {
    this.#ports = ports;
  }

  /** There may be something to read. */
  ring(): void {
    this.#again = true;
    if (!this.#running && !this.#stopped) void this.#run();
  }

  /** Makes room. To be called when the acks are stored: a read before would find these rows and send them again. */
  release(ids: Iterable<EnvelopeId>): void {
    for (const id of ids) this.#inFlight.delete(id);
    this.ring();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
  }

  async #run(): Promise<void> {
    this.#running = true;
    try {
      while (this.#again && !this.#stopped) {
        this.#again = false;
        await this.#drain();
      }
    } catch (error) {
      if (!this.#stopped) {
        if (!this.#failing) this.#ports.failed(error);
        this.#failing = true;
        // Unlike a lost ring, nobody would come to read this.
        clearTimeout(this.#retry);
        this.#retry = setTimeout(() => this.ring(), RETRY_MS);
      }
    } finally {
      this.#running = false;
    }
  }

  async #drain(): Promise<void> {
    const room = LIMITS.envelopesInFlight - this.#inFlight.size;
    if (room <= 0) return;
    const envelopes = await this.#ports.read(this.#inFlight, room);
    this.#failing = false;
    if (this.#stopped) return;
    for (const { id } of envelopes) this.#inFlight.add(id);
    for (const frame of frames(envelopes)) this.#ports.deliver(frame);
    if (envelopes.length < room && !this.#caughtUp) {
      this.#caughtUp = true;
      this.#ports.caughtUp();
    }
  }
}
