import type { FinishedBucket } from '../downsamplers/level-selection.ts';
import type { DatastreamWarning } from '../exceptions/warnings.ts';
import type { Granularity, GranularityName, GranularityStep } from '../model/granularity.ts';
import type { StreamId, ValueType, ValueTypeOptions } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';

export interface DatastreamOptions {
  /** The only clock. Default: the system's. */
  readonly now?: () => Date;
  /** Takes warnings. Default: `process.emitWarning`. */
  readonly onWarning?: (warning: DatastreamWarning) => void;
  /**
   * For how long a maintenance run that dies keeps other runs from the stream that it was at; renewed at
   * a third of it. A whole number from 1000 on. Default: 120,000.
   */
  readonly leaseDurationMs?: number;
  /**
   * Whether levels follow appends in order: each bucket is stored by the commit that brings the datapoint
   * which completes it. Maintenance still corrects what late data changes. `'unless-bulk'` leaves history that comes
   * in bulk to maintenance, too, where nearly each datapoint has a bucket for itself: such appends are several times
   * as fast. Default: false, levels are computed by `downsampleStreams` alone.
   * @throws {NotSupported} when not false on a store without `supports.liveLevels`.
   */
  readonly liveDownsampling?: boolean | 'unless-bulk';
}

/** A granularity, its name, or units: those without a time zone are in that of the stream. */
export type GivenGranularity = { readonly name: string } | string | GranularityStep;

/** A derive source: the id of a stream, or a stream with a name or a level. */
export type DeriveFrom =
  | string
  | {
      readonly name?: string;
      readonly stream: string;
      /** Default: the source's highest granularity. */
      readonly granularity?: GivenGranularity;
    };

/** All streams with these tags as sources, now and later: of an operator that takes that. */
export interface DeriveQuery {
  readonly query: Tags;
}

/**
 * For how long rows are kept, as text such as `12h`, `30d`, `2w` or `1y` (365 days), or null for ever: `raw` are
 * the raw datapoints, the other keys are names of levels. A level that is not named is kept as long as the
 * nearest finer one that is.
 */
export type RetentionOptions = Readonly<Partial<Record<'raw' | GranularityName, string | null>>>;

export interface StreamDefinition {
  /** Tags beside the query tags. Default: none. */
  readonly tags?: Tags;
  /** Names; their dependencies are added. Empty: the stream is never downsampled. */
  readonly valueDownsamplers: readonly string[];
  /** One of `Granularity.values`, or `milliseconds`. */
  readonly highestGranularity: { readonly name: string } | string;
  /** An IANA name, such as `Europe/Paris`: of the levels asked for. Default: UTC. */
  readonly timeZone?: string;
  /**
   * Levels beside those in `Granularity.values`, such as `months` or `{ every: 15, unit: 'minutes' }`, in the
   * stream's time zone. Default: none.
   * @throws {UnsupportedGranularity} on a store without `supports.extraLevels`.
   */
  readonly levels?: readonly GivenGranularity[];
  /** Default: `numeric`. */
  readonly valueType?: ValueType;
  readonly valueTypeOptions?: ValueTypeOptions;
  readonly deriveFrom?: DeriveFrom | readonly DeriveFrom[] | DeriveQuery;
  readonly deriveOp?: string;
  readonly deriveArgs?: Readonly<Record<string, unknown>>;
  /** false: only source datapoints newer than the sources' latest at creation count. Default: true. */
  readonly deriveBackprocess?: boolean;
  /** Default: everything is kept for ever. */
  readonly retention?: RetentionOptions | null;
}

