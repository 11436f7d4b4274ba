import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Backend, PageRequest } from '../../../src/backends/backend.ts';
import {
  EmbeddedBackend,
  type EmbeddedBackendOptions,
} from '../../../src/backends/embedded/embedded-backend.ts';
import { newRecord } from '../../../src/conformance/contract/rows-of.ts';
import { type Block, concatBlocks, rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId, StreamRecord } from '../../../src/model/stream.ts';
import type { Tags } from '../../../src/model/tags.ts';
import { ALL_TIME, type TimeRange } from '../../../src/model/time-range.ts';

/** Runs an action with a fresh folder, which is removed afterwards. */
export async function withFolder<T>(action: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), 'datastream-embedded-'));
  try {
    return await action(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

export async function opened(
  path: string,
  options: EmbeddedBackendOptions = {},
): Promise<EmbeddedBackend> {
  const backend = new EmbeddedBackend(path, options);
  await backend.open();
  return backend;
}

export function numericRecord(tags: Tags = {}): StreamRecord {
  return newRecord(tags, { valueDownsamplers: [], levels: {} });
}

export async function createStream(backend: Backend, tags: Tags = {}): Promise<StreamId> {
  const record = numericRecord(tags);
  await backend.commit({ expect: [], create: [{ record }] });
  return record.id;
}

export async function append(
  backend: Backend,
  streamId: StreamId,
  rows: readonly (readonly [number, number])[],
): Promise<void> {
  const block = rawBlock(
    Float64Array.from(rows, ([timestampMs]) => timestampMs),
    Float64Array.from(rows, ([, value]) => value),
  );
  await backend.commit({
    expect: [],
    writes: [{ kind: 'append', streamId, granularity: Granularity.Seconds, block }],
  });
}

/** Reads a level page by page; checks that no page splits a timestamp or breaks the order. */
export async function readAll(
  backend: Backend,
  streamId: StreamId,
  request: Partial<PageRequest> = {},
): Promise<Block> {
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
    const { timestamps } = page.block;
    if (page.rest !== null && timestamps.length === 0) throw new Error('an empty page has no rest');
    if (timestamps.some((t) => page.rest && t >= page.rest.startMs && t < page.rest.endMs)) {
      throw new Error('a page splits the rows of a timestamp');
    }
    pages.push(page.block);
    range = page.rest;
  }
  return concatBlocks(request.isReverse ? pages.reverse() : pages);
}

export function rowsOf(block: Block, column = 'v'): [number, unknown][] {
  return Array.from(block.timestamps, (timestampMs, i) => [timestampMs, block.columns[column]![i]]);
}

/** Gives the setImmediate callbacks of sealing their turns. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}

/** Whole numbers below a limit, the same ones in each run. */
export function randomSource(): (limit: number) => number {
  let state = 1;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >>> 12) % limit;
  };
}
