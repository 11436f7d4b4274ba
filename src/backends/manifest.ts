import { ALL_TIME, type TimeRange } from '../model/time-range.ts';

/** What a backend can do. Users and the conformance suite read the same object. */
export interface BackendManifest {
  /** A commit of several streams takes effect as a whole. */
  readonly transactions: boolean;
  /** Data outlives the process. */
  readonly durable: boolean;
  /** Several processes may work on one store at once. */
  readonly processes: boolean;
  /** Equal timestamps in one stream are all kept. */
  readonly equalTimestamps: boolean;
  /** Numeric streams take already downsampled values. */
  readonly groupValues: boolean;
  /** Numeric streams may compute and store with 64 significant digits. */
  readonly highAccuracy: boolean;
  /**
   * `stored`: lower levels hold what the engine computed. `computed`: the server folds raw datapoints when a
   * level is read. Such levels take no rows, and exist from the first datapoint to the bucket of the latest
   * one without having been maintained; the watermarks of records say how far derived streams followed them.
   */
  readonly levels: 'stored' | 'computed';
  /**
   * Watermarks of levels move without their records being rewritten, so that levels can follow every append
   * (`advance` and `bucket` writes).
   */
  readonly liveLevels: boolean;
  /** Streams may have levels beside those in `Granularity.values`: calendars, time zones, any units. */
  readonly extraLevels: boolean;
  /** Writes consistent copies of its own files, while others write. */
  readonly backup: boolean;
  /** Names of the downsamplers that streams may have; `all` are those of the registry. */
  readonly valueDownsamplers: readonly string[] | 'all';
  /** Names of the downsamplers of bucket times. Where only the mean is there, it is the bucket's start. */
  readonly timeDownsamplers: readonly string[] | 'all';
  /** Instants that a datapoint may have. */
  readonly timestampRange: TimeRange;
}

/** The manifest of a store that can do everything; others name what they lack beside it. */
export const COMPLETE_MANIFEST: BackendManifest = Object.freeze({
  transactions: true,
  durable: true,
  processes: true,
  equalTimestamps: true,
  groupValues: true,
  highAccuracy: true,
  levels: 'stored',
  liveLevels: true,
  extraLevels: true,
  backup: true,
  valueDownsamplers: 'all',
  timeDownsamplers: 'all',
  timestampRange: ALL_TIME,
});
