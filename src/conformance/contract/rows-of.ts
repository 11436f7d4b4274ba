import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type {
  Backend,
  Commit,
  GroupedCommit,
  PageRequest,
  ReplaceWrite,
  SkippedRows,
} from '../../backends/backend.ts';
import { type Block, type Column, rawBlock } from '../../model/block.ts';
import { Granularity, lowerGranularities } from '../../model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../../model/stream.ts';
import type { Tags } from '../../model/tags.ts';
import { ALL_TIME, isEmptyRange, type TimeRange } from '../../model/time-range.ts';
import { assertCode, BASE_MS } from '../fixture.ts';

/** One row of a page: epoch milliseconds, then the columns by name, with null for no data. */
export type Row = readonly [number, Readonly<Record<string, unknown>>];

/** A record of a new numeric stream with the tags. */
export function newRecord(tags: Tags, changes: Partial<StreamRecord> = {}): StreamRecord {
  return {
    id: randomUUID() as string as StreamId,
    tags,
    valueType: 'numeric',
    valueTypeOptions: {},
    valueDownsamplers: ['mean', 'sum', 'count'],
    highestGranularity: 'seconds',
    derivation: null,
    dependents: [],
    stale: [],
    levels: Object.fromEntries(
      lowerGranularities('seconds').map(({ name }) => [name, { untilMs: null, stale: [] }]),
    ),
    ...changes,
  };
}

/** Stores a new stream and returns its id. */
export async function createStream(
  backend: Backend,
  tags: Tags,
  changes: Partial<StreamRecord> = {},
): Promise<StreamId> {
  const record = newRecord(tags, changes);
  await commit(backend, { expect: [], create: [{ record }] });
  return record.id;
}

/** Stores rows of a level; false after asserting the refusal where the server computes levels itself. */
export async function putLevel(backend: Backend, write: ReplaceWrite): Promise<boolean> {
  const changes: Commit = { expect: [], writes: [write] };
  if (backend.supports.levels === 'stored') {
    await commit(backend, changes);
    return true;
  }
  const before = await snapshotOf(backend, write.streamId);
  await assertCode(() => backend.commit(changes), 'NOT_SUPPORTED');
  assert.deepEqual(await snapshotOf(backend, write.streamId), before);
  return false;
}

/** Commits what must not conflict, and returns the version. */
export async function commit(backend: Backend, changes: GroupedCommit): Promise<number | string> {
  const outcome = await backend.commit(changes);
  assert(outcome.isCommitted, 'the commit has no conflict');
  return outcome.version;
}

/** A block of raw rows at so many seconds after `BASE_MS`. */
export function block(seconds: readonly number[], values: Column): Block {
  return rawBlock(
    Float64Array.from(seconds, (second) => BASE_MS + second * 1000),
    values,
  );
}

export async function append(
  backend: Backend,
  streamId: StreamId,
  rows: readonly (readonly [number, number])[],
): Promise<void> {
  const seconds = rows.map(([second]) => second);
  const values = Float64Array.from(rows, ([, value]) => value);
  await commit(backend, {
    expect: [],
    writes: [
      {
        kind: 'append',
        streamId,
        granularity: Granularity.Seconds,
        block: block(seconds, values),
      },
    ],
  });
}

export async function snapshotOf(backend: Backend, streamId: StreamId): Promise<StreamSnapshot> {
  const [snapshot] = await backend.readStreams([streamId]);
  assert(snapshot !== null && snapshot !== undefined, 'the stream exists');
  return snapshot;
}

export type PagesOptions = Partial<Omit<PageRequest, 'streamId'>>;

/** Reads all pages, in the order in which they came, and checks the rules of paging. */
export async function readPages(
  backend: Backend,
  streamId: StreamId,
  options: PagesOptions = {},
): Promise<Row[][]> {
  const isReverse = options.isReverse ?? false;
  const pages: Row[][] = [];
  let range: TimeRange | null = options.range ?? ALL_TIME;
  while (range !== null && !isEmptyRange(range)) {
    const asked: TimeRange = range;
    const page = await backend.readPage({
      granularity: Granularity.Seconds,
      rowCountMax: 1000,
      ...options,
      streamId,
      range: asked,
    });
    const rows = rowsOf(page.block);
    assertPage(rows, { asked, rest: page.rest, isReverse });
    pages.push(rows);
    range = page.rest;
  }
  return pages;
}

/** As `readRows`, once, while others may write. */
export async function readRowsMeanwhile(
  backend: Backend,
  streamId: StreamId,
  options: PagesOptions,
): Promise<Row[]> {
  const pages = await readPages(backend, streamId, options);
  return (options.isReverse ? pages.reverse() : pages).flat();
}

