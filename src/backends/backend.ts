import type { Block } from '../model/block.ts';
import type { Granularity } from '../model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import type { Tags } from '../model/tags.ts';
import type { TimeRange } from '../model/time-range.ts';
import type { BackendManifest } from './manifest.ts';

/** What a commit was computed from. The commit takes effect only while all of it still holds. */
export interface Expectation {
  readonly streamId: StreamId;
  /** The record's revision; not checked when absent. */
  readonly revision?: number | string;
  /** The stream's version; not checked when absent. */
  readonly version?: number | string;
}

/** Adds raw rows. They may be older than stored ones and go after stored rows of the same timestamp. */
export interface AppendWrite {
  readonly kind: 'append';
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  /** At least one row. */
  readonly block: Block;
}

/**
 * Among the values of a tick: the stream has no row at that instant, which is not the same as a null. No
 * stored value is infinite.
 */
export const NO_ROW: number = Number.POSITIVE_INFINITY;

/** Adds one raw numeric row to each of many streams, at one timestamp that is old for none of them. */
export interface TickWrite {
  readonly kind: 'tick';
  readonly timestampMs: number;
  /**
   * No duplicates; row i of `values` (NaN = null, `NO_ROW` = nothing) belongs to stream i. Never written to
   * again: giving the same array tick after tick lets a store keep what it found out about the streams.
   */
  readonly streamIds: readonly StreamId[];
  readonly values: Float64Array;
}

/**
 * Adds buckets to the end of a level of one stream and moves the level's watermark. The record gets a new
 * revision, as if it had been updated. Only where the manifest has `liveLevels`.
 */
export interface AdvanceWrite {
  readonly kind: 'advance';
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  /** Behind every row of the level, before `untilMs`; may be empty. */
  readonly block: Block;
  /** The level's new watermark; its stale ranges stay as they are. */
  readonly untilMs: number;
}

/** As an `AdvanceWrite` of one bucket for each of many streams. */
export interface BucketWrite {
  readonly kind: 'bucket';
  readonly granularity: Granularity;
  /** No duplicates; row i of each column belongs to stream i. Never written to again, as in a tick. */
  readonly streamIds: readonly StreamId[];
  /** Behind every row of the level in each of the streams. */
  readonly startMs: number;
  /** The level's new watermark in each of the streams. */
  readonly untilMs: number;
  /**
   * Bucket states with at least the count `c`; a stream whose count is 0 has no row in the bucket. A
   * number is the state of every stream.
   */
  readonly columns: Readonly<Record<string, Float64Array | number>>;
}

/** Puts the rows in the place of all rows of the level inside the range. */
export interface ReplaceWrite {
  readonly kind: 'replace';
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  readonly range: TimeRange;
  /** Inside the range; may be empty. */
  readonly block: Block;
}

export type Write = AppendWrite | TickWrite | ReplaceWrite;

export type LevelWrite = AdvanceWrite | BucketWrite;

/** As an expectation of one version for each of many streams. */
export interface GroupExpectation {
  /** Never written to again, as in a tick. */
  readonly streamIds: readonly StreamId[];
  readonly version: number | string;
}

export interface Creation {
  readonly record: StreamRecord;
  /** Nothing is created while a stream matches these tags. */
  readonly unlessTags?: Tags;
}

/** All of it becomes durable and visible in one step, or none of it. Applied in the order of the fields. */
export interface Commit {
  readonly expect: readonly Expectation[];
  readonly create?: readonly Creation[];
  /** New records of existing streams; each gives its stream a new revision. */
  readonly update?: readonly StreamRecord[];
  readonly writes?: readonly Write[];
  /** Streams to remove with all of their data. */
  readonly delete?: readonly StreamId[];
}

/** A commit that may name many streams at once, for what is done to them tick after tick. */
export interface GroupedCommit extends Omit<Commit, 'writes'> {
  readonly expectGroups?: readonly GroupExpectation[];
  readonly writes?: readonly (Write | LevelWrite)[];
}

