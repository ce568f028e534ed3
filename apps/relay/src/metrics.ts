import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** What a relay counts of itself. No name, label or value tells of a person, a device or an address. */
export class Metrics {
  readonly registry = new Registry();
  readonly #counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: `sotto_${name}`, help, labelNames, registers: [this.registry] });

  readonly accepted = this.#counter('envelopes_accepted_total', 'Envelopes and posts that were stored.');
  readonly delivered = this.#counter(
    'envelopes_delivered_total',
    'Envelopes handed to a socket or a request.',
  );
  readonly acknowledged = this.#counter('envelopes_acknowledged_total', 'Envelopes that their device has.');
  readonly refused = this.#counter('refused_total', 'What was refused, by its code.', ['code']);
  readonly limited = this.#counter('limited_total', 'What was refused for its number, by the limit.', [
    'limit',
  ]);
  readonly commits = new Histogram({
    name: 'sotto_commit_seconds',
    help: 'What it takes to store a batch of envelopes, until it is durable.',
    buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers: [this.registry],
  });

  /** Calls `read` whenever it is asked. */
  gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({
      name: `sotto_${name}`,
      help,
      registers: [],
      collect: () => gauge.set(read()),
    });
    this.registry.registerMetric(gauge);
  }

  /** Adds those of the process: memory, CPU, open files, event loop. They cost something from now on. */
  watchProcess(): void {
    collectDefaultMetrics({ register: this.registry });
  }
}