/** All rows of the range, ascending, which every way of reading gives alike. Nobody may write meanwhile. */
export async function readRows(
  backend: Backend,
  streamId: StreamId,
  options: PagesOptions = {},
): Promise<Row[]> {
  const rows = await readRowsMeanwhile(backend, streamId, options);
  await assertReadAtOnce(backend, streamId, options, rows);
  for (const isReverse of [false, true]) {
    for (const rowCountMax of [Math.floor(rows.length / 3), Number.POSITIVE_INFINITY]) {
      await assertSkips(backend, streamId, { ...options, rowCountMax, isReverse }, rows);
    }
  }
  return rows;
}

/** Checks that rows that are passed over, and those of the rest, are all that there are. */
async function assertSkips(
  backend: Backend,
  streamId: StreamId,
  {
    granularity = Granularity.Seconds,
    range = ALL_TIME,
    rowCountMax,
    isReverse,
  }: PagesOptions & { readonly rowCountMax: number; readonly isReverse: boolean },
  rows: readonly Row[],
): Promise<void> {
  let skippedCount = 0;
  let rest: TimeRange | null = range;
  while (rest !== null) {
    const left = rowCountMax - skippedCount;
    const request = { streamId, granularity, range: rest, rowCountMax: left, isReverse };
    const skipped: SkippedRows = await backend.skipRows(request);
    assert(skipped.rowCount <= left, 'no more is passed over than was asked for');
    skippedCount += skipped.rowCount;
    const isSame = skipped.rest?.startMs === rest.startMs && skipped.rest.endMs === rest.endMs;
    rest = skipped.rest;
    if (isSame) break;
  }
  if (rowCountMax === Number.POSITIVE_INFINITY) {
    assert.deepEqual([skippedCount, rest], [rows.length, null]);
    return;
  }
  const wanted = isReverse ? rows.slice(0, rows.length - skippedCount) : rows.slice(skippedCount);
  const { startMs, endMs } = rest ?? { startMs: 0, endMs: 0 };
  const left = rows.filter(([ms]) => ms >= startMs && ms < endMs);
  assert.deepEqual(left, wanted);
}

/** Checks that a read of the whole range at once gives what its pages gave. */
async function assertReadAtOnce(
  backend: Backend,
  streamId: StreamId,
  { granularity = Granularity.Seconds, range = ALL_TIME, columns }: PagesOptions,
  rows: readonly Row[],
): Promise<void> {
  const request = { streamId, granularity, range, ...(columns && { columns }) };
  const atOnce = rowsOf(await backend.readRows(request));
  // A page may lack a column that is null in all of its rows.
  const names = new Set([...rows, ...atOnce].flatMap(([, row]) => Object.keys(row)));
  const filled = ([ms, row]: Row) => [ms, ...[...names].map((name) => row[name] ?? null)];
  assert.deepEqual(atOnce.map(filled), rows.map(filled));
}

type RawRows = (readonly [number, unknown])[];

/** Raw rows as `[seconds after BASE_MS, value]`, ascending. */
export async function readRaw(
  backend: Backend,
  streamId: StreamId,
  options: PagesOptions = {},
): Promise<RawRows> {
  return rawOf(await readRows(backend, streamId, options));
}

/** As `readRaw`, once, while others may write. */
export async function readRawMeanwhile(backend: Backend, streamId: StreamId): Promise<RawRows> {
  return rawOf(await readRowsMeanwhile(backend, streamId, {}));
}

function rawOf(rows: readonly Row[]): RawRows {
  return rows.map(([ms, { v }]) => [(ms - BASE_MS) / 1000, v] as const);
}

function rowsOf({ timestamps, columns }: Block): Row[] {
  for (const column of Object.values(columns)) {
    assert.equal(column.length, timestamps.length, 'columns are as long as the timestamps');
  }
  return Array.from(timestamps, (ms, row) => [
    ms,
    Object.fromEntries(Object.entries(columns).map(([name, c]) => [name, cell(c[row])])),
  ]);
}

function cell(value: unknown): unknown {
  return Number.isNaN(value) ? null : value;
}

function assertPage(
  rows: readonly Row[],
  page: { asked: TimeRange; rest: TimeRange | null; isReverse: boolean },
): void {
  const { asked, rest, isReverse } = page;
  for (let row = 1; row < rows.length; row++) {
    assert(rows[row]![0] >= rows[row - 1]![0], 'rows of a page ascend, reversed or not');
  }
  const read: TimeRange = {
    startMs: isReverse ? (rest?.endMs ?? asked.startMs) : asked.startMs,
    endMs: isReverse ? asked.endMs : (rest?.startMs ?? asked.endMs),
  };
  for (const [ms] of rows) {
    assert(ms >= read.startMs && ms < read.endMs, 'rows lie in the range and not in the rest');
  }
  if (rest === null) return;
  assert(!isEmptyRange(rest), 'a rest is not empty');
  assert(!isEmptyRange(read), 'each page makes headway');
  if (isReverse) assert.equal(rest.startMs, asked.startMs);
  else assert.equal(rest.endMs, asked.endMs);
}
