import { expect } from '@jest/globals';
import fc from 'fast-check';
import type { Block, Column } from '../../../src/model/block.ts';

const TIMESTAMP_MS_MAX = 8.64e15;

/** Doubles at which some encoding must give up, or change. */
export const SPECIAL_VALUES: readonly number[] = [
  Number.NaN,
  -0,
  0,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  2.225073858507201e-308,
  Number.MAX_VALUE,
  0.1 + 0.2,
  1 / 3,
  123456.78901234567,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 52 - 1,
  2 ** 52,
  2 ** 53 - 1,
  2 ** 53,
  2 ** 53 + 2,
  -(2 ** 53) + 1,
  -(2 ** 53),
  9007199254740.99,
  0.000000001,
  -1e-9,
  1e-10,
];

const decimal: fc.Arbitrary<number> = fc
  .tuple(fc.integer({ min: -(10 ** 6), max: 10 ** 6 }), fc.integer({ min: 0, max: 9 }))
  .map(([integer, digits]) => integer / 10 ** digits + 0);

function walk(rowCount: number, digits: number): fc.Arbitrary<number[]> {
  return fc
    .tuple(
      fc.maxSafeInteger(),
      fc.array(fc.integer({ min: -300, max: 300 }), { minLength: rowCount, maxLength: rowCount }),
    )
    .map(([start, steps]) => {
      let sum = start;
      return steps.map((step) => {
        sum += step;
        return sum / 10 ** digits + 0;
      });
    });
}

/** Series of one kind each, of so many rows. */
export function values(rowCount: number): fc.Arbitrary<number[]> {
  const many = (value: fc.Arbitrary<number>): fc.Arbitrary<number[]> =>
    fc.array(value, { minLength: rowCount, maxLength: rowCount });
  return fc.oneof(
    many(fc.double()),
    many(decimal),
    many(fc.maxSafeInteger()),
    many(fc.integer({ min: 0, max: 3 })),
    many(fc.oneof({ weight: 19, arbitrary: fc.constant(7) }, fc.integer())),
    many(fc.constantFrom(...SPECIAL_VALUES)),
    fc.double().map((value) => new Array<number>(rowCount).fill(value)),
    fc.integer({ min: 0, max: 9 }).chain((digits) => walk(rowCount, digits)),
    noise(rowCount),
    many(fc.array(decimal, { minLength: 2, maxLength: 9 }).map(sumOf)),
    many(fc.float({ noNaN: true })),
    many(fc.integer({ min: 1000, max: 1300 })),
    fc
      .uniqueArray(fc.double({ noNaN: true }), { minLength: 1, maxLength: 12 })
      .chain((few) => many(fc.constantFrom(...few))),
    fc
      .tuple(fc.maxSafeInteger(), fc.integer({ min: -100, max: 100 }))
      .map(([start, step]) => Array.from({ length: rowCount }, (_, row) => start + step * row)),
    many(fc.oneof({ weight: 39, arbitrary: decimal }, fc.constantFrom(...SPECIAL_VALUES))),
    // A wave: first and second differences are small too.
    fc.tuple(fc.double({ min: 0.001, max: 1, noNaN: true }), fc.nat(15)).map(([step, digits]) =>
      Array.from({ length: rowCount }, (_, row) => {
        const value = Math.sin(row * step) * 100;
        return digits === 15 ? value : Number(value.toFixed(digits)) + 0;
      }),
    ),
  );
}

function sumOf(addends: readonly number[]): number {
  return addends.reduce((sum, addend) => sum + addend, 0);
}

/** Around a level that moves slowly, of any width: what smoothing and an entropy code are for. */
function noise(rowCount: number): fc.Arbitrary<number[]> {
  return fc
    .tuple(fc.nat(), fc.integer({ min: 1, max: 50 }), fc.nat(4))
    .map(([seed, widthBits, digits]) => {
      let state = seed | 1;
      const next = (): number => {
        state = (Math.imul(state, 1103515245) + 12345) & 0x7fffffff;
        return state / 2 ** 31 - 0.5;
      };
      let level = 0;
      return Array.from({ length: rowCount }, () => {
        level += next() * 2 ** (widthBits - 2);
        return Math.round(level + next() * 2 ** widthBits) / 10 ** digits + 0;
      });
    });
}

/** Values of one kind, some of which are replaced by special ones where a mask says so. */
function floatColumn(rowCount: number): fc.Arbitrary<Float64Array> {
  const mask = fc.oneof(
    { weight: 2, arbitrary: fc.constant<(number | null)[]>([]) },
    fc.array(fc.option(fc.constantFrom(...SPECIAL_VALUES), { freq: 10, nil: null }), {
      maxLength: rowCount,
    }),
    fc.array(fc.constantFrom<number | null>(Number.NaN, null), { maxLength: rowCount }),
  );
  return fc
    .tuple(values(rowCount), mask)
    .map(([plain, special]) => Float64Array.from(plain, (value, row) => special[row] ?? value));
}

