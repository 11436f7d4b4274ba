import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fold } from '../../src/downsamplers/fold.ts';
import { concatBlocks, EMPTY_BLOCK } from '../../src/model/block.ts';
import { bucketStartMs, Granularity } from '../../src/model/granularity.ts';
import {
  blockOf,
  cutAt,
  finishAll,
  finishOne,
  foldRaw,
  foldStates,
  GROUP_NAMES,
  naiveBucket,
  type Point,
  schemaOf,
  secondly,
} from './support.ts';

const TENS = Granularity.Seconds10;
const MINUTES = Granularity.Minutes;

/** Ascending whole seconds from a start on either side of 1970, equal ones too. */
function pointsOf<T>(
  value: fc.Arbitrary<T>,
  maxLength = 120,
): fc.Arbitrary<{ timestampMs: number; value: T }[]> {
  return fc
    .record({
      startSeconds: fc.integer({ min: -5000, max: 5000 }),
      steps: fc.array(
        fc.record({ seconds: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.nat(300)), value }),
        { maxLength },
      ),
    })
    .map(({ startSeconds, steps }) => {
      let seconds = startSeconds;
      return steps.map((step) => {
        seconds += step.seconds;
        return { timestampMs: seconds * 1000, value: step.value };
      });
    });
}

const integers = fc.integer({ min: -1000, max: 1000 });
const integerOrNull = fc.option(integers, { freq: 4 });
const cuts = fc.array(fc.nat(120), { maxLength: 6 });

const group = fc
  .record({ values: fc.array(integers, { minLength: 0, maxLength: 5 }) })
  .map(({ values }) => {
    const count = values.length;
    if (count === 0) return { c: 0 };
    const { v } = naiveBucket(
      values.map((value) => ({ timestampMs: 0, value })),
      MINUTES,
    );
    return { ...v };
  });

function groupedByBucket(
  points: readonly Point[],
  granularity: Granularity,
): Map<number, { timestampMs: number; value: number }[]> {
  const buckets = new Map<number, { timestampMs: number; value: number }[]>();
  for (const { timestampMs, value } of points) {
    if (value === null) continue;
    const startMs = bucketStartMs(timestampMs, granularity);
    const bucket = buckets.get(startMs) ?? [];
    bucket.push({ timestampMs, value: value as number });
    buckets.set(startMs, bucket);
  }
  return buckets;
}

