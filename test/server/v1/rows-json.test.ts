import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { datapointAt } from '../../../src/api/datapoint-columns.ts';
import type { DatapointColumns } from '../../../src/api/types.ts';
import { rowsJson } from '../../../src/server/http/rows-json.ts';
import { exactJson } from '../../../src/text/exact-json.ts';
import { InstantTexts } from '../../../src/text/instant-texts.ts';

const instant = fc.oneof(
  fc.integer({ min: -8.64e15, max: 8.64e15 }),
  fc.integer({ min: -8.64e12, max: 8.64e12 }).map((seconds) => seconds * 1000),
  fc.integer({ min: 1.7e6, max: 1.7e6 + 300 }).map((kiloseconds) => kiloseconds * 1e6),
  fc.constantFrom(-1, -0, 0, 999, -62167219200000, -62167219201000, 253402300800000, 0.5, -1000.5),
);
const number = fc.oneof(fc.double(), fc.constantFrom(Number.NaN, -0, 2 ** 60, 0.1 + 0.2));

/** The text of a row as the object of the row has it. */
function expectedText(columns: DatapointColumns, row: number): string {
  const text = exactJson(datapointAt(columns, row));
  if (columns.values !== undefined) return text;
  return `{"bucket":${exactJson(new Date(columns.timestamps[row]!))},${text.slice(1)}`;
}

function expectSameRows(columns: DatapointColumns, separator: string): void {
  const rows = Array.from(columns.timestamps, (_, row) => expectedText(columns, row));
  expect([...rowsJson(columns, separator)].join(separator)).toBe(rows.join(separator));
}

function floats(arbitrary: fc.Arbitrary<number>, length: number): fc.Arbitrary<Float64Array> {
  return fc
    .array(arbitrary, { minLength: length, maxLength: length })
    .map((values) => Float64Array.from(values));
}

const lengths = fc.constantFrom(1, 2, 17, 127, 128, 129, 300);

describe('rowsJson', () => {
  test('gives raw datapoints as their objects are written', () => {
    const columns = lengths.chain((length) =>
      fc.record({
        timestamps: floats(instant, length),
        values: fc.oneof(
          floats(number, length),
          fc.array(fc.jsonValue(), { minLength: length, maxLength: length }),
        ),
      }),
    );
    fc.assert(
      fc.property(columns, (given) => expectSameRows(given, ',')),
      { numRuns: 60 },
    );
  });

  test('gives buckets as their objects are written, with instants, lengths of time, and marks', () => {
    const time = fc.oneof(instant, fc.constant(Number.NaN));
    const columns = lengths.chain((length) =>
      fc.record(
        {
          timestamps: floats(instant, length),
          t: fc.record({
            a: floats(time, length),
            m: floats(time, length),
            i: floats(time, length),
          }),
          v: fc.record({
            m: floats(number, length),
            '"ü': floats(number, length),
            f: fc.array(fc.option(fc.dictionary(fc.string(), fc.nat())), {
              minLength: length,
              maxLength: length,
            }),
          }),
          live: fc
            .array(fc.nat(1), { minLength: length, maxLength: length })
            .map((marks) => Uint8Array.from(marks)),
        },
        { requiredKeys: ['timestamps', 'v'] },
      ),
    );
    fc.assert(
      fc.property(columns, (given) => expectSameRows(given as DatapointColumns, '\n')),
      { numRuns: 60 },
    );
  });

  test('gives nothing without datapoints', () => {
    expect([...rowsJson({ timestamps: new Float64Array(0) }, ',')]).toEqual([]);
  });
});

test('instants are written as dates are, one after the other and in any order', () => {
  const texts = new InstantTexts();
  fc.assert(
    fc.property(instant, (timestampMs) => {
      expect(texts.json(timestampMs)).toBe(exactJson(new Date(timestampMs)));
    }),
    { numRuns: 2000 },
  );
});
