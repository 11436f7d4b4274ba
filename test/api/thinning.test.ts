import { describe, expect, test } from '@jest/globals';
import { LTTB } from 'downsample/methods/LTTB.js';
import fc from 'fast-check';
import type { DatapointRows } from '../../src/api/datapoint-rows.ts';
import { planPoints } from '../../src/api/thinning/point-plan.ts';
import { HELD_POINT_COUNT_MAX } from '../../src/api/thinning/series-part.ts';
import { type SeriesShape, ShapeScan } from '../../src/api/thinning/series-shape.ts';
import { ThinnedRows } from '../../src/api/thinning/thinned-rows.ts';
import { TrianglePicker } from '../../src/api/thinning/triangle-picker.ts';
import type { DatapointColumns } from '../../src/api/types.ts';

const value = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -1000, max: 1000 }) },
  { weight: 1, arbitrary: fc.constantFrom(Number.MAX_VALUE, -Number.MAX_VALUE, 0, 5e-324) },
);
const holed = fc.oneof(
  { weight: 3, arbitrary: value },
  { weight: 2, arbitrary: fc.constant(Number.NaN) },
);

/** Columns of one number a second, which come in blocks of three. */
function rowsOf(values: readonly number[]): DatapointRows & { readonly reads: number[] } {
  const columns = (from: number, to: number): DatapointColumns => ({
    timestamps: Float64Array.from(values.keys(), (row) => row * 1000).slice(from, to),
    values: Float64Array.from(values).slice(from, to),
  });
  const reads: number[] = [];
  return {
    reads,
    count: async () => values.length,
    columns: async (from, to) => columns(from, to),
    async *columnBlocks(from, to) {
      for (let row = from; row < Math.min(to, values.length); row += 3) {
        reads.push(row);
        yield columns(row, row + 3);
      }
    },
    async *blocks() {},
  };
}

async function thin(
  values: readonly number[],
  pointCountMax: number,
  { isReverse = false, isEven = false } = {},
): Promise<readonly [second: number, value: number][]> {
  const shape = isEven ? null : ({ values: column }: DatapointColumns) => column!;
  const rows = new ThinnedRows(rowsOf(values), { pointCountMax, shape, isReverse });
  const columns = await rows.columns(0, Number.POSITIVE_INFINITY);
  expect(await rows.count()).toBe(columns.timestamps.length);
  return [...columns.timestamps].map((ms, row) => [ms / 1000, columns.values![row] as number]);
}

describe('TrianglePicker', () => {
  test('picks what the library picks of all points at once', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 4, maxLength: 200 }),
        fc.integer({ min: 3, max: 40 }),
        (values, pickCount) => {
          const points = values.map((y, x): [number, number] => [x, y]);
          // Where sizes of parts are no whole numbers the library may lose the last point by rounding.
          const inner = values.length - 2;
          fc.pre(pickCount < values.length && inner % (pickCount - 2) === 0);
          const picked: number[] = [];
          const counts = { pointCount: values.length, pickCount };
          const picker = new TrianglePicker(counts, (position) => picked.push(position));
          for (const [x, y] of points) picker.add(x, y, x);
          picker.finish();
          const wanted = LTTB(points, pickCount) as [number, number][];
          expect(picked).toEqual(wanted.map(([x]) => x));
        },
      ),
      { numRuns: 300 },
    );
  });

  test('picks as many points as it should, the last one too, whatever the counts are', () => {
    for (let pointCount = 1; pointCount < 60; pointCount++) {
      for (let pickCount = 1; pickCount < 65; pickCount++) {
        const picked: number[] = [];
        const picker = new TrianglePicker({ pointCount, pickCount }, (row) => picked.push(row));
        for (let x = 0; x < pointCount; x++) picker.add(x, Math.sin(x), x);
        picker.finish();
        expect(picked).toHaveLength(Math.min(pointCount, pickCount));
        expect(picked).toEqual([...new Set(picked)].toSorted((a, b) => a - b));
        expect(picked[0]).toBe(0);
        if (pickCount > 1) expect(picked.at(-1)).toBe(pointCount - 1);
      }
    }
  });

  test('ends well where fewer or more points come than were announced', () => {
    for (const came of [0, 1, 2, 7, 9, 30]) {
      const picked: number[] = [];
      const counts = { pointCount: 10, pickCount: 5 };
      const picker = new TrianglePicker(counts, (position) => picked.push(position));
      for (let x = 0; x < came; x++) picker.add(x, x % 3, x);
      picker.finish();
      expect(picked.length).toBeLessThanOrEqual(5);
      expect(picked.at(-1)).toBe(came === 0 ? undefined : came - 1);
    }
  });
});

