import assert from 'node:assert/strict';
import { Datastream } from '../../src/api/datastream.ts';
import type { Backend } from '../../src/backends/backend.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId, StreamSnapshot } from '../../src/model/stream.ts';
import { ALL_TIME } from '../../src/model/time-range.ts';

const BASE_MS: number = Date.UTC(2024, 0, 1);

/** The instant so many seconds after `BASE_MS`. */
export function at(second: number): number {
  return BASE_MS + second * 1000;
}

/** Later than everything that the tests store. */
const NEVER: Date = new Date(at(1e8));

export function engineOn(backend: Backend): Datastream {
  return new Datastream(backend, {
    now: () => NEVER,
    onWarning: (warning) => {
      // A step without a meaningful output belongs to the data; anything else is a failure.
      assert.equal(warning.code, 'INVALID_VALUE_WARNING', String(warning.cause ?? warning));
    },
  });
}

const NUMERIC = {
  valueDownsamplers: ['mean', 'min', 'max', 'std_dev', 'median'],
  highestGranularity: 'seconds',
} as const;

/** Ids by name of the streams of `fill`. */
export type Filled = Readonly<Record<string, StreamId>>;

/**
 * Streams of every kind: downsampled, late data before and after maintenance, derived (also from levels
 * and without history), pending history, high accuracy, groups, nominal, graph, empty, never downsampled.
 */
export async function fill(backend: Backend, rowCount = 400): Promise<Filled> {
  const datastream = engineOn(backend);
  const ids: Record<string, StreamId> = {};
  const ensure = async (name: string, definition: object = {}): Promise<StreamId> => {
    ids[name] = await datastream.ensureStream(
      { name },
      { tags: { site: { room: 12 } }, ...NUMERIC, ...definition },
    );
    return ids[name];
  };
  const a = await ensure('a');
  const b = await ensure('b');
  const rate = await ensure('rate', { deriveFrom: a, deriveOp: 'derivative' });
  await ensure('sum', { deriveFrom: [a, b], deriveOp: 'sum' });
  await ensure('both', { deriveFrom: [a, rate], deriveOp: 'sum' });
  const level = { stream: b, granularity: '10seconds' };
  await ensure('level', {
    highestGranularity: '10seconds',
    deriveFrom: level,
    deriveOp: 'sum',
  });
  const exact = await ensure('exact', { valueTypeOptions: { highAccuracy: true } });
  const kind = await ensure('kind', {
    valueType: 'nominal',
    valueDownsamplers: ['most_often', 'frequencies'],
  });
  const graph = await ensure('graph', { valueType: 'graph', valueDownsamplers: ['count'] });
  const raw = await ensure('raw', { valueDownsamplers: [] });
  const group = await ensure('group', { valueDownsamplers: ['mean'] });
  await ensure('empty');
  for (const id of [a, b, raw]) await numbers(datastream, id, { from: 0, to: rowCount });
  for (let second = 0; second < 60; second++) {
    const exactValue = 2n ** 80n + BigInt(second);
    await datastream.append(exact, exactValue, at(second));
    await datastream.append(kind, ['x', { y: 1 }, null, 2][second % 4], at(second));
    await datastream.append(graph, { v: [{ i: second }], e: [] }, at(second));
    await datastream.append(group, { c: 2, s: second, m: second / 2 }, at(second));
    await datastream.append(raw, -second, at(rowCount));
  }
  await datastream.append(a, 5, at(10), { checkTimestamp: false });
  await datastream.downsampleStreams();
  await datastream.append(b, 7, at(20), { checkTimestamp: false });
  await ensure('pending', { deriveFrom: a, deriveOp: 'sum' });
  await ensure('young', { deriveFrom: a, deriveOp: 'sum', deriveBackprocess: false });
  await numbers(datastream, a, { from: rowCount, to: rowCount + 50 });
  return ids;
}

async function numbers(
  datastream: Datastream,
  streamId: StreamId,
  { from, to }: { from: number; to: number },
): Promise<void> {
  const timestamps = Float64Array.from({ length: to - from }, (_, i) => at(from + i));
  const values = Float64Array.from(timestamps, (_, i) => ((from + i) * 7919) % 1000);
  await datastream.appendColumns(streamId, { timestamps, values });
}

export async function snapshots(backend: Backend): Promise<readonly StreamSnapshot[]> {
  return backend.queryStreams({ tags: {}, limit: 10_000 });
}

/** Everything that a store says about its streams: records, extents and the rows of every level. */
export async function contentsOf(backend: Backend): Promise<readonly unknown[]> {
  const contents: unknown[] = [];
  for (const { record, earliestMs, latestMs } of await snapshots(backend)) {
    const levels: Record<string, unknown> = {};
    for (const granularity of Granularity.values) {
      const request = { streamId: record.id, granularity, range: ALL_TIME, rowCountMax: 1e7 };
      const { block } = await backend.readPage(request);
      if (block.timestamps.length === 0) continue;
      const columns = Object.entries(block.columns).map(
        ([name, column]) => [name, [...column].map(textOf)] as const,
      );
      columns.sort(([x], [y]) => (x < y ? -1 : 1));
      levels[granularity.name] = { timestamps: [...block.timestamps], columns };
    }
    contents.push({ record, earliestMs, latestMs, levels });
  }
  return contents;
}

/** By bits: −0 is not 0. */
function textOf(value: unknown): string {
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'number' && Number.isNaN(value) ? 'null' : JSON.stringify(value);
}

/** Nothing is to be seen of a copy that was going on, and all is what its sources give. */
export async function assertClean(backend: Backend): Promise<void> {
  const datastream = engineOn(backend);
  const differences: unknown[] = [];
  const onDifference = (difference: unknown) => differences.push(difference);
  await datastream.verify({ onDifference });
  assert.deepEqual(differences, []);
  for (const { record } of await snapshots(backend)) {
    assert(!JSON.stringify(record.tags).includes('copy'), 'no marker is left');
  }
}

/** Maintenance until nothing is left to do, and then no difference. */
export async function assertSettles(backend: Backend): Promise<void> {
  const datastream = engineOn(backend);
  for (let round = 0; round < 4; round++) {
    await datastream.backprocessStreams();
    await datastream.downsampleStreams();
  }
  await assertClean(backend);
  const { staleRangeCount } = await datastream.verify();
  assert.equal(staleRangeCount, 0);
}
