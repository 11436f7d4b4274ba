import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Fold } from '../../src/downsamplers/fold.ts';
import { heldTotals, lastHeld } from '../../src/downsamplers/held-totals.ts';
import { LevelSchema } from '../../src/downsamplers/level-schema.ts';
import { expandValueDownsamplers } from '../../src/downsamplers/registry.ts';
import { type Block, cutBlock, EMPTY_BLOCK } from '../../src/model/block.ts';
import { bucketCeilMs, bucketStartMs, Granularity } from '../../src/model/granularity.ts';
import { blockOf, cutAt, foldRaw, foldStates, type Point, schemaOf, secondly } from './support.ts';

const NAMES = ['integral', 'time_weighted_mean', 'coverage'];
const { Seconds10: TENS, Minutes: MINUTES, Hours: HOURS } = Granularity;
const FOREVER = Number.POSITIVE_INFINITY;

function heldSchema(heartbeat?: number): LevelSchema {
  return LevelSchema.of({
    valueType: 'numeric',
    valueTypeOptions: heartbeat === undefined ? {} : { heartbeat },
    valueDownsamplers: expandValueDownsamplers(NAMES, 'numeric'),
  });
}

/** What the level of the block shows, from the first bucket with data up to `endMs`. */
function shown(
  schema: LevelSchema,
  granularity: Granularity,
  { block, endMs, untilMs = FOREVER }: { block: Block; endMs: number; untilMs?: number },
): readonly { i: number; w: number; e: number }[] {
  const bounds: number[] = [];
  const { durationMs } = granularity;
  for (let ms = block.timestamps[0] ?? endMs; ms <= endMs; ms += durationMs) bounds.push(ms);
  const { heartbeatMs } = schema;
  const boundsMs = Float64Array.from(bounds);
  const totals = heldTotals({ block, boundsMs, before: null, untilMs, heartbeatMs });
  const { i, w, e } = schema.select({}).heldColumns(totals);
  return Array.from(i!, (integral, bucket) => ({ i: integral, w: w![bucket]!, e: e![bucket]! }));
}

/** The same, second by second. */
function naive(
  points: readonly { timestampMs: number; value: number | null }[],
  granularity: Granularity,
  { heartbeatSeconds, endMs }: { heartbeatSeconds: number; endMs: number },
): readonly { i: number; w: number; e: number }[] {
  const present = points.filter(({ value }) => value !== null);
  if (present.length === 0) return [];
  const { durationMs } = granularity;
  const buckets: { i: number; w: number; e: number }[] = [];
  const firstMs = bucketStartMs(present[0]!.timestampMs, granularity);
  for (let startMs = firstMs; startMs < endMs; startMs += durationMs) {
    let area = 0;
    let seconds = 0;
    for (let ms = startMs; ms < startMs + durationMs; ms += 1000) {
      const held = present.findLast(({ timestampMs }) => timestampMs <= ms);
      if (held === undefined || ms - held.timestampMs >= heartbeatSeconds * 1000) continue;
      area += held.value!;
      seconds++;
    }
    buckets.push({
      i: seconds === 0 ? Number.NaN : area,
      w: area / seconds,
      e: (seconds * 1000) / durationMs,
    });
  }
  return buckets;
}

/** Whole seconds around 1970, equal ones too, and whole numbers, so that areas have no rounding. */
const points = fc
  .record({
    startSeconds: fc.integer({ min: -300, max: 300 }),
    steps: fc.array(
      fc.record({
        seconds: fc.oneof(fc.integer({ min: 0, max: 4 }), fc.nat(150)),
        value: fc.option(fc.integer({ min: -50, max: 50 }), { freq: 5 }),
      }),
      { maxLength: 40 },
    ),
  })
  .map(({ startSeconds, steps }) => {
    let seconds = startSeconds;
    return steps.map(({ seconds: step, value }) => {
      seconds += step;
      return { timestampMs: seconds * 1000, value };
    });
  });
const heartbeat = fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined });

