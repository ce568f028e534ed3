/** What a goal bounds: the value by the reference, the value itself, or what it is beyond the reference. */
export type Bound = 'ratio' | 'value' | 'difference';
export interface Goal {
  of: Bound;
  atMost?: number;
  atLeast?: number;
}
export interface Figure {
  name: string;
  value: number;
  unit: string;
  /** What the same run took for the reference, where there is one. */
  reference?: number;
  goal?: Goal;
}

export const atMost = (of: Bound, bound: number): Goal => ({ of, atMost: bound });
export const atLeast = (of: Bound, bound: number): Goal => ({ of, atLeast: bound });

const ratioOf = ({ value, reference = NaN }: Figure): number => value / reference;

const isReached = (figure: Figure): boolean | undefined => {
  const { goal, value, reference = NaN } = figure;
  if (!goal) return undefined;
  const measured = { ratio: ratioOf(figure), value, difference: value - reference }[goal.of];
  return measured <= (goal.atMost ?? Infinity) && measured >= (goal.atLeast ?? -Infinity);
};

const wanted = ({ goal }: Figure): string | undefined =>
  goal && `${goal.of} ${goal.atMost === undefined ? `≥ ${goal.atLeast}` : `≤ ${goal.atMost}`}`;

const digits = (value: number): string => {
  if (value >= 1000) return value.toFixed(0);
  return value >= 1 ? value.toFixed(1) : value.toFixed(4);
};

const table = (rows: readonly string[][]): void => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  for (const row of rows)
    console.log(
      row
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    );
};

export const printFigures = (figures: readonly Figure[], json: boolean, bench = 'relay'): void => {
  if (json) {
    for (const figure of figures) {
      const { name, value, unit, reference } = figure;
      const ratio = reference === undefined ? null : ratioOf(figure);
      const row = { bench, name, value, unit, reference: reference ?? null, ratio };
      console.log(JSON.stringify({ ...row, goal: wanted(figure) ?? null, ok: isReached(figure) ?? null }));
    }
    return;
  }
  table([
    ['what', bench, '', 'reference', 'ratio', 'goal'],
    ...figures.map((figure) => {
      const { name, value, unit, reference } = figure;
      const goal = figure.goal ? `${wanted(figure)} ${isReached(figure) ? '✓' : '✗'}` : '';
      const beside = reference === undefined ? ['', ''] : [digits(reference), ratioOf(figure).toFixed(2)];
      return [name, digits(value), unit, ...beside, goal];
    }),
  ]);
};
