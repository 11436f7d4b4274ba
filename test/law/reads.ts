import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import type { Datapoint, DataRange } from '../../src/api/types.ts';
import type { Granularity } from '../../src/model/granularity.ts';
import { HELD_LETTERS } from './more-statistics.ts';
import type { Run } from './run.ts';
import type { RunStream } from './run-stream.ts';
import { granularityOf, LEVELS } from './units.ts';

const EVERYTHING = { start: Date.UTC(1900, 0) } as const;
const FILLS = ['previous', 'linear', 7.5] as const;
/** Of totals: no other bucket tells what they would be. */
const TOTALS = ['s', 'q', 'f', 'h'];

type Fill = (typeof FILLS)[number];
type Read = Omit<DataRange, 'start' | 'end'>;

/** Asserts that what is made of levels while they are read is the same however they are read. */
export async function compareReads(run: Run, { isLive }: { isLive: boolean }): Promise<void> {
  for (const [index, stream] of run.streams.entries()) {
    // Each level of each stream in turn, not all of them each time.
    const levels = LEVELS.filter((level) => level > stream.model.highest);
    const turn = Math.abs(index + stream.latest);
    const seconds = levels[turn % 3]!;
    const fill = FILLS[turn % (stream.model.isNumeric ? 3 : 1)]!;
    await compareFilled(run, stream, { seconds, fill, live: isLive });
    await compareThinned(run, stream, { seconds: turn % 2 === 0 ? 1 : seconds, live: isLive });
    await comparePicked(run, stream, { maxPoints: 1 + (turn % 40), live: isLive });
  }
}

async function compareFilled(
  { datastream }: Run,
  { id }: RunStream,
  { seconds, fill, live }: { seconds: number; fill: Fill; live: boolean },
): Promise<void> {
  const granularity = granularityOf(seconds);
  const read = (range: DataRange) => datastream.getData(id, granularity, { ...range, live });
  const { timestamps } = await read(EVERYTHING).columns();
  const plain = await read(EVERYTHING).toArray();
  const all = await read({ ...EVERYTHING, fill }).toArray();
  const label = `${granularity.name} of ${id}, filled with ${fill}`;
  assert.equal(all.length, plain.length, label);
  for (const [bucket, { v }] of all.entries()) {
    for (const [letter, value] of Object.entries(v)) {
      const wanted = filled({ plain, timestamps, fill }, bucket, letter);
      const isNear = typeof wanted === 'number' && Math.abs((value as number) - wanted) < 1e-6;
      if (!isNear) assert.deepEqual(value, wanted, `${label}, ${letter} of bucket ${bucket}`);
    }
  }
  const from = Math.floor(all.length / 3);
  const to = all.length - Math.floor(all.length / 5);
  if (to === from) return;
  // A part of the whole, however it is cut out, and to the bit.
  const wanted = all.slice(from, to);
  const part = { start: timestamps[from]!, end: timestamps[to - 1]! };
  const options: Read = { fill };
  assert.deepEqual(await read({ ...part, ...options }).toArray(), wanted, label);
  const reversed = await read({ ...part, ...options, reverse: true }).toArray();
  assert.deepEqual(reversed, wanted.toReversed(), label);
  const slice = read({ ...EVERYTHING, ...options }).slice(from, to);
  assert.deepEqual(await slice.toArray(), wanted, label);
  assert.deepEqual(await slice.at(0), wanted[0], label);
  for (const data of [read({ ...part, ...options }), slice]) {
    const { v = {} } = await data.columns();
    for (const [letter, column] of Object.entries(v)) {
      const values = Array.from(column, (value) => (Number.isNaN(value) ? null : value));
      const wantedValues = wanted.map((datapoint) => datapoint.v[letter]);
      assert.deepEqual(values, wantedValues, `${label}, column ${letter}`);
    }
  }
}

