import { Fold } from '../../src/downsamplers/fold.ts';
import { LevelSchema } from '../../src/downsamplers/level-schema.ts';
import type { FinishedBucket, LevelSelection } from '../../src/downsamplers/level-selection.ts';
import { expandValueDownsamplers, VALUE_DOWNSAMPLERS } from '../../src/downsamplers/registry.ts';
import { type Block, rawBlock, sliceBlock } from '../../src/model/block.ts';
import { bucketStartMs, type Granularity } from '../../src/model/granularity.ts';
import type { ValueType } from '../../src/model/stream.ts';
import { takesGroups } from '../../src/model/value-letters.ts';

export interface Point {
  readonly timestampMs: number;
  readonly value: unknown;
}

/** Schema of a stream with the named downsamplers; default: all of the value type that a bucket itself tells. */
export function schemaOf(
  names?: readonly string[],
  options: { valueType?: ValueType; highAccuracy?: boolean } = {},
): LevelSchema {
  const { valueType = 'numeric', highAccuracy = false } = options;
  const wanted =
    names ??
    VALUE_DOWNSAMPLERS.filter(
      (d) => d.valueTypes.includes(valueType) && d.finishHeld === undefined,
    ).map((d) => d.name);
  return LevelSchema.of({
    valueType,
    valueTypeOptions: highAccuracy ? { highAccuracy } : {},
    valueDownsamplers: expandValueDownsamplers(wanted, valueType),
  });
}

/** Those of plain numeric streams that take already downsampled values. */
export const GROUP_NAMES: readonly string[] = VALUE_DOWNSAMPLERS.filter(
  ({ name, valueTypes }) => valueTypes.includes('numeric') && takesGroups(name),
).map(({ name }) => name);

/** A raw block of stored values: float64 when all of them are numbers or null, unless told otherwise. */
export function blockOf(points: readonly Point[], options: { isJson?: boolean } = {}): Block {
  const timestamps = Float64Array.from(points, (point) => point.timestampMs);
  const values = points.map((point) => point.value);
  const isFloat = values.every((value) => value === null || typeof value === 'number');
  return rawBlock(
    timestamps,
    isFloat && options.isJson !== true
      ? Float64Array.from(values as (number | null)[], (value) => value ?? Number.NaN)
      : values,
  );
}

/** Cuts a block at the given rows. */
export function cutAt(block: Block, rows: readonly number[]): readonly Block[] {
  const ends = [...rows, block.timestamps.length].sort((a, b) => a - b);
  return ends.map((end, i) => sliceBlock(block, ends[i - 1] ?? 0, end));
}

export function foldRaw(
  schema: LevelSchema,
  granularity: Granularity,
  blocks: readonly Block[],
): Block {
  const fold = new Fold(schema, granularity);
  for (const block of blocks) fold.addRaw(block);
  return fold.finish();
}

export function foldStates(
  schema: LevelSchema,
  granularity: Granularity,
  blocks: readonly Block[],
): Block {
  const fold = new Fold(schema, granularity);
  for (const block of blocks) fold.addStates(block);
  return fold.finish();
}

/** The finished bucket in a row. */
export function finishRow(
  selection: LevelSelection,
  { block, row, granularity }: { block: Block; row: number; granularity: Granularity },
): FinishedBucket {
  const startMs = block.timestamps[row]!;
  const range = { startMs, endMs: startMs + granularity.durationMs };
  return selection.datapoints(sliceBlock(block, row, row + 1), range, granularity)[0]!;
}

/** All finished buckets by start, everything selected. */
export function finishAll(
  schema: LevelSchema,
  granularity: Granularity,
  block: Block,
): readonly { startMs: number; t: Record<string, unknown>; v: Record<string, unknown> }[] {
  const selection = schema.select({});
  return Array.from(block.timestamps, (startMs, row) => ({
    startMs,
    ...(finishRow(selection, { block, row, granularity }) as {
      t: Record<string, unknown>;
      v: Record<string, unknown>;
    }),
  }));
}

/** The one bucket of the points, finished. */
export function finishOne(
  schema: LevelSchema,
  granularity: Granularity,
  points: readonly Point[],
): { t: Record<string, unknown>; v: Record<string, unknown> } {
  const buckets = finishAll(schema, granularity, foldRaw(schema, granularity, [blockOf(points)]));
  if (buckets.length !== 1) throw new Error(`${buckets.length} buckets instead of one`);
  return buckets[0]!;
}

/** Points one a second. */
export function secondly(values: readonly unknown[], startMs = 0): readonly Point[] {
  return values.map((value, i) => ({ timestampMs: startMs + i * 1000, value }));
}

/** Finished statistics of plain numbers, computed the long way. */
export function naiveBucket(
  points: readonly { timestampMs: number; value: number }[],
  granularity: Granularity,
): { t: Record<string, Date | number | null>; v: Record<string, number | null> } {
  const values = points.map((point) => point.value);
  const count = values.length;
  const sum = values.reduce((a, b) => a + b, 0);
  const mean = sum / count;
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted[Math.floor((count - 1) / 2)]! + sorted[Math.floor(count / 2)]!) / 2;
  const times = points.map((point) => point.timestampMs);
  const startMs = bucketStartMs(times[0]!, granularity);
  const meanOffsetMs = times.reduce((a, time) => a + (time - startMs), 0) / count;
  const lengths = times.slice(1).map((time, i) => (time - times[i]!) / 1000);
  const rate = (values.at(-1)! - values[0]!) / ((times.at(-1)! - times[0]!) / 1000);
  const deviation = (items: readonly number[]): number => {
    const average = items.reduce((a, b) => a + b, 0) / items.length;
    return Math.sqrt(items.reduce((a, b) => a + (b - average) ** 2, 0) / items.length);
  };
  const ofLengths = (statistic: () => number): number | null =>
    lengths.length === 0 ? null : statistic();
  return {
    v: {
      m: mean,
      s: sum,
      l: Math.min(...values),
      u: Math.max(...values),
      q: values.reduce((a, b) => a + b * b, 0),
      d: deviation(values),
      c: count,
      n: middle,
      a: values[0]!,
      z: values.at(-1)!,
      g: Math.max(...values) - Math.min(...values),
      v: deviation(values) ** 2,
      k: times.at(-1) === times[0] ? null : rate,
      h: new Set(values.map((value) => value + 0)).size,
    },
    t: {
      m: new Date(startMs + Math.floor(meanOffsetMs / 1000) * 1000),
      a: new Date(times[0]!),
      z: new Date(times.at(-1)!),
      i: ofLengths(() => lengths.reduce((a, b) => a + b, 0) / lengths.length),
      l: ofLengths(() => Math.min(...lengths)),
      u: ofLengths(() => Math.max(...lengths)),
      q: ofLengths(() => lengths.reduce((a, b) => a + b * b, 0)),
      d: ofLengths(() => deviation(lengths)),
    },
  };
}
