import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { Input } from '../../src/derive/operator.ts';
import {
  FloatRows,
  mergeBlocks,
  openBlockSources,
  readsRawFloats,
} from '../../src/engine/block-replay.ts';
import { mergeInputs, type Visit } from '../../src/engine/input-merge.ts';
import { OperatorRun, OutputRows } from '../../src/engine/operator-run.ts';
import { type Block, rawBlock } from '../../src/model/block.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../../src/model/stream.ts';
import type { TimeRange } from '../../src/model/time-range.ts';
import { at } from './support.ts';

const DERIVED_ID = 'd0000000-0000-4000-8000-000000000000' as StreamId;

function idOf(index: number): StreamId {
  return `a0000000-0000-4000-8000-${String(index).padStart(12, '0')}` as StreamId;
}

function recordOf(id: StreamId, overrides: Partial<StreamRecord> = {}): StreamRecord {
  return {
    id,
    tags: { id },
    valueType: 'numeric',
    valueTypeOptions: {},
    valueDownsamplers: ['mean', 'sum', 'count'],
    highestGranularity: 'seconds',
    derivation: null,
    dependents: [],
    stale: [],
    levels: {},
    ...overrides,
  };
}

interface Source {
  readonly seconds: readonly number[];
  readonly isNominal: boolean;
  readonly afterSecond: number | null;
}

interface Store {
  readonly backend: MemoryBackend;
  readonly run: OperatorRun;
  readonly streams: readonly StreamSnapshot[];
}

async function storeOf(sources: readonly Source[]): Promise<Store> {
  const backend = new MemoryBackend();
  await backend.open();
  const records = sources.map(({ isNominal }, index) =>
    recordOf(idOf(index), isNominal ? { valueType: 'nominal', valueDownsamplers: [] } : {}),
  );
  await backend.commit({
    expect: [],
    create: records.map((record) => ({ record })),
    writes: sources.flatMap(({ seconds, isNominal }, index) => {
      if (seconds.length === 0) return [];
      const block = isNominal ? textBlock(seconds) : numberBlock(seconds, index);
      const granularity = Granularity.Seconds;
      return [{ kind: 'append', streamId: idOf(index), granularity, block }];
    }),
  });
  const derivation = {
    op: 'sum',
    args: {},
    depth: 1,
    sources: sources.map(({ afterSecond }, index) => ({
      name: null,
      streamId: idOf(index),
      granularity: 'seconds' as const,
      afterMs: afterSecond === null ? null : at(afterSecond),
    })),
  };
  const run = new OperatorRun(recordOf(DERIVED_ID, { derivation }));
  const streams = await backend.readStreams(records.map(({ id }) => id));
  return { backend, run, streams: streams as StreamSnapshot[] };
}

function numberBlock(seconds: readonly number[], index: number): Block {
  // Every fifth value is null.
  const values = Float64Array.from(seconds, (_, row) =>
    row % 5 === 4 ? Number.NaN : row + index / 8,
  );
  return rawBlock(Float64Array.from(seconds, at), values);
}

function textBlock(seconds: readonly number[]): Block {
  const values = seconds.map((_, row) => (row % 3 === 0 ? null : `reset ${row}`));
  return rawBlock(Float64Array.from(seconds, at), values);
}

/** All inputs that a merge gives, and that it goes on after being stopped at one. */
async function inputsOf(merge: (visit: Visit) => Promise<void>, stopAt: number): Promise<Input[]> {
  const inputs: Input[] = [];
  let isStopped = false;
  await merge((input) => {
    if (inputs.length === stopAt && !isStopped) {
      isStopped = true;
      return false;
    }
    inputs.push({ ...input });
    return true;
  });
  return inputs;
}

const sourcesArbitrary: fc.Arbitrary<Source[]> = fc.array(
  fc.record({
    seconds: fc
      .array(fc.nat(60), { maxLength: 40 })
      .map((seconds) => seconds.toSorted((a, b) => a - b)),
    isNominal: fc.boolean(),
    afterSecond: fc.option(fc.nat(40)),
  }),
  { minLength: 1, maxLength: 4 },
);

