import type { Backend, PageRequest } from '../../backends/backend.ts';
import { type Block, lowerBound, ownBlock, sliceBlock, VALUE_COLUMN } from '../../model/block.ts';
import { Granularity } from '../../model/granularity.ts';
import { rowsFromMs } from '../../model/retention.ts';
import type { StreamRecord, StreamSnapshot } from '../../model/stream.ts';
import { ALL_TIME, TIME_END_MS } from '../../model/time-range.ts';
import type { FeedPosition } from './feed-event.ts';

/** How a stream continues behind a position. */
export type RowsSince =
  /** With these rows, if any. */
  | { readonly kind: 'rows'; readonly block: Block | null; readonly position: FeedPosition }
  /** With more rows than were asked for. */
  | { readonly kind: 'overflow' }
  /** Rows before the position went meanwhile: they were read after a later commit than the record. */
  | { readonly kind: 'gone' };

interface SinceRequest {
  readonly snapshot: StreamSnapshot;
  readonly position: FeedPosition;
}

/** Where raw datapoints end, in the order of the streams; read together. */
export async function readEnds(
  backend: Backend,
  snapshots: readonly StreamSnapshot[],
): Promise<readonly FeedPosition[]> {
  const filled = snapshots.filter(({ latestMs }) => latestMs !== null);
  const ends = new Map<StreamSnapshot, FeedPosition>();
  // The rows of one timestamp are never split: the page has all that are the last ones.
  const requests = filled.map(({ record }) => ({
    ...rawOf(record),
    range: ALL_TIME,
    rowCountMax: 1,
    isReverse: true,
    columns: [],
  }));
  await backend.visitPages(requests, ({ block: { timestamps } }, index) => {
    const snapshot = filled[index]!;
    ends.set(snapshot, endOf(timestamps, snapshot.record));
  });
  return snapshots.map((snapshot) => ends.get(snapshot) ?? endOf([], snapshot.record));
}

/** What comes behind positions, in the order of the streams; read together. */
export async function readSince(
  backend: Backend,
  asked: readonly SinceRequest[],
  rowCountMax: number,
): Promise<readonly RowsSince[]> {
  const found: RowsSince[] = asked.map(({ position }) => ({ kind: 'rows', block: null, position }));
  const filled = [...asked.keys()].filter((index) => asked[index]!.snapshot.latestMs !== null);
  const requests = filled.map((index): PageRequest => {
    const { snapshot, position } = asked[index]!;
    const { latestMs, count } = position;
    const startMs = latestMs ?? ALL_TIME.startMs;
    return {
      ...rawOf(snapshot.record),
      range: { startMs, endMs: TIME_END_MS },
      rowCountMax: rowCountMax + count,
      columns: [VALUE_COLUMN],
    };
  });
  await backend.visitPages(requests, ({ block, rest }, at) => {
    const index = filled[at]!;
    found[index] = rest === null ? rowsBehind(block, asked[index]!) : { kind: 'overflow' };
  });
  return found;
}

/** `block` has all rows of the stream from the position's timestamp on. */
function rowsBehind(block: Block, { snapshot: { record }, position }: SinceRequest): RowsSince {
  const { timestamps } = block;
  const knownCount = position.latestMs === null ? 0 : lowerBound(timestamps, position.latestMs + 1);
  const hasExpired = (position.latestMs ?? 0) < rowsFromMs(record, record.highestGranularity);
  if (knownCount < position.count && !hasExpired) return { kind: 'gone' };
  const skippedCount = Math.min(knownCount, position.count);
  if (skippedCount === timestamps.length) {
    return { kind: 'rows', block: null, position: { ...position, editCount: editCountOf(record) } };
  }
  const rows = ownBlock(sliceBlock(block, skippedCount, timestamps.length));
  return { kind: 'rows', block: rows, position: endOf(timestamps, record) };
}

function endOf(timestamps: Float64Array | readonly number[], record: StreamRecord): FeedPosition {
  const latestMs = timestamps[timestamps.length - 1] ?? null;
  let count = 0;
  while (count < timestamps.length && timestamps[timestamps.length - 1 - count] === latestMs)
    count++;
  return { latestMs, count, editCount: editCountOf(record) };
}

function editCountOf({ edits }: StreamRecord): number {
  return edits?.count ?? 0;
}

function rawOf({
  id,
  highestGranularity,
}: StreamRecord): Pick<PageRequest, 'streamId' | 'granularity'> {
  return { streamId: id, granularity: Granularity.byName(highestGranularity) };
}
