import { beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { operatorOf } from '../../src/derive/registry.ts';
import type { PageSource } from '../../src/engine/block-reader.ts';
import { OperatorRun } from '../../src/engine/operator-run.ts';
import { replay } from '../../src/engine/replay.ts';
import type { Replayed } from '../../src/engine/replay-inputs.ts';
import { type Block, rawBlock } from '../../src/model/block.ts';
import type { GranularityName } from '../../src/model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../../src/model/stream.ts';
import { ALL_TIME, TIME_END_MS } from '../../src/model/time-range.ts';
import { at } from './support.ts';

interface Row {
  readonly second: number;
  readonly value: number | null;
}

interface Task {
  readonly op: string;
  readonly args?: Readonly<Record<string, unknown>>;
  readonly granularity: GranularityName;
  readonly sources: readonly (readonly Row[])[];
  readonly pageRowCount: number;
}

function idOf(index: number): StreamId {
  return `a0000000-0000-4000-8000-${String(index).padStart(12, '0')}` as StreamId;
}

function recordOf(index: number, highestGranularity: GranularityName): StreamRecord {
  return {
    id: idOf(index),
    tags: {},
    valueType: 'numeric',
    valueTypeOptions: {},
    valueDownsamplers: [],
    highestGranularity,
    derivation: null,
    dependents: [],
    stale: [],
    levels: {},
  };
}

/** Of operators that tell their sources by name. */
const SOURCE_NAMES: Readonly<Record<string, readonly (string | null)[]>> = {
  counter_derivative: ['reset', null],
  expression: ['a', 'b', 'c', 'd'],
};

/** As columns of float64, which are taken as such, or of JSON values, of which each is an input. */
type BlockOf = (rows: readonly Row[]) => Block;

const floatBlock: BlockOf = (rows) =>
  rawBlock(
    Float64Array.from(rows, ({ second }) => at(second)),
    Float64Array.from(rows, ({ value }) => value ?? Number.NaN),
  );

const jsonBlock: BlockOf = (rows) =>
  rawBlock(
    Float64Array.from(rows, ({ second }) => at(second)),
    rows.map(({ value }) => value),
  );

/** Pages of so many rows, rounded up to whole instants. */
function pagesOf({ sources, pageRowCount }: Task, blockOf: BlockOf): PageSource {
  return {
    supports: {} as PageSource['supports'],
    readPage: async ({ streamId, range }) => {
      const all = sources[Number(streamId.slice(-12))]!;
      const first = all.findIndex(({ second }) => at(second) >= range.startMs);
      if (first === -1) return { block: blockOf([]), rest: null };
      let end = Math.min(first + pageRowCount, all.length);
      while (end < all.length && all[end]!.second === all[end - 1]!.second) end++;
      const rest =
        end === all.length ? null : { startMs: at(all[end]!.second), endMs: range.endMs };
      return { block: blockOf(all.slice(first, end)), rest };
    },
  };
}

function replayed(task: Task, blockOf: BlockOf): Promise<Replayed> {
  const { op, args = {}, granularity, sources } = task;
  const names = SOURCE_NAMES[op] ?? [];
  const derivation = {
    op,
    args,
    depth: 1,
    sources: sources.map((_, index) => ({
      name: names[index] ?? null,
      streamId: idOf(index),
      granularity,
      afterMs: null,
    })),
  };
  const run = new OperatorRun({ ...recordOf(sources.length, granularity), derivation });
  const streams = sources.map(
    (rows, index) =>
      ({
        record: recordOf(index, granularity),
        earliestMs: rows.length === 0 ? null : at(rows[0]!.second),
        latestMs: rows.length === 0 ? null : at(rows.at(-1)!.second),
      }) as StreamSnapshot,
  );
  return replay(pagesOf(task, blockOf), {
    run,
    sources: streams,
    range: ALL_TIME,
    stale: [ALL_TIME],
    limitMs: TIME_END_MS,
    signal: undefined,
  });
}

/** Numbers to the bit, all kinds of NaN being one. */
function bitsOf(column: Float64Array): string {
  const numbers = column.map((item) => (Number.isNaN(item) ? Number.NaN : item));
  return Buffer.from(numbers.buffer).toString('base64');
}

function plain({ block, warnings, ...rest }: Replayed): unknown {
  return {
    ...rest,
    timestamps: bitsOf(block.timestamps),
    values: bitsOf((block.columns['v'] as Float64Array | undefined) ?? new Float64Array(0)),
    warnings: warnings.map(({ message }) => message),
  };
}

async function expectAlike(task: Task): Promise<Replayed> {
  const inColumns = await replayed(task, floatBlock);
  expect(plain(inColumns)).toEqual(plain(await replayed(task, jsonBlock)));
  return inColumns;
}

const value: fc.Arbitrary<number | null> = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(null, null, 0, -0, 0.1, 1.7e308, -1.7e308),
);
const steps = fc.array(fc.record({ seconds: fc.constantFrom(0, 1, 1, 1, 4, 25), value }), {
  maxLength: 50,
});

