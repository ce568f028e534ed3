import { StoreError } from '@sotto/engine/ports';

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

const same = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true;
  if (!isObject(a) || !isObject(b) || Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  const [fields, others] = [Object.keys(a), Object.keys(b)];
  return fields.length === others.length && fields.every((field) => field in b && same(a[field], b[field]));
};

/** Throws unless both are the same value: field by field, byte by byte. Runs wherever the suite does. */
export const equal = (actual: unknown, expected: unknown, what = 'the value'): void => {
  if (same(actual, expected)) return;
  throw new Error(`${what} is ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
};

/** Throws unless `work` rejects with a StoreError of that code. */
export const refuses = async (work: Promise<unknown>, code: StoreError['code']): Promise<void> => {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof StoreError)) throw new Error(`no StoreError ${code} but ${String(error)}`);
  equal(error.code, code, 'the code');
};
