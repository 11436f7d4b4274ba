import type { TimeRange } from '../model/time-range.ts';

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
  /** Instants that a datapoint may have. */
  readonly timestampRange: TimeRange;
}