/**
 * `version` becomes the version of every stream that the commit touched, and the revision of every
 * record that it created or updated. `conflicts` names the streams that changed in the meantime or are
 * gone; it is empty when `unlessTags` matched.
 */
export type CommitOutcome =
  | { readonly isCommitted: true; readonly version: number | string }
  | { readonly isCommitted: false; readonly conflicts: readonly StreamId[] };

/** A read of rows that all are wanted. */
export interface RowsRequest {
  readonly streamId: StreamId;
  readonly granularity: Granularity;
  readonly range: TimeRange;
  /** Which columns the caller needs; absent: all. Others may be returned too. */
  readonly columns?: readonly string[];
}

/** Which rows of a stream somebody wants who has just been told of it. */
export interface RowsPlan {
  readonly rows: Omit<RowsRequest, 'streamId'>;
}

export interface PlannedRows<Plan extends RowsPlan> {
  readonly plan: Plan;
  /** As of `readRows`. */
  readonly block: Block;
}

export interface PageRequest extends RowsRequest {
  /** About how many rows to read; at least 1. */
  readonly rowCountMax: number;
  /** Start from the end of the range. The rows of the page are ascending all the same. */
  readonly isReverse?: boolean;
}

/**
 * Rows from the start of the asked range (from its end when reversed). The rows of one timestamp are
 * never split between pages, so that a page may have more rows than asked for.
 */
export interface Page {
  readonly block: Block;
  /** What of the range comes after this page (before it when reversed); null at the end. */
  readonly rest: TimeRange | null;
}

export interface SkipRequest extends Omit<RowsRequest, 'columns'> {
  /** May be infinite, to count them. */
  readonly rowCountMax: number;
  readonly isReverse?: boolean;
}

export interface SkippedRows {
  /** How many rows there are in the range outside the rest. */
  readonly rowCount: number;
  /** The range without them; null when no rows are left. */
  readonly rest: TimeRange | null;
}

/** Gets the page of the request with that index. */
export type PageVisitor = (page: Page, index: number) => void;

/** What a stream takes. */
export interface StreamSize {
  /** Raw datapoints. */
  readonly rowCount: number;
  /** Of raw datapoints and levels, about. */
  readonly sizeBytes: number;
}

export interface StreamQuery {
  readonly tags: Tags;
  /** Only streams after this ordinal (before it when reversed). */
  readonly afterOrdinal?: number;
  readonly isReverse?: boolean;
  /**
   * Only streams with stale ranges are of use: a store that knows them sooner than it reads the others may leave
   * the others out.
   */
  readonly isStaleOnly?: boolean;
  readonly limit: number;
}

/** What tells whether a stream has changed, without what it says. */
export type StreamVersion = Pick<StreamSnapshot, 'ordinal' | 'revision' | 'version'>;

/**
 * What a store does for the engine: records, raw datapoints and bucket states; it computes nothing.
 * Public methods are those of `AbstractBackend`, which checks arguments and state once; a backend
 * overrides the underscored ones.
 */
export interface Backend {
  readonly supports: BackendManifest;
  /** Names the store in messages, never with a password. */
  readonly location: string;

  /** Prepares the store; idempotent. @throws {BackendUnavailable} {StoreFormatUnsupported} */
  open(): Promise<void>;
  /** Flushes and lets go of everything; idempotent. Calls afterwards reject with `BACKEND_CLOSED`. */
  close(): Promise<void>;

  /** In the order of the ids; null where there is no such stream. */
  readStreams(streamIds: readonly StreamId[]): Promise<readonly (StreamSnapshot | null)[]>;
  /** As `readStreams`, for whoever only wants to know which of many streams have changed. */
  readVersions(streamIds: readonly StreamId[]): Promise<readonly (StreamVersion | null)[]>;
  /** Streams whose tags contain the query's, in creation order. */
  queryStreams(query: StreamQuery): Promise<readonly StreamSnapshot[]>;
  countStreams(tags: Tags): Promise<number>;

