import type { Backend } from '../backends/backend.ts';
import type { StreamId } from '../model/stream.ts';
import { type CheckedRange, checkRange } from './data-range.ts';
import type { FillMethod } from './gap-fill.ts';
import { GranularityChoice } from './granularity-choice.ts';
import { type AskedGranularity, checkGranularity } from './level-checks.ts';
import { checkStreamId } from './option-checks.ts';
import type { DataRange, Thinning } from './types.ts';

/** What `getData` was asked for, checked. */
export interface DataRequest {
  readonly streamId: StreamId;
  readonly granularity: AskedGranularity | GranularityChoice;
  readonly range: CheckedRange;
  readonly isReverse: boolean;
  /** Whether buckets that are not up to date are computed for the read. */
  readonly isLive: boolean;
  /** Whether coarser levels answer where the granularity has expired. */
  readonly isFallback: boolean;
  /** What buckets without data show; null: nothing. */
  readonly fill: FillMethod | null;
  /** The clock: until when a live read holds values. */
  readonly nowMs: () => number;
  /** How many points are wanted of all that there are; null: all. */
  readonly thin: Thinning | null;
  readonly valueDownsamplers: readonly string[] | undefined;
  readonly timeDownsamplers: readonly string[] | undefined;
}

/** A request of a granularity that is known. */
export interface NamedRequest extends DataRequest {
  readonly granularity: AskedGranularity;
}

/** Whether a request is for rows as they are stored: one step of the store reads them all. */
export function isPlain(request: DataRequest): request is NamedRequest {
  const { granularity, isLive, isFallback, fill, thin } = request;
  if (isFallback) return false;
  return !isLive && fill === null && thin === null && !(granularity instanceof GranularityChoice);
}

/** What stands for a granularity that `maxPoints` picks. */
const AUTO = 'auto';

/**
 * Checks what a caller gave to `getData`: a granularity and a range, or a range alone that picks it.
 * @throws {UnsupportedGranularity} {InvalidTimestamp} {TypeError} {RangeError}
 */
export function checkDataRequest(
  { backend, nowMs }: { readonly backend: Backend; readonly nowMs: () => number },
  streamId: string,
  [first, second]: readonly [granularity: unknown, range?: DataRange | undefined],
): DataRequest {
  const isRangeAlone = second === undefined && isRange(first);
  const options = isRangeAlone ? first : (second as DataRange);
  const range = checkRange(options);
  const { reverse = false, live = false, fallback = false, fill = 'null', thin = null } = options;
  const { maxPoints, valueDownsamplers, timeDownsamplers } = options;
  const named = isRangeAlone || first === AUTO ? undefined : first;
  const isChosen = named === undefined && maxPoints !== undefined;
  if (maxPoints !== undefined && !isChosen) {
    throw new TypeError('maxPoints picks the granularity: leave it out, or give "auto".');
  }
  if (first === AUTO && !isChosen) {
    throw new TypeError('The granularity "auto" goes with maxPoints, by which it is picked.');
  }
  if (fallback && (maxPoints !== undefined || thin !== null)) {
    throw new TypeError(
      'fallback gives points of several granularities: not with maxPoints or thin.',
    );
  }
  return {
    streamId: checkStreamId(streamId),
    granularity: isChosen
      ? new GranularityChoice(backend, {
          range,
          pointCountMax: maxPoints,
          isLive: live,
          isLevelOnly: fill !== 'null',
        })
      : checkGranularity(named),
    range,
    isReverse: reverse,
    isLive: live,
    isFallback: fallback,
    fill: fill === 'null' ? null : fill,
    nowMs,
    thin,
    valueDownsamplers,
    timeDownsamplers,
  };
}

function isRange(value: unknown): value is DataRange {
  return typeof value === 'object' && value !== null && !('name' in value);
}
