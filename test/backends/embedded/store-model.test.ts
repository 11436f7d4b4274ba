import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  type Expectation,
  type GroupedCommit,
  type LevelWrite,
  NO_ROW,
  type Write,
} from '../../../src/backends/backend.ts';
import type {
  EmbeddedBackend,
  EmbeddedBackendOptions,
} from '../../../src/backends/embedded/embedded-backend.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import type { TimeRange } from '../../../src/model/time-range.ts';
import { createStream, opened, readAll, rowsOf, turns, withFolder } from './fixtures.ts';

// Everything small, so that short histories seal, split, merge and trim many times over.
const TUNING = {
  journalSizeMaxBytes: 600,
  sizePerTailBytes: 0,
  blockRowCountTarget: 4,
  sliceLevelCount: 1,
};
// Blocks of a usual size, so that rows are journaled as such and merged when they are sealed.
const ROOMY_TUNING = { ...TUNING, blockRowCountTarget: 64, sliceLevelCount: 2 };
const STREAM_COUNT = 4;
const LEVELS = [Granularity.Seconds, Granularity.Minutes];

type Command =
  | { kind: 'inOrder'; stream: number; steps: readonly number[] }
  | { kind: 'anywhere'; stream: number; level: number; timestamps: readonly number[] }
  | {
      kind: 'tick' | 'bucket';
      list: number;
      /** Whether the array is not the one of before. */
      isFresh: boolean;
      stepMs: number;
      /** Of each stream of the list: whether it has no row. */
      gaps: readonly boolean[];
      isGrouped: boolean;
    }
  | { kind: 'advance'; stream: number; steps: readonly number[] }
  | { kind: 'update'; stream: number; untilMs: number | null }
  | { kind: 'big'; stream: number; rowCount: number }
  | {
      kind: 'replace';
      stream: number;
      level: number;
      /** Ascending, without overlaps. */
      ranges: readonly TimeRange[];
      timestamps: readonly number[];
    }
  | { kind: 'turns'; count: number }
  | { kind: 'reopen' }
  | { kind: 'checkpoint' }
  | { kind: 'read'; range: TimeRange; rowCountMax: number; isReverse: boolean };

// Few instants: the rows of one often fill several blocks.
const timestamp = fc.integer({ min: 0, max: 20 });
const range = fc.tuple(timestamp, timestamp).map(([a, b]) => ({
  startMs: Math.min(a, b),
  endMs: Math.max(a, b) + 1,
}));
const ranges = fc
  .uniqueArray(fc.integer({ min: 0, max: 24 }), { minLength: 2, maxLength: 10 })
  .map((instants) => {
    const ends = instants.sort((a, b) => a - b);
    return Array.from({ length: ends.length >> 1 }, (_, i) => ({
      startMs: ends[2 * i]!,
      endMs: ends[2 * i + 1]!,
    }));
  });
const stream = fc.integer({ min: 0, max: STREAM_COUNT - 1 });
const level = fc.integer({ min: 0, max: 1 });
const command: fc.Arbitrary<Command> = fc.oneof(
  {
    arbitrary: fc.record({
      kind: fc.constant('inOrder' as const),
      stream,
      steps: fc.array(fc.constantFrom(0, 0, 0, 0, 1), { minLength: 1, maxLength: 20 }),
    }),
    weight: 3,
  },
  fc.record({
    kind: fc.constant('anywhere' as const),
    stream,
    level,
    timestamps: fc.array(timestamp, { minLength: 1, maxLength: 30 }),
  }),
  {
    arbitrary: fc.record({
      kind: fc.constantFrom('tick' as const, 'tick' as const, 'bucket' as const),
      // Mostly the same list, so that its streams stay together.
      list: fc.constantFrom(0, 0, 0, 1, 2),
      isFresh: fc.boolean(),
      stepMs: fc.nat(1),
      gaps: fc.array(fc.constantFrom(false, false, false, true), {
        minLength: STREAM_COUNT,
        maxLength: STREAM_COUNT,
      }),
      isGrouped: fc.boolean(),
    }),
    weight: 5,
  },
  fc.record({
    kind: fc.constant('advance' as const),
    stream,
    steps: fc.array(fc.constantFrom(1, 2), { maxLength: 6 }),
  }),
  fc.record({
    kind: fc.constant('update' as const),
    stream,
    untilMs: fc.option(timestamp),
  }),
  fc.record({
    kind: fc.constant('big' as const),
    stream,
    rowCount: fc.integer({ min: 60, max: 200 }),
  }),
  fc.record({
    kind: fc.constant('replace' as const),
    stream,
    level,
    ranges,
    timestamps: fc.array(timestamp, { maxLength: 30 }),
  }),
  fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
  fc.record({ kind: fc.constant('checkpoint' as const) }),
  fc.record({
    kind: fc.constant('read' as const),
    range,
    rowCountMax: fc.integer({ min: 1, max: 20 }),
    isReverse: fc.boolean(),
  }),
);