describe('Fold of raw datapoints', () => {
  test('gives what each bucket computed the long way gives', () => {
    const schema = schemaOf();
    fc.assert(
      fc.property(pointsOf(integerOrNull), (points) => {
        const expected = [...groupedByBucket(points, TENS)].map(([startMs, bucket]) => ({
          startMs,
          ...naiveBucket(bucket, TENS),
        }));
        const actual = finishAll(schema, TENS, foldRaw(schema, TENS, [blockOf(points)]));
        expect(actual.map(withoutDeviation)).toEqual(expected.map(withoutDeviation));
        actual.forEach(({ t, v }, i) => {
          expect(v['d']).toBeCloseTo(expected[i]!.v['d']!, 8);
          expect(v['v']).toBeCloseTo(expected[i]!.v['v']!, 4);
          if (t['d'] !== null) expect(t['d']).toBeCloseTo(expected[i]!.t['d'] as number, 8);
        });
      }),
    );
  });

  test('does not depend on how rows were cut into blocks, to the bit', () => {
    const schema = schemaOf();
    const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.constant(null));
    fc.assert(
      fc.property(pointsOf(value), cuts, (points, rows) => {
        const block = blockOf(points);
        const pieces = cutAt(
          block,
          rows.map((row) => row % (points.length + 1)),
        );
        expect(foldRaw(schema, TENS, pieces)).toEqual(foldRaw(schema, TENS, [block]));
      }),
    );
  });

  test('leaves buckets that were taken out as they are when more rows come', () => {
    const schema = schemaOf(['mean', 'min', 'max']);
    const fold = new Fold(schema, TENS);
    const rowsFrom = (second: number) =>
      blockOf(
        Array.from({ length: 40 }, (_, row) => ({
          timestampMs: (second + row) * 1000,
          value: row,
        })),
      );
    fold.addRaw(rowsFrom(3));
    const taken = fold.takeClosed();
    const before = structuredClone(taken);
    fold.addRaw(rowsFrom(43));
    fold.addRaw(rowsFrom(83));
    expect(taken).toEqual(before);
    const whole = foldRaw(schema, TENS, [rowsFrom(3), rowsFrom(43), rowsFrom(83)]);
    expect(concatBlocks([taken, fold.finish()])).toEqual(whole);
  });

  test('of datapoints that are equally far apart is that of one after the other, to the bit', () => {
    const zeros = fc.constantFrom(0, -0, 1, -1, Number.NaN);
    const value = fc.oneof(zeros, fc.double({ noNaN: true, noDefaultInfinity: true }));
    fc.assert(
      fc.property(
        fc.integer({ min: -5000, max: 5000 }),
        fc.oneof(fc.constantFrom(0, 0.5, 1, 10, 60, 61), fc.nat(100)),
        fc.array(value, { maxLength: 150 }),
        fc.constantFrom(undefined, ['sum'], ['min'], ['max', 'min'], ['mean', 'min', 'max']),
        (startSeconds, stepSeconds, values, names) => {
          const schema = schemaOf(names);
          const points = values.map((item, i) => ({
            timestampMs: (startSeconds + i * stepSeconds) * 1000,
            value: Number.isNaN(item) ? null : item,
          }));
          const block = blockOf(points);
          // A single row has no step: each is looked at.
          const rows = cutAt(block, [...points.keys()]);
          expect(foldRaw(schema, MINUTES, [block])).toEqual(foldRaw(schema, MINUTES, rows));
        },
      ),
    );
  });

  test('takes long blocks with a gap and an open bucket at every place of their slices', () => {
    const schema = schemaOf(['mean', 'min', 'max']);
    const points = Array.from({ length: 10_000 }, (_, i) => ({
      timestampMs: (i + (i > 4090 ? 7 : 0) + (i > 9000 ? 100_000 : 0)) * 10_000,
      value: ((i * 7919) % 1009) / 4,
    }));
    const block = blockOf(points);
    const pieces = cutAt(
      block,
      Array.from({ length: 700 }, (_, i) => i * 13),
    );
    const whole = foldRaw(schema, MINUTES, [block]);
    expect(whole).toEqual(foldRaw(schema, MINUTES, pieces));
    expect(whole.timestamps.length).toBeGreaterThan(1600);
    const hours = foldStates(schema, Granularity.Hours, [whole]);
    expect(hours).toEqual(foldStates(schema, Granularity.Hours, cutAt(whole, [1, 2, 61, 400])));
  });

  test('keeps what it gave away while it goes on, and starts anew after the end', () => {
    const schema = schemaOf();
    const fold = new Fold(schema, TENS);
    const block = blockOf(secondly(Array.from({ length: 45 }, (_, i) => i)));
    const [head, tail] = cutAt(block, [25]);
    fold.addRaw(head!);
    const taken = [fold.takeClosed(), fold.finish()];
    fold.addRaw(tail!);
    const second = fold.finish();
    expect(concatBlocks(taken)).toEqual(foldRaw(schema, TENS, [head!]));
    expect(second).toEqual(foldRaw(schema, TENS, [tail!]));
  });

  test('does not depend on whether numbers come in float64 or among JSON values, to the bit', () => {
    const schema = schemaOf(GROUP_NAMES);
    const value = fc.oneof(
      { arbitrary: fc.double({ noNaN: true, min: -1e6, max: 1e6 }), weight: 12 },
      { arbitrary: group, weight: 1 },
    );
    fc.assert(
      fc.property(pointsOf(value), cuts, (points, rows) => {
        const pieces = [0, ...rows.map((row) => row % (points.length + 1)), points.length]
          .sort((a, b) => a - b)
          .flatMap((from, i, all) => (i + 1 < all.length ? [points.slice(from, all[i + 1])] : []))
          .map((piece) => blockOf(piece));
        const whole = blockOf(points, { isJson: true });
        expect(foldRaw(schema, TENS, pieces)).toEqual(foldRaw(schema, TENS, [whole]));
      }),
    );
  });

  test('gives no row for buckets of nulls, of empty groups, or without datapoints', () => {
    const schema = schemaOf(['mean']);
    const empty = { m: null, s: null, c: 0 };
    const points = [
      { timestampMs: -20_000, value: 1 },
      { timestampMs: -5000, value: null },
      { timestampMs: 0, value: empty },
      { timestampMs: 20_000, value: 2 },
    ];
    const block = foldRaw(schema, TENS, [blockOf(points)]);
    expect([...block.timestamps]).toEqual([-20_000, 20_000]);
    expect(foldRaw(schema, TENS, [blockOf(secondly([null, null]))])).toEqual(EMPTY_BLOCK);
    expect(foldRaw(schema, TENS, [EMPTY_BLOCK])).toEqual(EMPTY_BLOCK);
  });

  test('puts instants before 1970 into the bucket that starts before them', () => {
    const schema = schemaOf(['sum']);
    const block = foldRaw(schema, TENS, [blockOf(secondly([1, 2, 3], -1000))]);
    const [before, after] = finishAll(schema, TENS, block);
    expect(before).toMatchObject({ startMs: -10_000, v: { s: 1 }, t: { a: new Date(-1000) } });
    expect(after).toMatchObject({ startMs: 0, v: { s: 5 }, t: { z: new Date(1000) } });
  });

  test('weighs an already downsampled value by its count, at its one instant', () => {
    const schema = schemaOf(GROUP_NAMES);
    const points = [
      { timestampMs: 0, value: 10 },
      {
        timestampMs: 4000,
        value: { m: 2, s: 6, l: 1, u: 3, q: 14, d: Math.sqrt(2 / 3), c: 3, n: 2, a: 3, z: 1, g: 2 },
      },
    ];
    const [bucket] = finishAll(schema, TENS, foldRaw(schema, TENS, [blockOf(points)]));
    expect(bucket!.v).toMatchObject({ m: 4, s: 16, l: 1, u: 10, q: 114, c: 4, n: 2 });
    expect(bucket!.v).toMatchObject({ a: 10, z: 1, g: 9 });
    expect(bucket!.v['v']).toBeCloseTo(114 / 4 - 16, 12);
    expect(bucket!.v['d']).toBeCloseTo(Math.sqrt(114 / 4 - 16), 12);
    expect(bucket!.t).toEqual({
      m: new Date(3000),
      a: new Date(0),
      z: new Date(4000),
      i: 4,
      l: 4,
      u: 4,
      q: 16,
      d: 0,
    });
  });
});

