import fc from 'fast-check';

/** As much of JSON Schema as `z.toJSONSchema` writes for the contract. */
export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  oneOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minLength?: number;
  maxLength?: number;
  minimum?: number;
  maximum?: number;
  pattern?: string;
  format?: string;
}

/** What has broken parsers elsewhere. */
const NASTY: readonly unknown[] = [
  null,
  true,
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e',
  "' OR 1=1 --",
  '%',
  '../../etc/passwd',
  '__proto__',
  'A'.repeat(5000),
  -1,
  0.5,
  Number.MAX_SAFE_INTEGER,
  2 ** 53,
  1e308,
  [],
  {},
  [[[[[[]]]]]],
  { toString: 1, constructor: { prototype: 1 } },
];

export const nasty: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.jsonValue({ maxDepth: 3 }),
);

const BASE64URL = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'];

const text = ({ minLength = 0, maxLength = minLength + 40, pattern }: Schema): fc.Arbitrary<unknown> => {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  // Most texts of the contract are bytes.
  const unit = fc.constantFrom(...BASE64URL);
  const bytes = fc.string({ unit, minLength, maxLength: Math.min(maxLength, minLength + 100) });
  return fc.oneof(bytes, fc.string({ minLength, maxLength: Math.min(maxLength, minLength + 20) }));
};

const leaf = (schema: Schema, bytes: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> => {
  switch (schema.type) {
    case 'string':
      return schema.format === 'binary' ? bytes : text(schema);
    case 'integer':
    case 'number': {
      const { minimum = -10, maximum = 2 ** 40 } = schema;
      return fc.oneof(
        fc.integer({ min: minimum, max: Math.min(maximum, 2 ** 31 - 1) }),
        fc.constant(maximum),
      );
    }
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    default:
      return nasty;
  }
};

export interface Options {
  /** Each part is something else altogether about once in so many times. */
  wrong: number;
  /** What stands where the schema says `binary`. */
  bytes?: fc.Arbitrary<unknown>;
  /** Values that mean something to the relay, by the names of properties. */
  known: Record<string, readonly unknown[]>;
}

/** Values of a schema, more or less. */
export const valuesOf = (schema: Schema, options: Options): fc.Arbitrary<unknown> => {
  const { wrong, bytes = nasty, known } = options;
  const part = (key: string, of: Schema): fc.Arbitrary<unknown> =>
    known[key] ? fc.oneof(valuesOf(of, options), fc.constantFrom(...known[key])) : valuesOf(of, options);
  const right = (): fc.Arbitrary<unknown> => {
    if (schema.const !== undefined) return fc.constant(schema.const);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices) return fc.oneof(...choices.map((choice) => valuesOf(choice, options)));
    if (schema.type === 'array') {
      const { items = {}, minItems = 0, maxItems = minItems + 3 } = schema;
      return fc.array(valuesOf(items, options), {
        minLength: minItems,
        maxLength: Math.min(maxItems, minItems + 3),
      });
    }
    if (schema.type === 'object') {
      const parts = Object.entries(schema.properties ?? {}).map(([key, of]) => [key, part(key, of)]);
      return fc.record(Object.fromEntries(parts) as Record<string, fc.Arbitrary<unknown>>, {
        requiredKeys: schema.required ?? [],
      });
    }
    return leaf(schema, bytes);
  };
  return fc.oneof({ weight: wrong - 1, arbitrary: right() }, { weight: 1, arbitrary: nasty });
};