function jsonColumn(rowCount: number): fc.Arbitrary<readonly unknown[]> {
  const value = fc.oneof(
    fc.constant(null),
    fc.string({ unit: 'binary' }),
    // JSON text has no -0, so nothing that holds one comes back as it was.
    fc.jsonValue().map((json) => JSON.parse(JSON.stringify(json)) as unknown),
  );
  return fc.array(value, { minLength: rowCount, maxLength: rowCount });
}

function timestampColumn(rowCount: number): fc.Arbitrary<Float64Array> {
  const first = fc.oneof(
    fc.constantFrom(-TIMESTAMP_MS_MAX, -1, 0, 1.7e12),
    fc.integer({ min: -TIMESTAMP_MS_MAX, max: TIMESTAMP_MS_MAX }),
  );
  const delta = fc.oneof(
    { weight: 5, arbitrary: fc.constant(10_000) },
    { weight: 3, arbitrary: fc.integer({ min: 0, max: 20_000 }) },
    fc.constant(0),
    fc.integer({ min: 0, max: 2 ** 45 }),
    fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
  );
  const deltas = fc.oneof(
    fc.array(delta, { minLength: rowCount, maxLength: rowCount }),
    delta.map((step) => new Array<number>(rowCount).fill(step)),
  );
  return fc.tuple(first, deltas).map(([firstMs, steps]) => {
    let timestampMs = firstMs;
    return Float64Array.from(steps, (step, row) => {
      if (row > 0) timestampMs = Math.min(timestampMs + step, TIMESTAMP_MS_MAX);
      return timestampMs;
    });
  });
}

const rowCounts: fc.Arbitrary<number> = fc.oneof(
  fc.integer({ min: 1, max: 5 }),
  fc.constantFrom(47, 48, 49, 63, 64, 65, 66, 128, 129),
  fc.integer({ min: 1, max: 300 }),
);

/** A block of up to four columns whose names come from a small set, so that blocks share some. */
export const blocks: fc.Arbitrary<Block> = rowCounts.chain((rowCount) =>
  fc.record({
    timestamps: timestampColumn(rowCount),
    columns: columnsOf(
      fc.oneof<fc.Arbitrary<Column>[]>(floatColumn(rowCount), jsonColumn(rowCount)),
    ),
  }),
);

export const floatBlocks: fc.Arbitrary<Block> = rowCounts.chain((rowCount) =>
  fc.record({
    timestamps: timestampColumn(rowCount),
    columns: columnsOf(floatColumn(rowCount)),
  }),
);

function columnsOf(column: fc.Arbitrary<Column>): fc.Arbitrary<Record<string, Column>> {
  return fc
    .dictionary(
      fc.constantFrom('v', 'c', 's', 'ts', 'm', 'sum', 'größe', '', '\u{1f600}'),
      column,
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    )
    .chain(withRelated);
}

/** Some columns become the same as the first one, or its squares, apart from single rows. */
function withRelated(columns: Record<string, Column>): fc.Arbitrary<Record<string, Column>> {
  const names = Object.keys(columns);
  const [first] = Object.values(columns);
  if (!(first instanceof Float64Array)) return fc.constant(columns);
  const related = fc.tuple(fc.constantFrom('own', 'same', 'squares'), fc.option(fc.nat()));
  return fc.array(related, { minLength: names.length, maxLength: names.length }).map((kinds) =>
    Object.fromEntries(
      names.map((name, place) => {
        const [kind, otherRow] = kinds[place]!;
        if (place === 0 || kind === 'own') return [name, columns[name]!];
        const values = first.map((value) => (kind === 'same' ? value : value * value));
        if (otherRow !== null) values[otherRow % values.length] = 0;
        return [name, values];
      }),
    ),
  );
}

function bitsOf(values: Float64Array): string {
  return Buffer.from(Float64Array.from(values).buffer).toString('hex');
}

/** Expects equality by bits: -0 is not 0, and a number is not the `null` that JSON has for NaN. */
export function expectSameBlock(actual: Block, expected: Block): void {
  expect(Array.from(actual.timestamps)).toEqual(Array.from(expected.timestamps, (ms) => ms + 0));
  expect(Object.keys(actual.columns).sort()).toEqual(Object.keys(expected.columns).sort());
  for (const [name, column] of Object.entries(expected.columns)) {
    const decoded = actual.columns[name]!;
    expect(decoded instanceof Float64Array).toBe(column instanceof Float64Array);
    if (column instanceof Float64Array) {
      expect(bitsOf(decoded as Float64Array)).toBe(bitsOf(column));
    } else {
      expect(decoded).toEqual(column);
    }
  }
}