/** A thinned read is a part of the whole, the same one however it is read. */
async function compareThinned(
  { datastream }: Run,
  { id, model }: RunStream,
  { seconds, live }: { seconds: number; live: boolean },
): Promise<void> {
  const method = model.isNumeric ? 'lttb' : 'even';
  const read = (options: Partial<DataRange>) =>
    datastream.getData(id, granularityOf(seconds), { ...EVERYTHING, live, ...options });
  const all = await read({}).toArray();
  const thin = { points: 5, method } as const;
  const points = await read({ thin }).toArray();
  const label = `${granularityOf(seconds).name} of ${id}, thinned`;
  assert.equal(points.length <= 5 && points.length >= Math.min(2, all.length), true, label);
  assert.deepEqual([points[0], points.at(-1)], [all[0], all.at(-1)], label);
  let from = 0;
  for (const point of points) {
    const found = all.findIndex((other, row) => row >= from && isDeepStrictEqual(point, other));
    assert(found >= 0, `${label}: points are those of the whole, in their order`);
    from = found + 1;
  }
  assert.deepEqual(await read({ thin, reverse: true }).toArray(), points.toReversed(), label);
  assert.deepEqual(await read({ thin }).slice(1, 3).toArray(), points.slice(1, 3), label);
  assert.equal((await read({ thin }).columns()).timestamps.length, points.length, label);
}

/**
 * The granularity that is picked is the finest that has few enough points, naively counted, of those of which
 * nothing has expired that a coarser one still has.
 */
async function comparePicked(
  { datastream }: Run,
  { id, model }: RunStream,
  { maxPoints, live }: { maxPoints: number; live: boolean },
): Promise<void> {
  const picked = datastream.getData(id, { maxPoints, live });
  const granularity = await picked.granularity();
  const points = await picked.toArray();
  assert(points.length <= maxPoints, `${points.length} points of ${id}, at most ${maxPoints}`);
  const counts: number[] = [];
  const { levels, expiredUntil } = await datastream.getStream(id);
  const untilMs = ({ name }: Granularity): number =>
    expiredUntil[name]?.getTime() ?? Number.NEGATIVE_INFINITY;
  const granularities = [granularityOf(model.highest), ...levels];
  /** Of each level the ends of buckets that have not expired. */
  const ends: { readonly level: Granularity; readonly endsMs: readonly number[] }[] = [];
  for (const level of granularities) {
    const read = (isLive: boolean) =>
      datastream.getData(id, level, { ...EVERYTHING, live: isLive });
    // Buckets that are not computed yet count; so do those that stay after their datapoints were deleted.
    counts.push(Math.max(await read(true).count(), await read(live).count()));
    const { timestamps } = await read(true).columns();
    const kept = [...timestamps].filter((startMs) => startMs >= untilMs(level));
    ends.push({ level, endsMs: kept.map((startMs) => level.bucketEnd(startMs).getTime()) });
  }
  const isWhole = (finer: Granularity): boolean =>
    !ends.some(
      ({ level, endsMs }) =>
        level.durationMs > finer.durationMs && endsMs.some((endMs) => endMs <= untilMs(finer)),
    );
  const fits = (level: Granularity, place: number): boolean =>
    counts[place]! <= maxPoints && isWhole(level);
  const finest = granularities.findIndex(fits);
  // Of equally long levels the last one: local hours come after those that every stream has.
  const longMs = granularities[finest]?.durationMs;
  const own = granularities.findLastIndex(
    (level, place) => place > 0 && level.durationMs === longMs && fits(level, place),
  );
  const index = finest < 0 ? counts.length - 1 : finest === 0 ? finest : own;
  assert.equal(
    granularity?.key,
    granularities[index]?.key,
    `${id}: ${counts.join()}, at most ${maxPoints}`,
  );
  if (finest < 0) return;
  const plain = datastream.getData(id, granularity, { ...EVERYTHING, live });
  assert.deepEqual(points, await plain.toArray());
}

/** What the bucket shows, found naively. */
function filled(
  { plain, timestamps, fill }: { plain: Datapoint[]; timestamps: Float64Array; fill: Fill },
  bucket: number,
  letter: string,
): unknown {
  const value: unknown = plain[bucket]!.v[letter];
  if (plain[bucket]!.v.c > 0 || letter === 'c' || HELD_LETTERS.includes(letter)) return value;
  if (typeof fill === 'number') return fill;
  const left = plain.findLastIndex(({ v }, index) => index < bucket && v.c > 0);
  if (left < 0 || TOTALS.includes(letter)) return null;
  if (fill === 'previous') return plain[left]!.v[letter];
  const right = plain.findIndex(({ v }, index) => index > bucket && v.c > 0);
  if (right < 0 || [left, right].some((end) => plain[end]!.v[letter] === null)) return null;
  const share =
    (timestamps[bucket]! - timestamps[left]!) / (timestamps[right]! - timestamps[left]!);
  return plain[left]!.v[letter] * (1 - share) + plain[right]!.v[letter] * share;
}