type Row = [number, unknown];

/** Rows of each stream and level in plain arrays. */
class Model {
  readonly rows: Row[][][] = LEVELS.map(() => Array.from({ length: STREAM_COUNT }, () => []));
  /** Watermarks of the lower level. */
  readonly untilMs: (number | null)[] = new Array<number | null>(STREAM_COUNT).fill(null);
  #value = 0;

  next(): number {
    return this.#value++;
  }

  latestMs(streamIndex: number, levelIndex = 0): number {
    return this.rows[levelIndex]![streamIndex]!.at(-1)?.[0] ?? 0;
  }

  insert(levelIndex: number, streamIndex: number, added: readonly Row[]): void {
    const rows = this.rows[levelIndex]!;
    // A stable sort keeps equal timestamps in the order of arrival.
    rows[streamIndex] = [...rows[streamIndex]!, ...added].sort(([a], [b]) => a - b);
  }

  remove(levelIndex: number, streamIndex: number, { startMs, endMs }: TimeRange): void {
    const rows = this.rows[levelIndex]!;
    rows[streamIndex] = rows[streamIndex]!.filter(([t]) => t < startMs || t >= endMs);
  }
}

function blockOf(rows: readonly Row[]) {
  return rawBlock(
    Float64Array.from(rows, ([t]) => t),
    Float64Array.from(rows, ([, value]) => value as number),
  );
}

/** The streams, and lists of them that stand for cohorts. */
class Streams {
  readonly ids: readonly StreamId[];
  readonly #lists: readonly (readonly StreamId[])[];

  constructor(ids: readonly StreamId[]) {
    this.ids = ids;
    this.#lists = [ids, [ids[1]!, ids[2]!], [ids[3]!, ids[0]!]];
  }

  list(index: number, { isFresh }: { isFresh: boolean }): readonly StreamId[] {
    const list = this.#lists[index]!;
    return isFresh ? [...list] : list;
  }
}

/** The writes of a command, after they were done to the model. */
function modelled(
  model: Model,
  item: Command,
  streams: Streams,
): readonly (Write | LevelWrite)[] | null {
  switch (item.kind) {
    case 'inOrder':
    case 'big': {
      let timestampMs = model.latestMs(item.stream);
      const steps = item.kind === 'big' ? new Array<number>(item.rowCount).fill(0) : item.steps;
      const rows = steps.map((step): Row => {
        timestampMs += step;
        return [timestampMs, model.next()];
      });
      model.insert(0, item.stream, rows);
      const streamId = streams.ids[item.stream]!;
      return [{ kind: 'append', streamId, granularity: LEVELS[0]!, block: blockOf(rows) }];
    }
    case 'anywhere':
    case 'replace':
      return modelledAnywhere(model, item, streams);
    case 'tick':
    case 'bucket':
      return [modelledTick(model, item, streams)];
    case 'advance': {
      let timestampMs = model.latestMs(item.stream, 1);
      const rows = item.steps.map((step): Row => {
        timestampMs += step;
        return [timestampMs, model.next()];
      });
      model.insert(1, item.stream, rows);
      const untilMs = timestampMs + 1;
      model.untilMs[item.stream] = untilMs;
      const streamId = streams.ids[item.stream]!;
      const granularity = LEVELS[1]!;
      return [{ kind: 'advance', streamId, granularity, block: blockOf(rows), untilMs }];
    }
    default:
      return null;
  }
}

