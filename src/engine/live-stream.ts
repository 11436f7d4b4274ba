import { Granularity } from '../model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import { TIME_END_MS } from '../model/time-range.ts';
import { type ValueCodec, valueCodecOf } from '../model/value.ts';

/** What this process believes about a stream, kept up to date by its own commits. */
export class LiveStream {
  record!: StreamRecord;
  revision!: number | string;
  version!: number | string;
  earliestMs: number | null = null;
  latestMs: number | null = null;
  codec!: ValueCodec;
  highest!: Granularity;
  /** Streams that derive from this one's raw datapoints. */
  rawDependents!: readonly StreamId[];
  /** The record may have changed: read it again before building on it. */
  isDirty = false;
  /** The last batch that took rows for this stream, and the extent of their timestamps. */
  stagedBatch = 0;
  stagedEarliestMs = 0;
  stagedLatestMs = 0;
  /** The last batch that has this stream in a plain tick, and the last tick that had it at all. */
  tickedBatch = 0;
  tickMark = 0;

  constructor(snapshot: StreamSnapshot) {
    this.adopt(snapshot);
  }

  get streamId(): StreamId {
    return this.record.id;
  }

  adopt(snapshot: StreamSnapshot): void {
    this.adoptRecord(snapshot.record);
    this.revision = snapshot.revision;
    this.version = snapshot.version;
    this.earliestMs = snapshot.earliestMs;
    this.latestMs = snapshot.latestMs;
    this.isDirty = false;
  }

  adoptRecord(record: StreamRecord): void {
    this.record = record;
    this.codec = valueCodecOf(record);
    this.highest = Granularity.byName(record.highestGranularity);
    this.rawDependents = record.dependents
      .filter(({ granularity }) => granularity === record.highestGranularity)
      .map(({ streamId }) => streamId);
  }
}

/** How far below streams with datapoints of their own it lies in the dependency graph: 0 is one of them. */
export function depthOf({ derivation }: StreamRecord): number {
  return derivation?.depth ?? 0;
}

/** Whether history is still to be processed: staleness without an end. */
export function isPendingBackprocess(record: StreamRecord): boolean {
  return record.stale.at(-1)?.endMs === TIME_END_MS;
}
