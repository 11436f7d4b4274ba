import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { SideBySideFold } from '../../src/downsamplers/side-by-side-fold.ts';
import { type Block, rawBlock } from '../../src/model/block.ts';
import { bucketStartMs, Granularity } from '../../src/model/granularity.ts';
import { foldRaw, foldStates, schemaOf } from './support.ts';

const { Seconds10, Minutes } = Granularity;
const VALUE_COLUMNS = ['s', 'l', 'u', 'q'];
const SCHEMA = schemaOf(['mean', 'min', 'max', 'sum', 'sum_squares', 'count']);

/** Where the rows of each bucket end. */
function endsOf(timestamps: Float64Array, granularity: Granularity): Int32Array {
  const ends: number[] = [];
  for (const [row, ms] of timestamps.entries()) {
    const isNew =
      row === 0 ||
      bucketStartMs(timestamps[row - 1]!, granularity) !== bucketStartMs(ms, granularity);
    if (isNew) ends.push(row);
    ends[ends.length - 1] = row + 1;
  }
  return Int32Array.from(ends);
}

const stepsMs = fc.array(fc.constantFrom(0, 1, 1000, 3000, 45_000), {
  minLength: 1,
  maxLength: 60,
});
const value = fc.oneof(
  fc.constantFrom(0, -0, 0.1, -0.1, 5e-324, 1e308, 2 ** 53),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

describe('a fold of streams side by side', () => {
  test('gives the states of a fold of each, to the bit', () => {
    fc.assert(
      fc.property(
        stepsMs,
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(value),
        (steps, streamCount, values) => {
          let ms = 1_700_000_000_000;
          const timestamps = Float64Array.from(steps, (step) => (ms += step));
          const streams = Array.from({ length: streamCount }, () =>
            Float64Array.from(timestamps, () => values.next().value as number),
          );
          const folded = streams.map((stream): [Block, Block] => {
            const finest = foldRaw(SCHEMA, Seconds10, [rawBlock(timestamps, stream)]);
            return [finest, foldStates(SCHEMA, Minutes, [finest])];
          });
          const levels = [
            { ends: endsOf(timestamps, Seconds10) },
            { ends: endsOf(folded[0]![0].timestamps, Minutes) },
          ];
          const fold = new SideBySideFold(SCHEMA, levels, streamCount);
          // Sums beyond all numbers and their opposites have none: such streams are left to others.
          const added = folded.filter((_blocks, index) => fold.add(streams[index]!));
          for (const [index, [finest]] of folded.entries()) {
            const hasSums = !(finest.columns['s'] as Float64Array).includes(Number.NaN);
            expect(added.includes(folded[index]!)).toBe(hasSums);
          }
          expect(fold.streamCount).toBe(added.length);
          fold.finish();
          for (const [stream, blocks] of added.entries()) {
            for (const [level, { timestamps: starts, columns }] of blocks.entries()) {
              for (const name of VALUE_COLUMNS) {
                const states = Array.from(
                  starts,
                  (_ms, bucket) => fold.states(level, bucket, name)![stream],
                );
                expect(states).toEqual([...(columns[name] as Float64Array)]);
              }
            }
          }
          expect(fold.states(0, 0, 'c')).toBeNull();
        },
      ),
      { numRuns: 200 },
    );
  });

  test('refuses a stream with a null, and folds the others', () => {
    const fold = new SideBySideFold(SCHEMA, [{ ends: Int32Array.of(2, 3) }], 2);
    expect(fold.add(Float64Array.of(1, 2, Number.NaN))).toBe(false);
    expect(fold.add(Float64Array.of(3, 4, 5))).toBe(true);
    fold.finish();
    expect(fold.streamCount).toBe(1);
    expect(fold.states(0, 0, 's')).toEqual(Float64Array.of(7));
    expect(fold.states(0, 1, 'l')).toEqual(Float64Array.of(5));
  });

  test('is for plain numbers without moments, medians and frequencies', () => {
    expect(SideBySideFold.supports(SCHEMA)).toBe(true);
    expect(SideBySideFold.supports(schemaOf(['count']))).toBe(true);
    expect(SideBySideFold.supports(schemaOf(['std_dev']))).toBe(false);
    expect(SideBySideFold.supports(schemaOf(['median']))).toBe(false);
    expect(SideBySideFold.supports(schemaOf(['mean'], { highAccuracy: true }))).toBe(false);
    expect(SideBySideFold.supports(schemaOf(undefined, { valueType: 'nominal' }))).toBe(false);
  });
});
