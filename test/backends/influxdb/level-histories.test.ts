import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Backend, Write } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import {
  commit,
  createStream,
  readRaw,
  readRowsMeanwhile,
} from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { Fold } from '../../../src/downsamplers/fold.ts';
import { LevelSchema } from '../../../src/downsamplers/level-schema.ts';
import { type Block, rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { describeWith } from '../../servers/available.ts';

const HOUR_S = 3600;
const DOWNSAMPLERS = ['sum', 'min', 'max', 'count', 'sum_squares'];
const SCHEMA = LevelSchema.of({
  valueType: 'numeric',
  valueTypeOptions: {},
  valueDownsamplers: DOWNSAMPLERS,
});
/** Levels that are kept after they were read, each with another length of what is kept together. */
const KEPT_LEVELS = Granularity.values.slice(2);

type Rows = Map<number, number>;

/** Stretches of a history in hours; a few land on one another, others far away. */
interface Step {
  readonly kind: 'behind' | 'among' | 'tick' | 'replace' | 'empty' | 'cut';
  readonly hour: number;
  readonly rowCount: number;
  readonly gapHours: number;
  readonly value: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom('behind', 'behind', 'among', 'tick', 'replace', 'empty', 'cut'),
  hour: fc.integer({ min: -100, max: 400 }),
  rowCount: fc.integer({ min: 1, max: 12 }),
  gapHours: fc.constantFrom(0.1, 1, 7, 30, 100),
  // Quarters: their sums are exact in any order.
  value: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -4000, max: 4000 }).map((n) => n / 4) },
    { weight: 1, arbitrary: fc.constant(Number.NaN) },
  ),
});

function blockOf(rows: Rows): Block {
  const seconds = [...rows.keys()].sort((a, b) => a - b);
  return rawBlock(
    Float64Array.from(seconds, (second) => BASE_MS + second * 1000),
    Float64Array.from(seconds, (second) => rows.get(second)!),
  );
}

/** The write of a step, already applied to the rows. */
function writeOf(streamId: StreamId, rows: Rows, { kind, hour, rowCount, ...rest }: Step): Write {
  const granularity = Granularity.Seconds;
  const latest = Math.max(...rows.keys(), -100 * HOUR_S);
  const inOrder = latest + Math.round(rest.gapHours * HOUR_S);
  const from = kind === 'behind' ? inOrder : hour * HOUR_S;
  const added: Rows = new Map();
  for (let row = 0; row < rowCount; row++) {
    added.set(from + Math.round(row * rest.gapHours * 600), rest.value + row);
  }
  if (kind === 'tick') {
    rows.set(inOrder, rest.value);
    const timestampMs = BASE_MS + inOrder * 1000;
    return { kind, timestampMs, streamIds: [streamId], values: Float64Array.of(rest.value) };
  }
  if (kind === 'behind' || kind === 'among') {
    for (const [second, value] of added) rows.set(second, value);
    return { kind: 'append', streamId, granularity, block: blockOf(added) };
  }
  const end = kind === 'cut' ? 10_000 * HOUR_S : Math.max(...added.keys()) + 1;
  for (const second of [...rows.keys()]) if (second >= from && second < end) rows.delete(second);
  if (kind === 'replace') for (const [second, value] of added) rows.set(second, value);
  return {
    kind: 'replace',
    streamId,
    granularity,
    range: { startMs: BASE_MS + from * 1000, endMs: BASE_MS + end * 1000 },
    block: kind === 'replace' ? blockOf(added) : rawBlock(new Float64Array(0), new Float64Array(0)),
  };
}