function modelledAnywhere(
  model: Model,
  item: Extract<Command, { kind: 'anywhere' | 'replace' }>,
  streams: Streams,
): readonly Write[] {
  const sorted = [...item.timestamps].sort((a, b) => a - b);
  const streamId = streams.ids[item.stream]!;
  const granularity = LEVELS[item.level]!;
  if (item.kind === 'anywhere') {
    const rows = sorted.map((t): Row => [t, model.next()]);
    model.insert(item.level, item.stream, rows);
    return [{ kind: 'append', streamId, granularity, block: blockOf(rows) }];
  }
  return item.ranges.map((range) => {
    const inside = sorted.filter((t) => t >= range.startMs && t < range.endMs);
    const rows = inside.map((t): Row => [t, model.next()]);
    model.remove(item.level, item.stream, range);
    model.insert(item.level, item.stream, rows);
    return { kind: 'replace', streamId, granularity, range, block: blockOf(rows) };
  });
}

function modelledTick(
  model: Model,
  item: Extract<Command, { kind: 'tick' | 'bucket' }>,
  streams: Streams,
): Write | LevelWrite {
  const streamIds = streams.list(item.list, item);
  const indexes = streamIds.map((id) => streams.ids.indexOf(id));
  const levelIndex = item.kind === 'tick' ? 0 : 1;
  const latestMs = Math.max(...indexes.map((i) => model.latestMs(i, levelIndex)));
  const timestampMs = latestMs + item.stepMs;
  const values = Float64Array.from(indexes, () => model.next());
  for (const [row, i] of indexes.entries()) {
    if (!item.gaps[row]) model.insert(levelIndex, i, [[timestampMs, values[row]!]]);
    if (item.kind === 'bucket') model.untilMs[i] = timestampMs + 1;
  }
  if (item.kind === 'tick') {
    for (const row of indexes.keys()) if (item.gaps[row]) values[row] = NO_ROW;
    return { kind: 'tick', timestampMs, streamIds, values };
  }
  const c = Float64Array.from(indexes, (_i, row) => (item.gaps[row] ? 0 : 1));
  const columns = { c, v: values, x: new Float64Array(indexes.length).fill(-0) };
  const granularity = LEVELS[1]!;
  return {
    kind: 'bucket',
    granularity,
    streamIds,
    startMs: timestampMs,
    untilMs: timestampMs + 1,
    columns,
  };
}

/** What the streams of a tick are expected to be, as a group where they have one version. */
async function expectationOf(
  backend: EmbeddedBackend,
  item: Command,
  write: Write | LevelWrite,
): Promise<Pick<GroupedCommit, 'expect' | 'expectGroups'>> {
  if (!('streamIds' in write) || !('isGrouped' in item) || !item.isGrouped) return { expect: [] };
  const { streamIds } = write;
  const snapshots = await backend.readStreams(streamIds);
  const version = snapshots[0]!.version;
  if (snapshots.every((snapshot) => snapshot!.version === version)) {
    return { expect: [], expectGroups: [{ streamIds, version }] };
  }
  const apart = await backend.commit({ expect: [], expectGroups: [{ streamIds, version }] });
  const others = snapshots.filter((snapshot) => snapshot!.version !== version);
  const conflicts = others.map((snapshot) => snapshot!.record.id);
  expect(apart).toEqual({ isCommitted: false, conflicts });
  return {
    expect: snapshots.map(
      (snapshot): Expectation => ({
        streamId: snapshot!.record.id,
        version: snapshot!.version,
        revision: snapshot!.revision,
      }),
    ),
  };
}

