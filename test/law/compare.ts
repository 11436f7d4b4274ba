import assert from 'node:assert/strict';
import type { DatapointColumns, Stream } from '../../src/api/types.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { Bucket } from './bucket.ts';
import { keptFrom } from './frozen.ts';
import { latestInput } from './lineage.ts';
import {
  type Defect,
  ladderOfModel,
  Model,
  type ModelStream,
  type Rules,
  type Watermarks,
} from './model.ts';
import { HELD_LETTERS, toleranceOf } from './more-statistics.ts';
import type { Run } from './run.ts';
import type { RunStream } from './run-stream.ts';
import { granularityOf, msOf, secondsOf } from './units.ts';

const EVERYTHING = { start: Date.UTC(1900, 0) } as const;
const INSTANTS = ['m', 'a', 'z'];

/** Asserts that each raw datapoint and each bucket of each stream is what the model says. */
export async function compare(run: Run, defect: Defect = 'none'): Promise<void> {
  const model = new Model(run.rules, { defect, watermarks: await watermarksOf(run) });
  for (const [index, stream] of run.streams.entries()) {
    await compareRaw(run, { stream, model, label: `stream ${index}` });
    for (const granularity of shownLevels(stream.model)) {
      const label = `stream ${index}, ${granularity.name}`;
      await compareLevel(run, { stream, model, granularity, label });
    }
  }
}

/**
 * Asserts that levels of streams that derive from nothing, read live, are those of all of their datapoints
 * right now, before any maintenance. What is computed from sums of stored and of new buckets is as exact as
 * these.
 */
export async function compareLive(run: Run): Promise<void> {
  const watermarks = new Map<ModelStream, ReadonlyMap<string, number>>();
  for (const { id, model: stream } of run.streams) {
    const { latestDatapoint, downsampledUntil } = await run.datastream.getStream(id);
    if (latestDatapoint === null) watermarks.set(stream, levelsOf(downsampledUntil));
  }
  const model = new Model({ ...run.rules, hasComputedLevels: true }, { watermarks });
  for (const [index, stream] of run.streams.entries()) {
    if (stream.model.derivation !== null) continue;
    for (const granularity of shownLevels(stream.model)) {
      const label = `stream ${index}, ${granularity.name}, live`;
      await compareLevel(run, { stream, model, granularity, label, isLive: true });
    }
  }
}

/** The levels that are compared: which buckets of further ones are left when rows expire is not known. */
function shownLevels(stream: ModelStream): readonly Granularity[] {
  const { levels } = ladderOfModel(stream);
  if (!stream.expired?.size) return levels;
  return levels.filter((level) => Granularity.values.includes(level));
}

/** How far the levels reach of streams that may have lost datapoints: never beyond what there ever was. */
export async function watermarksOf(run: Run): Promise<Watermarks> {
  const watermarks = new Map<ModelStream, ReadonlyMap<string, number>>();
  for (const { id, model: stream } of run.streams) {
    const latest = stream.arrivals.at(0) && Math.max(...stream.arrivals.map(({ t }) => t));
    const hasAll = stream.reached === (latest ?? Number.NEGATIVE_INFINITY);
    if (stream.derivation === null && hasAll && !stream.hasOtherLevels) continue;
    const { downsampledUntil } = await run.datastream.getStream(id);
    const levels = levelsOf(downsampledUntil);
    for (const until of levels.values()) {
      assert(until <= latestInput(stream), 'no level reaches into the future');
    }
    watermarks.set(stream, levels);
  }
  return watermarks;
}

/** By name of a level, up to which second it is complete. */
function levelsOf(downsampledUntil: Stream['downsampledUntil']): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(downsampledUntil).flatMap(([name, until]) =>
      until ? [[name, secondsOf(until)]] : [],
    ),
  );
}

async function compareRaw(
  { datastream }: Run,
  options: { stream: RunStream; model: Model; label: string },
): Promise<void> {
  const { stream, model, label } = options;
  const granularity = granularityOf(stream.model.highest);
  const { timestamps, values } = await datastream
    .getData(stream.id, granularity, EVERYTHING)
    .columns();
  const from = keptFrom(stream.model, stream.model.highest);
  const rows = model.rows(stream.model).filter(({ t }) => t >= from);
  // Of what has expired, some may be left.
  const times = Array.from(timestamps, secondsOf);
  const skipped = times.filter((t) => t < from).length;
  assert.deepEqual(
    times.slice(skipped),
    rows.map(({ t }) => t),
    `timestamps of ${label}`,
  );
  for (const [row, { t, v }] of rows.entries()) {
    check(values?.[skipped + row], v, { isExact: stream.model.isExact, label: `${label} at ${t}` });
  }
}

