import type { IncomingEnvelope } from '@sotto/contract/envelope';
import type { EnvelopeId } from '@sotto/contract/ids';
import { LIMITS } from '@sotto/contract/limits';
import { GLANCE } from '../services/mailbox.ts';

/** Of bodies handed to a socket and not yet acknowledged by it. */
export const BYTES_IN_FLIGHT = 1024 * 1024;
/** What any envelope has room in. */
const LARGEST = Math.max(LIMITS.envelopeBytes, LIMITS.entryBytes);
const RETRY_MS = 1_000;

export interface PumpPorts {
  /** The first waiting envelopes without those in `except`, and whether more wait. */
  read(options: {
    except: readonly EnvelopeId[];
    limit: number;
    bytes: number;
  }): Promise<{ envelopes: readonly IncomingEnvelope[]; more: boolean }>;
  deliver(envelope: IncomingEnvelope): void;
  caughtUp(): void;
  failed(error: unknown): void;
}

/** What a read takes at most, ahead of the window, once a glance has found more than it holds. */
const READ = { limit: 1_000, bytes: BYTES_IN_FLIGHT };
/** With fewer read and not handed over the next ones are read. */
const LOW = READ.limit / 2;

/**
 * Carries a device's inbox to one socket, a window ahead of its acks. First it reads what waits; once nothing is
 * left it passes on what is committed as it comes, and nothing is read. When the window is full it lets that go by,
 * since it is in the inbox, and reads again after an ack. What comes during a read is kept aside: the read may have
 * looked before or after that was there.
 */
export class Pump {
  readonly #ports: PumpPorts;
  /** Bytes of each. Made when there is something, as most sockets are idle. */
  #inFlight: Map<EnvelopeId, number> | undefined;
  #bytes = 0;
  /** Acknowledged by the socket, not yet in the database: a read would find these rows. */
  #acking: Set<EnvelopeId> | undefined;
  /** Read and not handed over, first come last. */
  #ahead: IncomingEnvelope[] | undefined;
  /** Something may wait that is neither in flight nor ahead. */
  #behind = true;
  /** The last read left something. */
  #deep = false;
  #reading = false;
  /** For an answer that may hold more. */
  #asking = false;
  /** What came during the read; undefined when some of it was let go. */
  #aside: IncomingEnvelope[] | undefined;
  #caughtUp = false;
  #stopped = false;
  /** The last read failed and that was told. */
  #failing = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(ports: PumpPorts) {
    this.#ports = ports;
  }

  /** Instead of a first ring: nothing waits, as was seen by somebody who heard of all that came since. */
  begin(): void {
    this.#behind = false;
    this.#advance();
  }

  /** There may be something to read. */
  ring(): void {
    this.#behind = true;
    if (!this.#reading && !this.#stopped) void this.#read();
  }

  fresh(envelope: IncomingEnvelope): void {
    if (this.#reading) {
      if (this.#aside && this.#aside.length < LIMITS.envelopesInFlight) this.#aside.push(envelope);
      else {
        this.#aside = undefined;
        this.#behind = true;
      }
    } else if (!this.#behind && !this.#ahead && this.#hasRoom) this.#take(envelope);
    else this.#behind = true;
  }

  /** The socket has these: there is room. Returns those that were in flight, each once, for which `stored` has to follow. */
  acked(ids: readonly EnvelopeId[]): EnvelopeId[] {
    const taken: EnvelopeId[] = [];
    for (const id of ids) {
      const bytes = this.#inFlight?.get(id);
      if (bytes === undefined) continue;
      this.#inFlight!.delete(id);
      this.#bytes -= bytes;
      (this.#acking ??= new Set()).add(id);
      taken.push(id);
    }
    if (taken.length === 0) return taken;
    this.#advance();
    if (this.#behind) this.ring();
    return taken;
  }

  /** `failed`: they come again, and are acknowledged again. */
  stored(ids: readonly EnvelopeId[], failed = false): void {
    for (const id of ids) this.#acking?.delete(id);
    if (failed) this.ring();
  }

  stop(): void {
    this.#stopped = true;
    this.#ahead = this.#aside = undefined;
    clearTimeout(this.#retry);
  }

  get #hasRoom(): boolean {
    return this.#bytes <= BYTES_IN_FLIGHT - LARGEST && (this.#inFlight?.size ?? 0) < LIMITS.envelopesInFlight;
  }

  get #runsLow(): boolean {
    return this.#ahead ? this.#ahead.length < LOW : this.#hasRoom;
  }

  #take(envelope: IncomingEnvelope): void {
    const { id, body } = envelope;
    if (this.#inFlight?.has(id)) return;
    (this.#inFlight ??= new Map()).set(id, body.length);
    this.#bytes += body.length;
    this.#ports.deliver(envelope);
  }

  /** Hands over what was read, as far as there is room. */
  #advance(): void {
    while (this.#ahead && this.#hasRoom) {
      this.#take(this.#ahead.pop()!);
      if (this.#ahead.length === 0) this.#ahead = undefined;
    }
    if (this.#ahead || this.#behind || this.#asking || this.#caughtUp) return;
    this.#caughtUp = true;
    this.#ports.caughtUp();
  }

  async #read(): Promise<void> {
    this.#reading = true;
    try {
      while (this.#behind && this.#runsLow && !this.#stopped) {
        this.#behind = false;
        this.#aside = [];
        await this.#readOnce();
      }
    } catch (error) {
      this.#behind = true;
      if (this.#stopped) return;
      if (!this.#failing) this.#ports.failed(error);
      this.#failing = true;
      // Unlike a lost ring, nobody would come to read this.
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => this.ring(), RETRY_MS);
    } finally {
      this.#reading = false;
      this.#aside = undefined;
    }
  }

  async #readOnce(): Promise<void> {
    const ahead = this.#ahead?.map(({ id }) => id) ?? [];
    this.#asking = true;
    const { envelopes, more } = await this.#ports
      .read({
        except: [...(this.#inFlight?.keys() ?? []), ...(this.#acking ?? []), ...ahead],
        ...(this.#deep ? READ : GLANCE),
      })
      .finally(() => (this.#asking = false));
    this.#deep = more;
    this.#failing = false;
    if (this.#stopped) return;
    const read = [...envelopes];
    // With more in the inbox these would come out of turn.
    if (more) this.#behind = true;
    else if (!this.#behind && this.#aside && this.#aside.length > 0) {
      const known = new Set([...read.map(({ id }) => id), ...ahead]);
      read.push(...this.#aside.filter(({ id }) => !known.has(id)));
    }
    this.#aside = [];
    if (read.length > 0) this.#ahead = [...read.toReversed(), ...(this.#ahead ?? [])];
    this.#advance();
  }
}