/** What is to become of a stream. What is absent stays as it is. */
export interface StreamChanges {
  /**
   * The names that the stream is to have, or those to add and those to drop; dependencies are added. None: its
   * levels go.
   */
  readonly valueDownsamplers?:
    | readonly string[]
    | { readonly add?: readonly string[]; readonly drop?: readonly string[] };
  /** The levels beside those that every stream has: all that it is to have, or those to add and those to drop. */
  readonly levels?:
    | readonly GivenGranularity[]
    | { readonly add?: readonly GivenGranularity[]; readonly drop?: readonly GivenGranularity[] };
  /** An IANA name: of these levels. Only for a stream that keeps none of another zone. */
  readonly timeZone?: string;
  /** Seconds for which a value is held, at most; null: until the next datapoint. */
  readonly heartbeat?: number | null;
  readonly deriveFrom?: DeriveFrom | readonly DeriveFrom[] | DeriveQuery;
  readonly deriveOp?: string;
  /** Default, with another `deriveOp`: none. */
  readonly deriveArgs?: Readonly<Record<string, unknown>>;
  /** With `deriveFrom`; false: only source datapoints newer than the sources' latest count. Default: true. */
  readonly deriveBackprocess?: boolean;
  /** In the place of what was said before; null: everything that is there is kept for ever. */
  readonly retention?: RetentionOptions | null;
}

/** What `getStream` tells about a stream. */
export interface Stream {
  readonly id: StreamId;
  /** Another one after every commit that touches the stream: its datapoints, its levels, or what it is. */
  readonly version: string;
  readonly tags: Tags;
  readonly valueType: ValueType;
  readonly valueTypeOptions: ValueTypeOptions;
  readonly valueDownsamplers: readonly string[];
  readonly timeDownsamplers: readonly string[];
  readonly highestGranularity: Granularity;
  /** All levels, from the finest to the coarsest. */
  readonly levels: readonly Granularity[];
  /** Of the levels that were asked for; `UTC` unless another one was. */
  readonly timeZone: string;
  readonly earliestDatapoint: Date | null;
  readonly latestDatapoint: Date | null;
  /** Per level, the exclusive end of what is downsampled; null before the first bucket. */
  readonly downsampledUntil: Readonly<Partial<Record<GranularityName, Date | null>>>;
  readonly derivedFrom: {
    readonly op: string;
    readonly args: Readonly<Record<string, unknown>>;
    /** Empty where there is a query: `findStreams` gives them. */
    readonly sources: readonly {
      readonly name: string | null;
      readonly stream: StreamId;
      readonly granularity: Granularity;
    }[];
    readonly query?: Tags;
  } | null;
  readonly contributesTo: readonly {
    readonly streamId: StreamId;
    readonly op: string;
    readonly args: Readonly<Record<string, unknown>>;
  }[];
  readonly pendingBackprocess: boolean;
  /** Null: everything is kept for ever. */
  readonly retention: RetentionOptions | null;
  /** By granularity, the highest included, until when datapoints and buckets have expired. */
  readonly expiredUntil: Readonly<Partial<Record<GranularityName, Date>>>;
}

/** On the highest granularity. */
export interface RawDatapoint {
  readonly t: Date;
  readonly v: unknown;
}

/** A bucket of a lower level: letters of time and value downsamplers. */
export type DownsampledDatapoint = FinishedBucket;

export interface Datapoint {
  // biome-ignore lint/suspicious/noExplicitAny: shape depends on the level and the stream's value type, which only the caller knows
  readonly t: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly v: any;
  /** With the option of that name: the bucket was computed for this read, being stale or not complete. */
  readonly live?: true;
  /** With the option `fallback`: of what granularity it is. */
  readonly granularity?: Granularity;
}

export interface AppendOptions {
  /**
   * false: a datapoint older than the stream's latest is accepted and corrects levels and derived streams. `newer`:
   * one at the same timestamp as the latest is refused, too, so that what was stored before is not stored again.
   * Default: true, an older one is refused.
   */
  readonly checkTimestamp?: boolean | 'newer';
  /**
   * By the id of a stream that is appended to, the `version` that it must still have, as `getStream` told it: when it
   * has changed since, nothing is stored, and the append is refused with `STREAM_APPEND_CONTENDED`. Default: any.
   */
  readonly expectVersions?: Readonly<Record<string, string>>;
}