describe('inputs of raw sources', () => {
  test('come block by block as they come from cursors', async () => {
    await fc.assert(
      fc.asyncProperty(
        sourcesArbitrary,
        fc.record({ start: fc.nat(20), length: fc.nat(60) }),
        fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.nat(50)),
        async (sources, { start, length }, stopAt) => {
          const { backend, run, streams } = await storeOf(sources);
          const range: TimeRange = { startMs: at(start), endMs: at(start + length) };
          const { derivation } = run;
          const actual = await inputsOf(
            (visit) =>
              mergeBlocks(
                openBlockSources(backend, { derivation, streams, range, isLong: false }),
                visit,
              ),
            stopAt,
          );
          const expected = await inputsOf(
            (visit) => mergeInputs(run.openCursors(backend, { streams, range }), visit),
            stopAt,
          );
          expect(actual).toEqual(expected);
          await backend.close();
        },
      ),
      { numRuns: 200 },
    );
  });

  test('go on over many pages, and over an instant that fills one', async () => {
    const seconds = [
      ...Array.from({ length: 3000 }, (_, row) => row),
      ...new Array<number>(2500).fill(3000),
      ...Array.from({ length: 20_000 }, (_, row) => 3001 + row),
    ];
    const { backend, run, streams } = await storeOf([
      { seconds, isNominal: false, afterSecond: null },
      { seconds: [2999, 3000, 3000, 9000], isNominal: false, afterSecond: null },
    ]);
    const range: TimeRange = { startMs: at(-10), endMs: at(1e6) };
    const { derivation } = run;
    for (const isLong of [false, true]) {
      const actual = await inputsOf(
        (visit) =>
          mergeBlocks(openBlockSources(backend, { derivation, streams, range, isLong }), visit),
        Number.POSITIVE_INFINITY,
      );
      const expected = await inputsOf(
        (visit) => mergeInputs(run.openCursors(backend, { streams, range }), visit),
        Number.POSITIVE_INFINITY,
      );
      expect(actual).toHaveLength(seconds.length + 4);
      expect(actual).toEqual(expected);
    }
  });

  test('are for operators that compute in float64 from datapoints alone', async () => {
    const { run, streams } = await storeOf([{ seconds: [1], isNominal: false, afterSecond: null }]);
    expect(readsRawFloats(run, streams)).toBe(true);
    const [source] = streams;
    const finer = { ...source!, record: recordOf(idOf(0), { highestGranularity: '10seconds' }) };
    expect(readsRawFloats(run, [finer])).toBe(false);
    const exact = new OperatorRun({ ...run.record, valueTypeOptions: { highAccuracy: true } });
    expect(readsRawFloats(exact, streams)).toBe(false);
  });
});

describe('outputs in float64', () => {
  test('are the rows that any outputs give', () => {
    const values = fc.oneof(fc.double(), fc.constantFrom(null, -0, Number.POSITIVE_INFINITY));
    const outputs = fc.array(fc.record({ seconds: fc.nat(3), value: values }), { maxLength: 60 });
    fc.assert(
      fc.property(outputs, (steps) => {
        const record = recordOf(DERIVED_ID);
        const [floats, any] = [new FloatRows(record), new OutputRows(record)];
        let second = 0;
        for (const { seconds, value } of steps) {
          second += seconds;
          for (const sink of [floats, any]) sink.emit({ timestampMs: at(second), value });
        }
        expect(floats.block()).toEqual(any.block());
      }),
    );
  });

  test('of one window are left alone by the next one', () => {
    const record = recordOf(DERIVED_ID);
    const blocks = [1, 2].map((value) => {
      const rows = new FloatRows(record);
      for (let second = 0; second < 5000; second++) {
        rows.emit({ timestampMs: at(second), value: value * second });
      }
      return rows.block();
    });
    expect(blocks[0]!.timestamps).toHaveLength(5000);
    expect((blocks[0]!.columns['v'] as Float64Array)[4999]).toBe(4999);
    expect((blocks[1]!.columns['v'] as Float64Array)[4999]).toBe(9998);
  });

  test('come in order of time', () => {
    const rows = new FloatRows(recordOf(DERIVED_ID));
    rows.emit({ timestampMs: at(1), value: 1 });
    expect(() => rows.emit({ timestampMs: at(0), value: 1 })).toThrow('order of time');
  });
});