  /** @throws {StreamAppendFailed} when the store refuses the bytes (a full disk); nothing is stored then. */
  commit(commit: GroupedCommit): Promise<CommitOutcome>;

  /**
   * Is another one whenever any process has committed something, and may be another one at other times. Opaque:
   * compare for equality only. Cheap, to be asked for again and again; null where nothing cheap tells.
   */
  changeToken(): Promise<string | null>;
  /**
   * Has the listener called after each commit through this object. It must not throw.
   * @returns what ends that.
   */
  onCommit(listener: () => void): () => void;

  /**
   * Reads a page of one level in one consistent step. The block is the caller's to keep, not to write to.
   * An unknown stream has no rows. @throws {BlockCorrupt} when stored bytes do not decode.
   */
  readPage(request: PageRequest): Promise<Page>;
  /**
   * As `readPage` for each of the requests, in their order: a store may read the rows of streams that
   * tick together in a fraction of the time. Each page is consistent in itself. It belongs to the store, which
   * may use its memory again when `visit`, which must not read itself, has returned.
   */
  visitPages(requests: readonly PageRequest[], visit: PageVisitor): Promise<void>;

  /**
   * Reads all rows of a range of one level, in one consistent step if the store can, into arrays that are the
   * caller's alone. Otherwise as `readPage`.
   */
  readRows(request: RowsRequest): Promise<Block>;

  /**
   * Reads a stream and rows of it, in one consistent step if the store can: `plan` is told of the stream, and
   * says what else to read. It may be called within a transaction, and must do nothing else. Null when there
   * is no such stream.
   */
  readStreamRows<Plan extends RowsPlan>(
    streamId: StreamId,
    plan: (snapshot: StreamSnapshot) => Plan,
  ): Promise<PlannedRows<Plan> | null>;

  /**
   * Passes over rows from the start of the range (from its end when reversed), `rowCountMax` of them at most:
   * as many as the store passes over in one quick step. The rest is the same range again when it can pass
   * over none; rows of one timestamp stay together.
   */
  skipRows(request: SkipRequest): Promise<SkippedRows>;

  /**
   * What a stream takes, where the store knows it without reading rows; null elsewhere, and where there is no such
   * stream.
   */
  streamSize(streamId: StreamId): Promise<StreamSize | null>;
  /** Bytes that the whole store takes, about; null where nothing cheap tells. */
  storeSize(): Promise<number | null>;

  /**
   * Brings what is stored into its lasting form, the one that opens soonest. Never needed: it only does
   * at once what the store does in its own time.
   */
  checkpoint(): Promise<void>;

  /**
   * Writes a folder that opens as a store with everything that was acknowledged before the call, also while other
   * processes write; what comes during it may be in it or not. Only where the manifest has `backup`.
   * @throws {BackendUnavailable} when there is something of that name, or when it cannot be written.
   */
  backUp(folder: string): Promise<void>;

  /** Takes the lease unless somebody else holds it; the holder itself may take it again. */
  acquireLease(streamId: StreamId, options: LeaseOptions): Promise<boolean>;
  /** Extends a lease that is still held; false when it ran out or is somebody else's. */
  renewLease(streamId: StreamId, options: LeaseOptions): Promise<boolean>;
  /** Gives the lease back; nothing happens when it is not held. */
  releaseLease(streamId: StreamId, owner: string): Promise<void>;
}

export interface LeaseOptions {
  readonly owner: string;
  /** From the store's own now. */
  readonly durationMs: number;
}

/** What every backend may be opened with. */
export interface OpenBackendOptions {
  /**
   * Replaces the clock by which leases run out, for tests. Default: the server's own; the system's for a
   * store without a server.
   */
  readonly now?: () => Date;
}