export interface AppendedDatapoint {
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  readonly datapoint: Datapoint;
}

/** Exactly one start, at most one end. Mostly datapoints have timestamps of whole seconds. */
export interface TimeBounds {
  readonly start?: Date | number;
  readonly startExclusive?: Date | number;
  /** Included. */
  readonly end?: Date | number;
  readonly endExclusive?: Date | number;
}

/** What `replaceData` puts in: a list, or columns of the same length (NaN = null in a `Float64Array`). */
export type ReplacingData =
  | readonly { readonly timestamp: Date | number; readonly value: unknown }[]
  | { readonly timestamps: Float64Array; readonly values: Float64Array | readonly unknown[] };

/** Which points are left of many. */
export interface Thinning {
  /** How many, at most; from 2 on. */
  readonly points: number;
  /**
   * `lttb` keeps the shape of a series of numbers; `even` takes points at equal distances. Default: `lttb`.
   */
  readonly method?: 'lttb' | 'even';
  /** On a level: the value downsampler whose shape counts. Default: the first that is read of those with numbers. */
  readonly by?: string;
}

export interface DataRange extends TimeBounds {
  readonly reverse?: boolean;
  /**
   * On a level: gives buckets that are stale or not complete, too, as they are right now, and marks them. Default:
   * only those that maintenance has computed, as it left them.
   */
  readonly live?: boolean;
  /**
   * Picks the finest granularity that has at most so many points in the range, and leaves out points where even
   * the coarsest has more. Only where no granularity is named; then the start may be left out, too.
   */
  readonly maxPoints?: number;
  /** Leaves out points. Default: all are given. */
  readonly thin?: Thinning;
  /**
   * Where the granularity has expired, the finest level that still has the time answers, and each datapoint says
   * of what granularity it is. Default: there is nothing where it has expired.
   */
  readonly fallback?: boolean;
  /**
   * On a level: what buckets without data show in the place of null. `previous`: the values of the bucket with
   * data before them; `linear`: those on the line between the buckets with data around them; a number: that
   * number. Default: `null`. Sums and counts, which no other bucket tells, are filled by a number alone, counts
   * not at all.
   */
  readonly fill?: 'null' | 'previous' | 'linear' | number;
  /** Names; limits the letters of `v`, and an empty list drops `v`. */
  readonly valueDownsamplers?: readonly string[];
  readonly timeDownsamplers?: readonly string[];
}

/** Datapoints as columns: row i of each. */
export interface DatapointColumns {
  /** Epoch milliseconds: of the datapoints, or the starts of the buckets. */
  readonly timestamps: Float64Array;
  /** On the highest granularity: the values (NaN = null in a `Float64Array`). */
  readonly values?: Float64Array | readonly unknown[];
  /** On a lower one: value downsampler columns by letter. */
  readonly v?: Readonly<Record<string, Float64Array | readonly unknown[]>>;
  /** On a lower one: time downsampler columns by letter: epoch milliseconds, or seconds for interval statistics. */
  readonly t?: Readonly<Record<string, Float64Array>>;
  /** With the option `live`, on a lower one: 1 where the bucket was computed for this read, 0 elsewhere. */
  readonly live?: Uint8Array;
  /** With the option `fallback`: of what granularity they are. */
  readonly granularity?: Granularity;
}

export interface MaintenanceProgress {
  /** Streams finished so far, of how many. */
  readonly streamCount: number;
  readonly streamCountTotal: number;
  /** Rows (buckets and derived datapoints) written so far. */
  readonly rowCount: number;
}

export interface BackprocessOptions {
  readonly queryTags?: Tags;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: MaintenanceProgress) => void;
  /**
   * Streams worked on at once. Default: 8; on a store in this process, where they share commits, a fifth of
   * all, at least 8 and at most 256.
   */
  readonly concurrency?: number;
  /**
   * Only the streams of this part of all streams: `index` from 0, below `count`. Each stream belongs to one
   * part by a hash of its id. Runs on one store share its streams without this, too.
   */
  readonly shard?: { readonly index: number; readonly count: number };
}

