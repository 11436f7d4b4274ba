import { LevelSchema } from '../downsamplers/level-schema.ts';
import type { TimeSupport } from '../downsamplers/registry.ts';
import type { ComputedRange } from '../engine/level-draft.ts';
import { bucketStartMs } from '../model/granularity.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import type { AppendedDatapoint, Datapoint } from './types.ts';

/** Every bucket of ranges that maintenance has written, the empty ones too. */
export function* computedDatapoints(
  { record, earliestMs }: StreamSnapshot,
  computed: readonly ComputedRange[],
  supports: TimeSupport = { timeDownsamplers: 'all' },
): Generator<AppendedDatapoint, void, undefined> {
  // Without datapoints there are no buckets, only levels that were cleared.
  if (earliestMs === null) return;
  const selection = LevelSchema.of(record).select({}, supports);
  for (const { granularity, range, block } of computed) {
    const firstMs = Math.max(range.startMs, bucketStartMs(earliestMs, granularity));
    const shown = { startMs: firstMs, endMs: range.endMs };
    for (const datapoint of selection.datapoints(block, shown, granularity)) {
      yield { streamId: record.id, granularity, datapoint: datapoint as Datapoint };
    }
  }
}