async function expectSame(
  backend: EmbeddedBackend,
  model: Model,
  {
    streamIds,
    ...request
  }: {
    streamIds: readonly StreamId[];
    range?: TimeRange;
    rowCountMax: number;
    isReverse: boolean;
  },
): Promise<void> {
  const { startMs, endMs } = request.range ?? { startMs: -1, endMs: Number.POSITIVE_INFINITY };
  for (const [levelIndex, granularity] of LEVELS.entries()) {
    for (const [i, streamId] of streamIds.entries()) {
      const block = await readAll(backend, streamId, { granularity, ...request });
      const rows = model.rows[levelIndex]![i]!.filter(([t]) => t >= startMs && t < endMs);
      expect(block.timestamps.length === 0 ? [] : rowsOf(block)).toEqual(rows);
    }
  }
}

async function expectSnapshots(
  backend: EmbeddedBackend,
  model: Model,
  streamIds: readonly StreamId[],
): Promise<void> {
  const snapshots = await backend.readStreams(streamIds);
  for (const [i, snapshot] of snapshots.entries()) {
    const rows = model.rows[0]![i]!;
    expect([snapshot?.earliestMs, snapshot?.latestMs]).toEqual([
      rows.at(0)?.[0] ?? null,
      rows.at(-1)?.[0] ?? null,
    ]);
    expect(snapshot?.record.levels.minutes?.untilMs ?? null).toBe(model.untilMs[i]);
  }
}

async function update(
  backend: EmbeddedBackend,
  streamId: StreamId,
  untilMs: number | null,
): Promise<void> {
  const [snapshot] = await backend.readStreams([streamId]);
  const { record, revision } = snapshot!;
  const levels = { ...record.levels, minutes: { untilMs, stale: [] } };
  const outcome = await backend.commit({
    expect: [{ streamId, revision }],
    update: [{ ...record, levels }],
  });
  expect(outcome.isCommitted).toBe(true);
}

async function runHistory(
  path: string,
  commands: readonly (readonly [Command, number])[],
  tuning: EmbeddedBackendOptions,
): Promise<void> {
  const model = new Model();
  const backends = [await opened(path, tuning), await opened(path, tuning)];
  const ids: StreamId[] = [];
  for (let i = 0; i < STREAM_COUNT; i++) ids.push(await createStream(backends[i % 2]!));
  const streams = new Streams(ids);
  for (const [item, who] of commands) {
    const writes = modelled(model, item, streams);
    const backend = backends[who]!;
    if (writes !== null) {
      const expectation = await expectationOf(backend, item, writes[0]!);
      const outcome = await backend.commit({ ...expectation, writes });
      expect(outcome.isCommitted).toBe(true);
    } else if (item.kind === 'update') {
      model.untilMs[item.stream] = item.untilMs;
      await update(backend, ids[item.stream]!, item.untilMs);
    } else if (item.kind === 'turns') {
      await turns(item.count);
    } else if (item.kind === 'checkpoint') {
      await backend.checkpoint();
    } else if (item.kind === 'reopen') {
      await backend.close();
      backends[who] = await opened(path, tuning);
    } else if (item.kind === 'read') {
      const { kind: _kind, ...request } = item;
      await expectSame(backend, model, { streamIds: ids, ...request });
      await expectSnapshots(backend, model, ids);
    }
  }
  await expectEnd(backends, model, ids);
}

async function expectEnd(
  backends: readonly EmbeddedBackend[],
  model: Model,
  streamIds: readonly StreamId[],
): Promise<void> {
  const revisions: unknown[] = [];
  for (const backend of backends) {
    await expectSame(backend, model, { streamIds, rowCountMax: 3, isReverse: false });
    await expectSame(backend, model, { streamIds, rowCountMax: 5, isReverse: true });
    await expectSnapshots(backend, model, streamIds);
    revisions.push((await backend.readStreams(streamIds)).map((snapshot) => snapshot?.revision));
    await backend.close();
  }
  expect(revisions[0]).toEqual(revisions[1]);
}

describe('an embedded store', () => {
  test.each([
    ['small', TUNING],
    ['usual', ROOMY_TUNING],
  ])(
    'reads as plain arrays do after any history of two writers that seal and reopen, with %s blocks',
    async (_size, tuning) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(command, fc.integer({ min: 0, max: 1 })), { maxLength: 40 }),
          (commands) => withFolder((path) => runHistory(path, commands, tuning)),
        ),
        { numRuns: 80 },
      );
    },
    120_000,
  );
});