describe('values near the largest float', () => {
  const { MAX_VALUE } = Number;

  test.each([[[1e155, -1e155]], [[MAX_VALUE, -MAX_VALUE]], [[-MAX_VALUE, MAX_VALUE]]])(
    '%j have an infinite variance and deviation, never a negative one',
    (values) => {
      const { v } = finishOne(schemaOf(), Granularity.Seconds10, secondly(values));
      expect([v['v'], v['d']]).toEqual([Infinity, Infinity]);
      const tens = { ...blockOf(secondly(values)), timestamps: Float64Array.of(0, 10_000) };
      const schema = schemaOf();
      const minutes = foldStates(schema, Granularity.Minutes, [
        foldRaw(schema, Granularity.Seconds10, [tens]),
      ]);
      const [merged] = finishAll(schema, Granularity.Minutes, minutes);
      expect([merged!.v['v'], merged!.v['d']]).toEqual([Infinity, Infinity]);
    },
  );

  test('have a rate wherever it is a float itself', () => {
    const points = [
      { timestampMs: 0, value: -MAX_VALUE },
      { timestampMs: 8000, value: MAX_VALUE },
    ];
    const { v } = finishOne(schemaOf(), Granularity.Seconds10, points);
    expect(v['k']).toBe(MAX_VALUE / 4);
    expect(v['g']).toBe(Infinity);
  });
});

