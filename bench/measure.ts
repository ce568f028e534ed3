/** One line of a bench. */
export interface Figure {
  name: string;
  value: number;
  unit: 'µs' | 'MB/s';
  /** What the same run took for the reference: `against`. */
  reference: number;
  against: string;
  /** The value by the reference. */
  ratio: number;
  /** For the ratio: at most this for a time, at least this for a speed. */
  goal?: number;
}

export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
};

/**
 * The median time of one call of each, in microseconds. They take turns in batches, so that whatever slows the machine
 * slows them alike. A case returns how many operations it did, and may leave out of the time what is not measured.
 */
export const interleave = async (
  cases: readonly ((batch: number) => Promise<number>)[],
  { batches, batch }: { batches: number; batch: number },
): Promise<number[]> => {
  const times: number[][] = cases.map(() => []);
  for (const run of cases) await run(batch);
  for (let round = 0; round < batches; round += 1)
    for (const [i, run] of cases.entries()) times[i]!.push((await run(batch)) / batch);
  return times.map((samples) => 1000 * median(samples));
};

/** A case that is timed as a whole. */
export const timed =
  (work: () => Promise<unknown>) =>
  async (batch: number): Promise<number> => {
    const started = performance.now();
    for (let i = 0; i < batch; i += 1) await work();
    return performance.now() - started;
  };

export const time = (
  name: string,
  value: number,
  reference: number,
  against: string,
  goal?: number,
): Figure => ({
  name,
  value,
  unit: 'µs',
  reference,
  against,
  ratio: value / reference,
  ...(goal !== undefined && { goal }),
});

/** The least of the values that so large a share of them does not exceed. */
export const percentile = (values: readonly number[], share: number): number => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
};