async function expectLevels(backend: Backend, streamId: StreamId, rows: Rows): Promise<void> {
  const raw = blockOf(rows);
  const there = await readRaw(backend, streamId);
  expect(there.map(([second]) => second)).toEqual([...rows.keys()].sort((a, b) => a - b));
  for (const granularity of KEPT_LEVELS) {
    const fold = new Fold(SCHEMA, granularity);
    fold.addRaw(raw);
    const { timestamps, columns } = fold.finish();
    const found = await readRowsMeanwhile(backend, streamId, { granularity });
    expect(found.map(([ms]) => ms)).toEqual([...timestamps]);
    for (const column of ['c', 's', 'l', 'u', 'q']) {
      expect(found.map(([, cells]) => cells[column])).toEqual([...(columns[column] ?? [])]);
    }
  }
}

describeWith('influxdb', ({ createStore }) => {
  async function withTwo(body: (backends: readonly [Backend, Backend]) => Promise<void>) {
    const store = await createStore();
    const backends = [await openBackend(store.url), await openBackend(store.url)] as const;
    try {
      await body(backends);
    } finally {
      for (const backend of backends) await backend.close();
      await store.drop();
    }
  }

  const define = (backend: Backend) =>
    createStream(backend, {}, { valueDownsamplers: DOWNSAMPLERS });

  test('levels are what our own fold gives, whatever came before and whoever has read them', () =>
    withTwo(async (backends) => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 12 }), async (history) => {
          const streamId = await define(backends[0]);
          const rows: Rows = new Map();
          for (const [index, item] of history.entries()) {
            const write = writeOf(streamId, rows, item);
            const [writer, reader] = index % 2 === 0 ? backends : [backends[1], backends[0]];
            // A reader that is under way may keep nothing of what the write has changed.
            const reading = readRowsMeanwhile(reader, streamId, { granularity: Granularity.Hours });
            await commit(writer, { expect: [], writes: [write] });
            await reading;
            await expectLevels(reader, streamId, rows);
          }
        }),
        { numRuns: 12, endOnFailure: true },
      );
    }));

  test('a gap that was read is filled after the rows behind it have gone', () =>
    withTwo(async ([backend]) => {
      const streamId = await define(backend);
      const rows: Rows = new Map();
      const day = 24;
      const behind = (item: Partial<Step>): Step => ({
        kind: 'among',
        hour: 0,
        rowCount: 1,
        gapHours: 1,
        value: 1,
        ...item,
      });
      for (const item of [
        behind({ hour: 0 }),
        behind({ hour: 10 * day }),
        behind({ kind: 'cut', hour: 10 * day }),
        behind({ hour: 5 * day, value: 5 }),
        behind({ hour: 20 * day }),
      ]) {
        const write = writeOf(streamId, rows, item);
        await commit(backend, { expect: [], writes: [write] });
        await expectLevels(backend, streamId, rows);
      }
    }));

  test('levels reach to both ends of what InfluxDB can hold', () =>
    withTwo(async ([backend]) => {
      const streamId = await define(backend);
      const { startMs, endMs } = backend.supports.timestampRange;
      const rows: Rows = new Map();
      for (const ms of [startMs, startMs + 86_400_000 * 5, -1000, 0, endMs - 1000]) {
        rows.set((ms - BASE_MS) / 1000, 1);
      }
      const write: Write = {
        kind: 'append',
        streamId,
        granularity: Granularity.Seconds,
        block: blockOf(rows),
      };
      await commit(backend, { expect: [], writes: [write] });
      // The years between have no rows, and are left out.
      const ends = [
        { startMs, endMs: startMs + 86_400_000 * 8 },
        { startMs: endMs - 86_400_000 * 8, endMs },
      ];
      for (const granularity of KEPT_LEVELS) {
        const fold = new Fold(SCHEMA, granularity);
        fold.addRaw(blockOf(rows));
        const wanted = [...fold.finish().timestamps];
        for (const range of [...ends, ...ends]) {
          const found = await readRowsMeanwhile(backend, streamId, { granularity, range });
          const inside = wanted.filter((ms) => ms >= range.startMs && ms < range.endMs);
          expect(found.map(([ms]) => ms)).toEqual(inside);
        }
      }
    }));
});