describe('parts of more points than are held', () => {
  const pickCount = 5;
  const partLength = HELD_POINT_COUNT_MAX * 3 + 7;
  const pointCount = partLength * (pickCount - 2) + 2;

  /** Whole numbers without a pattern: products of them are exact. */
  function noise(x: number): number {
    return ((x * 7919) % 10_007) - ((x * 104_729) % 4001);
  }

  function picksOf(valueAt: (x: number) => number): { picked: number[]; heldMax: number } {
    const picked: number[] = [];
    let heldMax = 0;
    const picker = new TrianglePicker({ pointCount, pickCount }, (position) =>
      picked.push(position),
    );
    for (let x = 0; x < pointCount; x++) {
      picker.add(x, valueAt(x), x);
      if (x % 100 === 0) heldMax = Math.max(heldMax, picker.candidates.length);
    }
    picker.finish();
    return { picked, heldMax };
  }

  test.each<[string, (x: number) => number]>([
    ['noise', noise],
    ['a line', (x) => x],
    ['stairs', (x) => Math.floor(x / 1000)],
    ['a peak', (x) => (x === partLength * 2 ? 1e6 : 0)],
  ])('of %s: the library picks the same of all points', (_, valueAt) => {
    const points = Array.from({ length: pointCount }, (__, x): [number, number] => [x, valueAt(x)]);
    const wanted = (LTTB(points, pickCount) as [number, number][]).map(([x]) => x);
    const { picked, heldMax } = picksOf(valueAt);
    expect(picked).toEqual(wanted);
    expect(heldMax).toBeGreaterThan(pickCount);
    expect(heldMax).toBeLessThanOrEqual(2 * HELD_POINT_COUNT_MAX);
  });

  test('of a curve of nothing but corners: as few are held, and what is picked is near', () => {
    const curve = (x: number): number => x * x;
    const points = Array.from({ length: pointCount }, (_, x): [number, number] => [x, curve(x)]);
    const wanted = (LTTB(points, pickCount) as [number, number][]).map(([x]) => x);
    const { picked, heldMax } = picksOf(curve);
    expect(picked).toHaveLength(pickCount);
    for (const [index, x] of picked.entries()) {
      expect(Math.abs(x - wanted[index]!)).toBeLessThan(partLength / 1000);
    }
    expect(heldMax).toBeLessThanOrEqual(2 * HELD_POINT_COUNT_MAX);
  });

  test.each([
    ['by shape', false],
    ['at equal distances', true],
  ])('picked %s, rows are those of their positions', async (_, isEven) => {
    const blockLength = 10_000;
    const rowCount = 700_000;
    const columnsOf = (from: number, to: number): DatapointColumns => ({
      timestamps: Float64Array.from({ length: to - from }, (__, row) => from + row),
      // Without values for long, as buckets are where nothing came.
      values: Float64Array.from({ length: to - from }, (__, row) => {
        const x = from + row;
        return x > 50_000 && x < 400_000 ? Number.NaN : noise(x);
      }),
    });
    const rows: DatapointRows = {
      count: async () => rowCount,
      columns: async (from, to) => columnsOf(from, Math.min(to, rowCount)),
      async *columnBlocks(from, to) {
        for (let row = from; row < Math.min(to, rowCount); row += blockLength) {
          yield columnsOf(row, row + blockLength);
        }
      },
      async *blocks() {},
    };
    const shape = isEven ? null : ({ values }: DatapointColumns) => values!;
    const picked = await new ThinnedRows(rows, {
      pointCountMax: 9,
      shape,
      isReverse: false,
    }).columns(0, Number.POSITIVE_INFINITY);
    expect(picked.timestamps).toHaveLength(9);
    expect([picked.timestamps[0], picked.timestamps[8]]).toEqual([0, rowCount - 1]);
    for (const [row, x] of picked.timestamps.entries()) {
      expect(picked.values![row]).toEqual(columnsOf(x, x + 1).values![0]);
    }
  });
});