async function compareLevel(
  { datastream }: Run,
  options: {
    stream: RunStream;
    model: Model;
    granularity: Granularity;
    label: string;
    isLive?: boolean;
  },
): Promise<void> {
  const { stream, model, granularity, label, isLive: live = false } = options;
  const range = { ...EVERYTHING, live };
  const columns = await datastream.getData(stream.id, granularity, range).columns();
  const level = model.level(stream.model, granularity);
  const from = keptFrom(stream.model, granularity);
  const starts = level.starts.filter((start) => start >= from);
  const shown = Array.from(columns.timestamps, secondsOf);
  const skipped = shown.filter((start) => start < from).length;
  assert.deepEqual(shown.slice(skipped), starts, `buckets of ${label}`);
  for (const [index, start] of starts.entries()) {
    const row = skipped + index;
    const bucket = visibleBucket(level.bucket(start), {
      start,
      rules: model.rules,
      stream: stream.model,
    });
    compareBucket(columns, row, { stream: stream.model, start, granularity, bucket, label });
  }
}

/** What the store's downsamplers show of a bucket. */
function visibleBucket(
  bucket: Bucket,
  { start, rules, stream }: { start: number; rules: Rules; stream: ModelStream },
): Bucket {
  const { letters } = rules;
  const kept = new Set([...letters.v].filter((letter) => !stream.hidden?.has(letter)));
  const select = <Value>(from: Readonly<Record<string, Value>>, shown: ReadonlySet<string>) =>
    Object.fromEntries(Object.entries(from).filter(([letter]) => shown.has(letter)));
  const t = select(bucket.t, letters.t);
  // Where the mean is the only time of a bucket, it is its start.
  return { t: letters.t.size === 1 ? { m: start } : t, v: select(bucket.v, kept) };
}

function compareBucket(
  columns: DatapointColumns,
  row: number,
  options: {
    stream: ModelStream;
    start: number;
    granularity: Granularity;
    bucket: Bucket;
    label: string;
  },
): void {
  const { stream, start, granularity, bucket } = options;
  const label = `${options.label}, bucket ${row}`;
  const letters = Object.keys(bucket.v);
  assert.deepEqual(Object.keys(columns.v ?? {}).sort(), letters.toSorted(), label);
  for (const letter of letters) {
    // Deviations and products of rounded numbers depend on the order of additions.
    const isExact = letter !== 'd' && (stream.hasExactSums || !'msq'.includes(letter));
    const tolerance = stream.hasMore ? toleranceOf(letter, bucket.v) : 0;
    const value = columns.v?.[letter]?.[row];
    const isLacking = mayLack(stream, { letter, start, granularity });
    if (isLacking && (value === null || Number.isNaN(value))) continue;
    check(value, bucket.v[letter], {
      isExact: isExact && stream.isExact && tolerance === 0,
      tolerance,
      label: `${label}, v.${letter}`,
    });
  }
  for (const [letter, wanted] of Object.entries(bucket.t)) {
    const isInstant = INSTANTS.includes(letter);
    check(columns.t?.[letter]?.[row], wanted !== null && isInstant ? msOf(wanted) : wanted, {
      isExact: letter !== 'd',
      label: `${label}, t.${letter}`,
    });
  }
}

/** Whether a bucket may know nothing of a statistic that was added when raw datapoints had expired. */
function mayLack(
  { lacking, arrivals }: ModelStream,
  { letter, start, granularity }: { letter: string; start: number; granularity: Granularity },
): boolean {
  const from = lacking?.get(letter)?.get(granularity.name);
  if (from === undefined || start < from) return from !== undefined;
  // Nobody knows what was held before the first value that is kept.
  const isHeld = HELD_LETTERS.includes(letter);
  return isHeld && !arrivals.some(({ t, v }) => v !== null && t >= from && t <= start);
}

function check(
  actual: unknown,
  wanted: unknown,
  { isExact, label, tolerance = 0 }: { isExact: boolean; label: string; tolerance?: number },
): void {
  const got = typeof actual === 'number' && Number.isNaN(actual) ? null : actual;
  if (got === wanted) return;
  if (typeof got === 'number' && typeof wanted === 'number') {
    const limit = isExact ? 0 : Math.max(1e-6, tolerance) * Math.max(1, Math.abs(wanted));
    assert(Math.abs(got - wanted) <= limit, `${label}: ${got} instead of ${wanted}`);
    return;
  }
  assert.deepEqual(got, wanted, label);
}