describe('values that are held', () => {
  test('give what adding up second by second gives, at every level and through levels', () => {
    fc.assert(
      fc.property(points, heartbeat, (given, seconds) => {
        const schema = heldSchema(seconds);
        const raw = blockOf(given);
        const tens = foldRaw(schema, TENS, [raw]);
        const minutes = foldStates(schema, MINUTES, [tens]);
        const endMs = bucketCeilMs((given.at(-1)?.timestampMs ?? 0) + 200_000, MINUTES);
        const rules = { heartbeatSeconds: seconds ?? FOREVER, endMs };
        for (const [granularity, block] of [
          [TENS, tens],
          [MINUTES, minutes],
          [MINUTES, foldRaw(schema, MINUTES, [raw])],
        ] as const) {
          const wanted = naive(given, granularity, rules);
          expect(shown(schema, granularity, { block, endMs })).toEqual(wanted);
        }
      }),
    );
  });

  test('do not depend on how rows were cut into blocks, to the bit', () => {
    const cuts = fc.array(fc.nat(40), { maxLength: 4 });
    const scale = fc.constantFrom(1, 0.1, 1e200);
    fc.assert(
      fc.property(points, heartbeat, cuts, scale, (given, seconds, rows, factor) => {
        const schema = heldSchema(seconds);
        const scaled = given.map(({ timestampMs, value }) => ({
          timestampMs,
          value: value === null ? null : value * factor,
        }));
        const raw = blockOf(scaled);
        const pieces = (block: Block): readonly Block[] =>
          cutAt(
            block,
            rows.map((row) => row % (block.timestamps.length + 1)),
          );
        const tens = foldRaw(schema, TENS, [raw]);
        expect(foldRaw(schema, TENS, pieces(raw))).toEqual(tens);
        expect(foldRaw(schema, TENS, [blockOf(scaled, { isJson: true })])).toEqual(tens);
        const minutes = foldStates(schema, MINUTES, [tens]);
        expect(foldStates(schema, MINUTES, pieces(tens))).toEqual(minutes);
      }),
    );
  });

  test('merge in any grouping', () => {
    fc.assert(
      fc.property(points, heartbeat, fc.nat(3600), (given, seconds, at) => {
        const schema = heldSchema(seconds);
        const inHour = given.map(({ timestampMs, value }) => ({
          timestampMs: timestampMs + 3_600_000,
          value,
        }));
        const minutes = foldRaw(schema, MINUTES, [blockOf(inHour)]);
        const borderMs = bucketStartMs(at * 1000 + 1_800_000, MINUTES);
        const all = { startMs: Number.MIN_SAFE_INTEGER, endMs: Number.MAX_SAFE_INTEGER };
        const halves = [
          cutBlock(minutes, { ...all, endMs: borderMs }),
          cutBlock(minutes, { ...all, startMs: borderMs }),
        ];
        const tenMinutes = foldStates(schema, Granularity.Minutes10, halves);
        const direct = foldStates(schema, HOURS, [minutes]);
        expect(foldStates(schema, HOURS, [tenMinutes])).toEqual(direct);
        expect(foldStates(schema, HOURS, halves)).toEqual(direct);
      }),
    );
  });

  test('go on where buckets were taken out', () => {
    const schema = heldSchema(7);
    const given = secondly([1, 2, null, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], -4000);
    const block = blockOf(given);
    const fold = new Fold(schema, TENS);
    const taken: Block[] = [];
    for (const piece of cutAt(block, [3, 4, 8])) {
      fold.addRaw(piece);
      taken.push(fold.takeClosed());
    }
    taken.push(fold.finish());
    const areas = taken.flatMap(({ columns }) => [...((columns['ar'] ?? []) as Float64Array)]);
    expect(areas).toEqual([...(foldRaw(schema, TENS, [block]).columns['ar'] as Float64Array)]);
  });

  test('are held until now in a bucket that is not over', () => {
    const schema = heldSchema();
    const block = foldRaw(schema, MINUTES, [blockOf(secondly([3, 5]))]);
    const at = (untilMs: number) => shown(schema, MINUTES, { block, endMs: 60_000, untilMs });
    expect(at(31_000)).toEqual([{ i: 3 + 5 * 30, w: 153 / 31, e: 31 / 60 }]);
    expect(at(1000)).toEqual([{ i: 3, w: 3, e: 1 / 60 }]);
    expect(at(FOREVER)).toEqual([{ i: 298, w: 298 / 60, e: 1 }]);
    const one = foldRaw(schema, MINUTES, [blockOf(secondly([3]))]);
    expect(shown(schema, MINUTES, { block: one, endMs: 60_000, untilMs: 0 })).toEqual([
      { i: Number.NaN, w: Number.NaN, e: 0 },
    ]);
  });

  test('of rows from before the stream kept them are null', () => {
    const schema = heldSchema();
    const old = foldRaw(schemaOf(['mean']), TENS, [blockOf(secondly([3, 5]))]);
    expect(shown(schema, TENS, { block: old, endMs: 20_000 })).toEqual([
      { i: Number.NaN, w: Number.NaN, e: Number.NaN },
      { i: Number.NaN, w: Number.NaN, e: 1 },
    ]);
    expect(lastHeld(EMPTY_BLOCK)).toBeNull();
  });

  test('are not for high accuracy', () => {
    for (const name of NAMES) {
      expect(() => expandValueDownsamplers([name], 'numeric', { highAccuracy: true })).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED_DOWNSAMPLER' }),
      );
    }
  });

  test('have columns of their own, whatever else the stream keeps', () => {
    const columns = ['c', 'ts', 'ta', 'tz', 'ic', 'il', 'iu', 'iq', 'z', 'ar', 'hd'];
    expect(heldSchema().columns).toEqual(columns);
    const given: readonly Point[] = secondly([1, 2]);
    expect(Object.keys(foldRaw(heldSchema(), TENS, [blockOf(given)]).columns)).toEqual(columns);
  });
});
