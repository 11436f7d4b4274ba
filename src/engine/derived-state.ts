import type { StreamRecord } from '../model/stream.ts';
import { OperatorRun, type OperatorRunOptions } from './operator-run.ts';

export interface LiveSequence {
  state: unknown;
  /** After every input at or before it. */
  readonly position: { timestampMs: number; source: number };
}

/** States by bucket start, in the order in which they were first seen. */
export type OpenBuckets = Map<number, unknown>;

/** Newest buckets whose states a stream keeps in memory. */
export const OPEN_BUCKET_COUNT_MAX = 64;

/**
 * What is remembered of a derived stream from batch to batch. It is only a cache of what the stored inputs
 * say, and is dropped whenever that may have changed.
 */
export class DerivedState {
  readonly run: OperatorRun;
  /** Of an operator of any reach but `bucket`; null when it must be restored. */
  sequence: LiveSequence | null = null;
  /** Of one of `bucket` reach. Such a state has seen all inputs of its bucket. */
  openBuckets: OpenBuckets = new Map();
  /** Whoever holds on to it must ask for the present one. */
  isForgotten = false;

  constructor(record: StreamRecord, options: OperatorRunOptions) {
    this.run = new OperatorRun(record, options);
  }

  reset(): void {
    this.sequence = null;
    if (this.openBuckets.size > 0) this.openBuckets = new Map();
  }
}