describe('Fold of bucket states', () => {
  test('gives what folding the raw datapoints gives', () => {
    const schema = schemaOf(GROUP_NAMES);
    fc.assert(
      fc.property(pointsOf(fc.oneof(integers, group, fc.constant(null))), (points) => {
        const raw = blockOf(points);
        const tens = foldRaw(schema, TENS, [raw]);
        const direct = finishAll(schema, MINUTES, foldRaw(schema, MINUTES, [raw]));
        const merged = finishAll(schema, MINUTES, foldStates(schema, MINUTES, [tens]));
        expect(merged.map(withoutDeviation)).toEqual(direct.map(withoutDeviation));
        merged.forEach(({ v, t }, i) => {
          expect(v['d']).toBeCloseTo(direct[i]!.v['d'] as number, 8);
          expect(v['v']).toBeCloseTo(direct[i]!.v['v'] as number, 4);
          expect(t['d']).toEqual(direct[i]!.t['d']);
        });
      }),
    );
  });

  test('merging two halves is one pass over both', () => {
    const schema = schemaOf();
    fc.assert(
      fc.property(pointsOf(integerOrNull), fc.nat(120), (points, at) => {
        const inOneDay = points.map((point) => ({
          ...point,
          timestampMs: 40_000_000 + point.timestampMs,
        }));
        const [a, b] = [inOneDay.slice(0, at), inOneDay.slice(at)];
        const halves = concatBlocks([
          foldRaw(schema, Granularity.Days, [blockOf(a)]),
          foldRaw(schema, Granularity.Days, [blockOf(b)]),
        ]);
        const merged = finishAll(
          schema,
          Granularity.Days,
          foldStates(schema, Granularity.Days, [halves]),
        );
        const once = finishAll(
          schema,
          Granularity.Days,
          foldRaw(schema, Granularity.Days, [blockOf(inOneDay)]),
        );
        expect(merged.map(withoutDeviation)).toEqual(once.map(withoutDeviation));
      }),
    );
  });

  test('does not depend on how rows were cut into blocks, to the bit', () => {
    const schema = schemaOf();
    fc.assert(
      fc.property(
        pointsOf(fc.double({ noNaN: true, min: -1e9, max: 1e9 })),
        cuts,
        (points, rows) => {
          const tens = foldRaw(schema, TENS, [blockOf(points)]);
          const pieces = cutAt(
            tens,
            rows.map((row) => row % (tens.timestamps.length + 1)),
          );
          expect(foldStates(schema, MINUTES, pieces)).toEqual(foldStates(schema, MINUTES, [tens]));
        },
      ),
    );
  });

  test('floats agree with the raw fold within rounding', () => {
    const schema = schemaOf(['mean', 'std_dev']);
    fc.assert(
      fc.property(pointsOf(fc.double({ noNaN: true, min: 0, max: 1e6 })), (points) => {
        const raw = blockOf(points);
        const merged = finishAll(
          schema,
          MINUTES,
          foldStates(schema, MINUTES, [foldRaw(schema, TENS, [raw])]),
        );
        const direct = finishAll(schema, MINUTES, foldRaw(schema, MINUTES, [raw]));
        merged.forEach(({ v }, i) => {
          const expected = direct[i]!.v as Record<string, number>;
          expect(v['m']).toBeCloseTo(expected['m']!, 6);
          expect(v['d']).toBeCloseTo(expected['d']!, 3);
        });
      }),
    );
  });

  test('takes nulls in a column of JSON values as well as in float64', () => {
    const schema = schemaOf(['mean']);
    const tens = foldRaw(schema, TENS, [blockOf(secondly([1, null, 3], 9000))]);
    const json = {
      timestamps: tens.timestamps,
      columns: Object.fromEntries(
        Object.entries(tens.columns).map(([name, column]) => [
          name,
          Array.from(column as Float64Array, (value) => (Number.isNaN(value) ? null : value)),
        ]),
      ),
    };
    expect(foldStates(schema, MINUTES, [json])).toEqual(foldStates(schema, MINUTES, [tens]));
    expect(finishAll(schema, TENS, json)).toEqual(finishAll(schema, TENS, tens));
  });

  test('keeps 0.5 as the deviation of a thousand million give or take a half, at every level', () => {
    const schema = schemaOf(['std_dev']);
    const values = Array.from({ length: 86_400 }, (_, i) => 1e9 + (i % 2 === 0 ? 0.5 : -0.5));
    let block = foldRaw(schema, TENS, [blockOf(secondly(values))]);
    for (const granularity of Granularity.values.slice(1)) {
      if (granularity !== TENS) block = foldStates(schema, granularity, [block]);
      for (const { v } of finishAll(schema, granularity, block))
        expect(v['d']).toBeCloseTo(0.5, 12);
    }
    expect(block.timestamps).toHaveLength(1);
  });
});

describe('Fold.takeClosed()', () => {
  test('gives each bucket once, only after a later row was fed', () => {
    const schema = schemaOf();
    const fold = new Fold(schema, TENS);
    const block = blockOf(secondly(Array.from({ length: 35 }, (_, i) => i)));
    const taken = cutAt(block, [5, 9, 10, 21, 22]).map((piece) => {
      fold.addRaw(piece);
      const closedRowCount = fold.closedRowCount;
      const closed = fold.takeClosed();
      expect(closed.timestamps).toHaveLength(closedRowCount);
      return closed;
    });
    expect(taken.map((closed) => [...closed.timestamps])).toEqual([
      [],
      [],
      [],
      [0, 10_000],
      [],
      [20_000],
    ]);
    const rest = fold.finish();
    expect([...rest.timestamps]).toEqual([30_000]);
    expect(concatBlocks([...taken, rest])).toEqual(foldRaw(schema, TENS, [block]));
    expect(fold.finish()).toEqual(EMPTY_BLOCK);
  });
});

function withoutDeviation<T extends { t: object; v: object }>(bucket: T): T {
  return { ...bucket, v: { ...bucket.v, d: null, v: null }, t: { ...bucket.t, d: null } };
}
