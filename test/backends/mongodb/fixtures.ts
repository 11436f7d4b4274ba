import { expect } from '@jest/globals';
import type { Backend, PageRequest, Write } from '../../../src/backends/backend.ts';
import {
  MongodbBackend,
  type MongodbBackendOptions,
} from '../../../src/backends/mongodb/mongodb-backend.ts';
import { newRecord } from '../../../src/conformance/contract/rows-of.ts';
import { type Block, concatBlocks, rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId, StreamRecord } from '../../../src/model/stream.ts';
import type { Tags } from '../../../src/model/tags.ts';
import { ALL_TIME, type TimeRange } from '../../../src/model/time-range.ts';

/** Everything small, and nothing kept longer than needed: short histories go through every step. */
export const TINY: MongodbBackendOptions = {
  entryCountMax: 3,
  // Without any time between applying and removal, one process at a time has to do it.
  urgentEntryCount: Number.POSITIVE_INFINITY,
  rawTailRowCountMax: 4,
  levelTailRowCountMax: 3,
  rawBlockRowCount: 4,
  levelBlockRowCount: 3,
  deletionDelayMs: 0,
  stateCountMax: 1,
};

export async function opened(
  url: string,
  options: MongodbBackendOptions = {},
): Promise<MongodbBackend> {
  const backend = new MongodbBackend(url, options);
  await backend.open();
  return backend;
}

export function numericRecord(tags: Tags = {}): StreamRecord {
  return newRecord(tags, { valueDownsamplers: [], levels: {} });
}

export async function createStream(backend: Backend, tags: Tags = {}): Promise<StreamId> {
  const record = numericRecord(tags);
  const outcome = await backend.commit({ expect: [], create: [{ record }] });
  expect(outcome.isCommitted).toBe(true);
  return record.id;
}

export type Row = readonly [number, number];

export function blockOf(rows: readonly Row[]): Block {
  return rawBlock(
    Float64Array.from(rows, ([timestampMs]) => timestampMs),
    Float64Array.from(rows, ([, value]) => value),
  );
}

export function appendOf(streamId: StreamId, rows: readonly Row[]): Write {
  return { kind: 'append', streamId, granularity: Granularity.Seconds, block: blockOf(rows) };
}

export async function append(
  backend: Backend,
  streamId: StreamId,
  rows: readonly Row[],
): Promise<void> {
  const outcome = await backend.commit({ expect: [], writes: [appendOf(streamId, rows)] });
  expect(outcome.isCommitted).toBe(true);
}

/** All rows of a level, page by page; checks that no page splits a timestamp. */
export async function readRows(
  backend: Backend,
  streamId: StreamId,
  request: Partial<PageRequest> = {},
): Promise<readonly (readonly [number, unknown])[]> {
  const pages: Block[] = [];
  let range: TimeRange | null = request.range ?? ALL_TIME;
  while (range !== null) {
    const page = await backend.readPage({
      streamId,
      granularity: Granularity.Seconds,
      rowCountMax: 1000,
      ...request,
      range,
    });
    const { rest } = page;
    const isSplit = page.block.timestamps.some(
      (t) => rest !== null && t >= rest.startMs && t < rest.endMs,
    );
    expect(isSplit).toBe(false);
    pages.push(page.block);
    range = rest;
  }
  const { timestamps, columns } = concatBlocks(request.isReverse ? pages.reverse() : pages);
  return Array.from(timestamps, (timestampMs, i) => [timestampMs, columns['v']![i]]);
}