describe('a thinned series', () => {
  test('is a part of the whole with its ends, of at most so many points, the same backwards', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(holed, { maxLength: 80 }),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        async (values, pointCountMax, isEven) => {
          const points = await thin(values, pointCountMax, { isEven });
          expect(points.length).toBeLessThanOrEqual(pointCountMax);
          expect(points.length).toBeLessThanOrEqual(values.length);
          for (const [second, point] of points) expect(point).toBe(values[second]);
          const seconds = points.map(([second]) => second);
          expect(seconds).toEqual([...new Set(seconds)].toSorted((a, b) => a - b));
          if (values.length > 0) expect(points.length).toBeGreaterThan(0);
          if (pointCountMax >= 3 && values.length > 0) {
            expect(seconds[0]).toBe(0);
            expect(seconds.at(-1)).toBe(values.length - 1);
          }
          if (values.length <= pointCountMax) expect(points).toHaveLength(values.length);
          const reversed = await thin(values, pointCountMax, { isEven, isReverse: true });
          expect(reversed).toEqual(points.toReversed());
        },
      ),
      { numRuns: 500 },
    );
  });

  test('keeps what stands out', async () => {
    const values = Array.from({ length: 1000 }, () => 1);
    values[123] = 50;
    values[777] = -50;
    const shown = (await thin(values, 20)).map(([, point]) => point);
    expect(shown).toHaveLength(20);
    expect(Math.max(...shown)).toBe(50);
    expect(Math.min(...shown)).toBe(-50);
  });

  test('shows the longest gaps, each as one point without a value, with both of its ends', async () => {
    const values = Array.from({ length: 300 }, (_, second) => Math.sin(second / 10));
    values.fill(Number.NaN, 100, 160);
    values.fill(Number.NaN, 200, 230);
    // Short ones all over.
    for (let second = 5; second < 300; second += 9) values[second] = Number.NaN;
    const points = await thin(values, 13);
    expect(points).toHaveLength(13);
    const gaps = points.filter(([, point]) => Number.isNaN(point)).map(([second]) => second);
    expect(gaps).toEqual([100, 200]);
    const seconds = points.map(([second]) => second);
    for (const end of [99, 160, 199, 231]) expect(seconds).toContain(end);
  });

  test('shares points among runs by their lengths, each with its ends', () => {
    fc.assert(
      fc.property(
        fc.array(holed, { minLength: 1, maxLength: 120 }),
        fc.integer({ min: 12, max: 60 }),
        (values, pointCountMax) => {
          const scan = new ShapeScan(Math.floor((pointCountMax - 2) / 5));
          for (const [second, point] of values.entries()) scan.add(second * 1000, point);
          const { shape }: { shape: SeriesShape } = scan;
          const { runs, gapPositions } = planPoints(shape, pointCountMax);
          const total = runs.reduce((sum, { pickCount }) => sum + pickCount, gapPositions.length);
          expect(total).toBeLessThanOrEqual(pointCountMax);
          if (shape.valueCount > pointCountMax) expect(total).toBe(pointCountMax);
          for (const { pointCount, pickCount } of runs) {
            expect(pickCount).toBeGreaterThanOrEqual(Math.min(pointCount, 2));
            expect(pickCount).toBeLessThanOrEqual(pointCount);
          }
        },
      ),
    );
  });

  test('reads its rows twice, whatever is asked of it, and again for nothing', async () => {
    const rows = rowsOf(Array.from({ length: 30 }, (_, second) => second));
    const shape = ({ values: column }: DatapointColumns) => column!;
    const thinned = new ThinnedRows(rows, { pointCountMax: 5, shape, isReverse: false });
    await thinned.count();
    await thinned.columns(1, 3);
    for await (const block of thinned.blocks(0, 5)) expect(block.length).toBe(5);
    expect(rows.reads).toHaveLength(20);
  });
});