export interface DownsampleOptions extends BackprocessOptions {
  /** Only buckets that end at or before it. Default: now. */
  readonly until?: Date | number;
  readonly returnDatapoints?: boolean;
  readonly filterStream?: (stream: Stream) => boolean;
}

export interface CopyOptions {
  /** Only streams with these tags. What they derive from must be among them. */
  readonly queryTags?: Tags;
  /** Streams copied at once. Default: 8. */
  readonly concurrency?: number;
  /** Leave out what the target cannot hold, with all that derives from it. Default: refuse everything. */
  readonly skipUnsupported?: boolean;
  /** Stops between commits, and rejects with its reason; the next call goes on there. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CopyProgress) => void;
}

export interface CopyProgress {
  /** Streams that the target has as the source has them, of how many. */
  readonly streamCount: number;
  readonly streamCountTotal: number;
  /** Rows (datapoints and buckets) written by this call so far. */
  readonly rowCount: number;
}

export interface CopyReport {
  /** Streams that the target has now. */
  readonly streamCount: number;
  /** Of those, the ones that were not there, or not complete, before this call. */
  readonly copiedCount: number;
  readonly rowCount: number;
  /** Left out by `skipUnsupported`, in creation order. */
  readonly unsupported: readonly UnsupportedStream[];
}

/** A stream that the target cannot hold. */
export interface UnsupportedStream {
  readonly streamId: StreamId;
  readonly tags: Tags;
  /** What the target lacks, as in "high accuracy"; at least one. */
  readonly reasons: readonly string[];
}

export interface StatusOptions {
  readonly queryTags?: Tags;
  /** As of a maintenance run with this `until`. Default: now. */
  readonly until?: Date | number;
}

/** A range of time whose results are not computed, or not what their inputs give any more. */
export interface StaleRange {
  readonly start: Date;
  /** Excluded. */
  readonly end: Date;
}

/** What maintenance has to do for a stream. */
export interface StreamStatus {
  readonly streamId: StreamId;
  readonly tags: Tags;
  /** Whether it derives from history that was never processed: `backprocessStreams` does it. */
  readonly pendingBackprocess: boolean;
  /** By granularity, until when datapoints and buckets have expired. */
  readonly expiredUntil: Stream['expiredUntil'];
  /** Of a derived stream: where its inputs have changed. */
  readonly derived: readonly StaleRange[];
  /** From the finest; levels without work are left out. `bucketCount` counts buckets without data, too. */
  readonly levels: readonly {
    readonly granularity: Granularity;
    readonly ranges: readonly StaleRange[];
    readonly bucketCount: number;
  }[];
  /** Start of the oldest stale range; null when there is none. */
  readonly oldest: Date | null;
  /** Buckets to compute, on all levels together. */
  readonly bucketCount: number;
}

export interface VerifyOptions {
  readonly queryTags?: Tags;
  /** Computes anew what differs, and verifies that again. Default: false, only read. */
  readonly repair?: boolean;
  /** Only the streams of this part of all streams, as maintenance has them. */
  readonly shard?: BackprocessOptions['shard'];
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { streamCount: number; streamCountTotal: number }) => void;
  readonly onDifference?: (difference: Difference) => void;
}

/** A stored bucket or derived datapoint that is not what its sources give. */
export interface Difference {
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  readonly timestamp: Date;
  /** Stored and recomputed row, as JSON; null where one of them is missing. */
  readonly stored: unknown;
  readonly expected: unknown;
}

export interface VerifyReport {
  readonly streamCount: number;
  readonly bucketCount: number;
  readonly derivedCount: number;
  readonly differenceCount: number;
  /** Differences that `repair` has mended; they are not among `differenceCount`. */
  readonly repairedCount: number;
  /** Ranges left out because they are stale: the next maintenance run computes them. */
  readonly staleRangeCount: number;
}
