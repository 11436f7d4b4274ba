import { bucketStartMs } from '../model/granularity.ts';
import type { Num } from './arithmetic.ts';
import { numberOf } from './numbers.ts';
import type { Input, OperatorContext, Sink } from './operator.ts';

/** By source: its last value in a bucket, null for no data, undefined before any input. */
type LatestValues = readonly (Num | null | undefined)[];

export interface BucketState {
  readonly context: OperatorContext;
  /** The one bucket in hand; null before the first input. */
  bucketMs: number | null;
  readonly latest: (Num | null | undefined)[];
  missingCount: number;
  /** Whether the bucket took inputs since it was last emitted. */
  hasChanged: boolean;
}

/** Emits what a bucket gives from the values of its sources, of which there is at least one. */
type EmitBucket = (
  bucket: {
    readonly context: OperatorContext;
    readonly bucketMs: number;
    readonly latest: LatestValues;
  },
  sink: Sink,
) => void;

/** The parts of an operator that looks at one value of each source per bucket: the last one. */
export interface BucketSteps {
  start(context: OperatorContext): BucketState;
  step(state: BucketState, input: Input, sink: Sink): BucketState;
  flush(state: BucketState, sink: Sink): void;
}

/**
 * Gathers the last value of each source per bucket. Over a list of sources a bucket is emitted once every
 * source has a value there, over a query with the values that there are.
 */
export function bucketSteps(emit: EmitBucket): BucketSteps {
  /** Emits nothing twice. */
  const flush = (state: BucketState, sink: Sink): void => {
    const { bucketMs, latest, missingCount, hasChanged, context } = state;
    const isComplete = missingCount === 0 || context.isOverQuery;
    if (bucketMs === null || !isComplete || !hasChanged) return;
    state.hasChanged = false;
    emit({ context, bucketMs, latest }, sink);
  };
  return {
    start: (context) => ({
      context,
      bucketMs: null,
      latest: new Array(context.sourceCount).fill(undefined),
      missingCount: context.sourceCount,
      hasChanged: false,
    }),
    step: (state, input, sink) => {
      const bucketMs = bucketStartMs(input.timestampMs, state.context.granularity);
      if (bucketMs !== state.bucketMs) {
        flush(state, sink);
        state.bucketMs = bucketMs;
        state.latest.fill(undefined);
        state.missingCount = state.context.sourceCount;
      }
      if (state.latest[input.source] === undefined) state.missingCount--;
      state.latest[input.source] = numberOf(input);
      state.hasChanged = true;
      return state;
    },
    flush,
  };
}
