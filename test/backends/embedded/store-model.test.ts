import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Write } from '../../../src/backends/backend.ts';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
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
const LEVELS = [Granularity.Seconds, Granularity.Minutes];

type Command =
  | { kind: 'inOrder'; stream: number; steps: readonly number[] }
  | { kind: 'anywhere'; stream: number; level: number; timestamps: readonly number[] }
  | { kind: 'tick'; stepMs: number }
  | {
      kind: 'replace';
      stream: number;
      level: number;
      range: TimeRange;
      timestamps: readonly number[];
    }
  | { kind: 'turns'; count: number }
  | { kind: 'reopen' }
  | { kind: 'read'; range: TimeRange; rowCountMax: number; isReverse: boolean };

// Few instants: the rows of one often fill several blocks.
const timestamp = fc.integer({ min: 0, max: 20 });
const range = fc.tuple(timestamp, timestamp).map(([a, b]) => ({
  startMs: Math.min(a, b),
  endMs: Math.max(a, b) + 1,
}));
const stream = fc.integer({ min: 0, max: 1 });
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
  fc.record({ kind: fc.constant('tick' as const), stepMs: fc.nat(1) }),
  fc.record({
    kind: fc.constant('replace' as const),
    stream,
    level,
    range,
    timestamps: fc.array(timestamp, { maxLength: 30 }),
  }),
  fc.record({ kind: fc.constant('turns' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('reopen' as const) }),
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
  readonly rows: Row[][][] = LEVELS.map(() => [[], []]);
  #value = 0;

  next(): number {
    return this.#value++;
  }

  latestMs(streamIndex: number): number {
    return this.rows[0]![streamIndex]!.at(-1)?.[0] ?? 0;
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

/** The write of a command, after it was done to the model. */
function modelled(model: Model, item: Command, streamIds: readonly StreamId[]): Write | null {
  switch (item.kind) {
    case 'inOrder': {
      let timestampMs = model.latestMs(item.stream);
      const rows = item.steps.map((step): Row => {
        timestampMs += step;
        return [timestampMs, model.next()];
      });
      model.insert(0, item.stream, rows);
      const streamId = streamIds[item.stream]!;
      return { kind: 'append', streamId, granularity: LEVELS[0]!, block: blockOf(rows) };
    }
    case 'anywhere':
    case 'replace': {
      const sorted = [...item.timestamps].sort((a, b) => a - b);
      const streamId = streamIds[item.stream]!;
      const granularity = LEVELS[item.level]!;
      if (item.kind === 'anywhere') {
        const rows = sorted.map((t): Row => [t, model.next()]);
        model.insert(item.level, item.stream, rows);
        return { kind: 'append', streamId, granularity, block: blockOf(rows) };
      }
      const inside = sorted.filter((t) => t >= item.range.startMs && t < item.range.endMs);
      const rows = inside.map((t): Row => [t, model.next()]);
      model.remove(item.level, item.stream, item.range);
      model.insert(item.level, item.stream, rows);
      return { kind: 'replace', streamId, granularity, range: item.range, block: blockOf(rows) };
    }
    case 'tick': {
      const timestampMs = Math.max(model.latestMs(0), model.latestMs(1)) + item.stepMs;
      const values = Float64Array.of(model.next(), model.next());
      for (const i of [0, 1]) model.insert(0, i, [[timestampMs, values[i]!]]);
      return { kind: 'tick', timestampMs, streamIds, values };
    }
    default:
      return null;
  }
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

async function expectBounds(
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
  }
}

async function runHistory(
  path: string,
  commands: readonly (readonly [Command, number])[],
): Promise<void> {
  const model = new Model();
  const backends = [await opened(path, TUNING), await opened(path, TUNING)];
  const streamIds = [await createStream(backends[0]!), await createStream(backends[1]!)];
  for (const [item, who] of commands) {
    const write = modelled(model, item, streamIds);
    const backend = backends[who]!;
    if (write !== null) {
      const outcome = await backend.commit({ expect: [], writes: [write] });
      expect(outcome.isCommitted).toBe(true);
    } else if (item.kind === 'turns') {
      await turns(item.count);
    } else if (item.kind === 'reopen') {
      await backend.close();
      backends[who] = await opened(path, TUNING);
    } else if (item.kind === 'read') {
      const { kind: _kind, ...request } = item;
      await expectSame(backend, model, { streamIds, ...request });
      await expectBounds(backend, model, streamIds);
    }
  }
  for (const backend of backends) {
    await expectSame(backend, model, { streamIds, rowCountMax: 3, isReverse: false });
    await expectSame(backend, model, { streamIds, rowCountMax: 5, isReverse: true });
    await expectBounds(backend, model, streamIds);
    await backend.close();
  }
}

describe('an embedded store', () => {
  test('reads as plain arrays do after any history of two writers that seal and reopen', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(command, fc.integer({ min: 0, max: 1 })), { maxLength: 40 }),
        (commands) => withFolder((path) => runHistory(path, commands)),
      ),
      { numRuns: 100 },
    );
  }, 120_000);
});
