import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { type LevelWrite, NO_ROW } from '../../src/backends/backend.ts';
import { advancesOf } from '../../src/backends/grouped-commit.ts';
import { LevelSchema } from '../../src/downsamplers/level-schema.ts';
import { advanceWrites, type BoardGroup, BucketBoard } from '../../src/engine/bucket-board.ts';
import { LevelChain } from '../../src/engine/level-chain.ts';
import { rawBlock } from '../../src/model/block.ts';
import { ladderOf } from '../../src/model/ladder.ts';
import type { StreamId } from '../../src/model/stream.ts';

const STREAM_COUNT = 9;
const IDS = Array.from({ length: STREAM_COUNT }, (_, n) => `stream ${n}` as StreamId);
const LADDER = ladderOf({ highestGranularity: 'seconds' });
/** With levels that are computed from the same one. */
const BRANCHED_LADDER = ladderOf({
  highestGranularity: 'seconds',
  extraLevels: ['2minutes', '5minutes', '15minutes', '2hours'],
});
const MILLISECONDS_LADDER = ladderOf({ highestGranularity: 'milliseconds' });
const BASE_MS = Date.UTC(2024, 0, 1, 5, 59);

const value: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.double({ noNaN: true, min: -1e9, max: 1e9 }) },
  { weight: 1, arbitrary: fc.constantFrom(-0, 0, 5e-324, 1e308, -1e308) },
  { weight: 1, arbitrary: fc.constant(Number.NaN) },
  { weight: 1, arbitrary: fc.constant(NO_ROW) },
);
const gapCount: fc.Arbitrary<number> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 15 }) },
  { weight: 2, arbitrary: fc.integer({ min: 40, max: 700 }) },
  { weight: 1, arbitrary: fc.integer({ min: 3000, max: 200_000 }) },
);

const tick = fc.record({
  group: fc.nat({ max: 3 }),
  gapCount,
  values: fc.array(value, { minLength: STREAM_COUNT, maxLength: STREAM_COUNT }),
});
const block = fc.record({
  stream: fc.nat({ max: STREAM_COUNT - 1 }),
  rows: fc.array(fc.tuple(gapCount, value), { minLength: 1, maxLength: 40 }),
});

/** All streams, some in another order, those that are there from the second on, and a few. */
const GROUPS: readonly (readonly number[])[] = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8],
  [8, 6, 4, 2, 0],
  [1, 2, 3, 4, 5, 6, 7],
  [0, 5],
];

/** What was written to each level of each stream, with every bit of every number. */
class Written {
  readonly #lines = new Map<string, string[]>();

  add(writes: readonly LevelWrite[]): void {
    for (const write of writes) {
      for (const { streamId, granularity, block, untilMs } of write.kind === 'bucket'
        ? advancesOf(write)
        : [write]) {
        const key = `${streamId} ${granularity.name}`;
        const lines = this.#lines.get(key) ?? [];
        this.#lines.set(key, lines);
        for (const [row, startMs] of block.timestamps.entries()) {
          const states = Object.entries(block.columns).map(([name, column]) => {
            const number = Float64Array.of(column[row] as number);
            return `${name}=${Buffer.from(number.buffer).toString('hex')}`;
          });
          lines.push(`${startMs}: ${states.join(' ')}`);
        }
        this.#until.set(key, untilMs);
      }
    }
  }

  readonly #until = new Map<string, number>();

  get all(): unknown {
    return { lines: [...this.#lines].sort(), until: [...this.#until].sort() };
  }
}

describe.each([
  ['moments', ['mean', 'min', 'max', 'sum_squares', 'std_dev', 'count'], LADDER, 1000],
  ['a mean alone', ['mean'], LADDER, 1000],
  ['levels that branch', ['mean', 'max'], BRANCHED_LADDER, 1000],
  // The squares of such intervals are not exact.
  ['datapoints at milliseconds', ['mean'], MILLISECONDS_LADDER, 17],
] as const)('a board of streams with %s', (_name, valueDownsamplers, ladder, gapMs) => {
  const schema = LevelSchema.of({ valueType: 'numeric', valueTypeOptions: {}, valueDownsamplers });

  test('writes what a chain of each stream writes, to the bit', () => {
    const steps = fc.array(
      fc.oneof({ weight: 4, arbitrary: tick }, { weight: 1, arbitrary: block }),
      {
        maxLength: 50,
        size: 'max',
      },
    );
    fc.assert(
      fc.property(steps, (history) => {
        const board = new BucketBoard(schema, ladder);
        const chains = IDS.map(() => new LevelChain(schema, ladder));
        const rows = IDS.map((id) => board.add(id, new LevelChain(schema, ladder)));
        const groups = GROUPS.map(
          (group): BoardGroup => ({
            rows: Int32Array.from(group, (n) => rows[n]!),
            positions: Int32Array.from(group.keys()),
            streamIds: group.map((n) => IDS[n]!),
          }),
        );
        const actual = new Written();
        const expected = new Written();
        let timestampMs = BASE_MS;
        for (const step of history) {
          if ('group' in step) {
            timestampMs += step.gapCount * gapMs;
            const values = Float64Array.from(GROUPS[step.group]!, (n) => step.values[n]!);
            const writes: LevelWrite[] = [];
            board.addTick(groups[step.group]!, { timestampMs, values }, writes);
            actual.add(writes);
            for (const [position, n] of GROUPS[step.group]!.entries()) {
              if (values[position] === NO_ROW) continue;
              const number = values.slice(position, position + 1);
              chains[n]!.addRaw(rawBlock(Float64Array.of(timestampMs), number));
              expected.add(advanceWrites(IDS[n]!, chains[n]!.advance(timestampMs)));
            }
          } else {
            const timestamps = Float64Array.from(step.rows, ([count]) => {
              timestampMs += count * gapMs;
              return timestampMs;
            });
            const values = Float64Array.from(step.rows, ([, number]) =>
              number === NO_ROW ? Number.NaN : number,
            );
            const rowsOfOne = rawBlock(timestamps, values);
            actual.add(board.addBlock(rows[step.stream]!, rowsOfOne));
            chains[step.stream]!.addRaw(rowsOfOne);
            expected.add(
              advanceWrites(IDS[step.stream]!, chains[step.stream]!.advance(timestampMs)),
            );
          }
        }
        expect(actual.all).toEqual(expected.all);
      }),
      { numRuns: 40 },
    );
  });
});

test('a row that was given up is another stream’s, without what was there', () => {
  const schema = LevelSchema.of({
    valueType: 'numeric',
    valueTypeOptions: {},
    valueDownsamplers: ['sum'],
  });
  const board = new BucketBoard(schema, LADDER);
  const row = board.add(IDS[0]!, new LevelChain(schema, LADDER));
  board.addBlock(row, rawBlock(Float64Array.of(BASE_MS), Float64Array.of(5)));
  board.remove(row);
  expect(board.add(IDS[1]!, new LevelChain(schema, LADDER))).toBe(row);
  const later = rawBlock(Float64Array.of(BASE_MS, BASE_MS + 10_000), Float64Array.of(1, 2));
  const [write] = board.addBlock(row, later);
  expect(write).toMatchObject({ streamId: IDS[1], untilMs: BASE_MS + 10_000 });
  expect(write?.kind === 'advance' && [...(write.block.columns['s'] as Float64Array)]).toEqual([1]);
});