function rowsOf(list: readonly { seconds: number; value: number | null }[]): Row[] {
  let second = 0;
  return list.map(({ seconds, value: item }) => {
    second += seconds;
    return { second, value: item };
  });
}

const pageRowCount = fc.constantFrom(1, 3, 10, 100);
const granularity = fc.constantFrom<GranularityName[]>('seconds', '10seconds');

describe('history in columns', () => {
  beforeAll(async () => operatorOf('expression').load?.());

  test('of one source gives what one input after the other gives', async () => {
    await fc.assert(
      fc.asyncProperty(steps, granularity, pageRowCount, async (list, own, rowCount) => {
        const sources = [rowsOf(list)];
        const task = { granularity: own, sources, pageRowCount: rowCount };
        await expectAlike({ op: 'derivative', ...task });
        await expectAlike({ op: 'sum', ...task });
        await expectAlike({ op: 'difference', ...task });
        await expectAlike({ op: 'rate', ...task });
        await expectAlike({ op: 'rate', args: { max_value: 5 }, ...task });
        await expectAlike({ op: 'clamp', args: { min: -2, max: 3 }, ...task });
        await expectAlike({ op: 'time_shift', args: { offset: -7 }, ...task });
        await expectAlike({ op: 'integral', ...task });
        await expectAlike({ op: 'integral', args: { method: 'held', max_gap: 4 }, ...task });
        await expectAlike({ op: 'exponential_smoothing', args: { alpha: 0.3 }, ...task });
        await expectAlike({ op: 'exponential_smoothing', args: { time_constant: 3 }, ...task });
        await expectAlike({ op: 'moving_average', args: { window: 5 }, ...task });
      }),
    );
  });

  test('of a counter and its resets gives what one input after the other gives', async () => {
    await fc.assert(
      fc.asyncProperty(steps, steps, pageRowCount, async (resets, list, rowCount) => {
        await expectAlike({
          op: 'counter_derivative',
          granularity: 'seconds',
          sources: [rowsOf(resets), rowsOf(list)],
          pageRowCount: rowCount,
        });
      }),
    );
  });

  test('of sources that tick together, mostly, gives what one input after the other gives', async () => {
    const sources = fc
      .record({
        list: steps,
        values: fc.array(fc.array(value, { minLength: 50 }), { maxLength: 3 }),
      })
      .chain(({ list, values }) => {
        const first = rowsOf(list);
        const others = values.map((column) =>
          first.map((row, index) => ({ ...row, value: column[index] ?? null })),
        );
        const all = [first, ...others];
        return fc.tuple(
          fc.constant(all),
          fc.array(fc.tuple(fc.nat(all.length - 1), fc.nat(50)), { maxLength: 2 }),
        );
      })
      .map(([all, gaps]) =>
        all.map((rows, source) =>
          rows.filter((_, index) => !gaps.some(([at0, row]) => at0 === source && row === index)),
        ),
      );
    await fc.assert(
      fc.asyncProperty(sources, granularity, pageRowCount, async (columns, own, rowCount) => {
        const task = { granularity: own, sources: columns, pageRowCount: rowCount };
        for (const op of ['sum', 'mean', 'min', 'max', 'count']) await expectAlike({ op, ...task });
        const formula = ['a', 'b', 'c', 'd'].slice(0, columns.length).join(' / ');
        await expectAlike({ op: 'expression', args: { expression: formula }, ...task });
      }),
    );
  });

  test('ends the part that one commit holds between buckets', async () => {
    const rows = Array.from({ length: 260_000 }, (_, second) => ({ second, value: second % 7 }));
    const { range, inputCount } = await expectAlike({
      op: 'sum',
      granularity: 'minutes',
      sources: [rows, rows],
      pageRowCount: 4096,
    });
    expect(range.endMs).toBeLessThan(at(260_000));
    expect(range.endMs % 60_000).toBe(0);
    expect(inputCount).toBeGreaterThanOrEqual(500_000);
  });

  test('ends the part that one commit holds between instants', async () => {
    const rows = Array.from({ length: 510_000 }, (_, row) => ({
      // The same instant around the last input of a part.
      second: row < 499_990 || row > 500_010 ? row : 499_990,
      value: row % 7,
    }));
    const { range, inputCount } = await expectAlike({
      op: 'derivative',
      granularity: 'seconds',
      sources: [rows],
      pageRowCount: 16_384,
    });
    expect(range.endMs).toBe(at(500_011));
    expect(inputCount).toBe(500_011);
  });
});
