import type { Backend } from '../backends/backend.ts';
import { LevelSchema } from '../downsamplers/level-schema.ts';
import { levelStartMs, originMs } from '../engine/expiry.ts';
import type { ComputedRange } from '../engine/level-draft.ts';
import type { StreamSnapshot } from '../model/stream.ts';
import { HeldStatistics, setHeld } from './held-statistics.ts';
import { LevelBuckets } from './level-buckets.ts';
import type { AppendedDatapoint, Datapoint } from './types.ts';

/** What a commit of maintenance has written of the levels of a stream. */
export interface ComputedLevels {
  /** From before the commit. */
  readonly snapshot: StreamSnapshot;
  readonly computed: readonly ComputedRange[];
}

/**
 * Every bucket of ranges that maintenance has written, the empty ones too. What is held when a range begins is
 * read from the store.
 */
export async function computedDatapoints(
  backend: Backend,
  { snapshot, computed }: ComputedLevels,
): Promise<readonly AppendedDatapoint[]> {
  const { record } = snapshot;
  // Without datapoints there are no buckets, only levels that were cleared.
  if (originMs(snapshot) === null) return [];
  const selection = LevelSchema.of(record).select({}, backend.supports);
  const current = selection.isOfHeld ? await currentOf(backend, snapshot) : snapshot;
  const datapoints: AppendedDatapoint[] = [];
  for (const { granularity, range, block } of computed) {
    const firstMs = Math.max(range.startMs, levelStartMs(snapshot, granularity)!);
    const shown = { startMs: firstMs, endMs: range.endMs };
    const buckets = selection.datapoints(block, shown, granularity) as Datapoint[];
    if (selection.isOfHeld) {
      const source = { snapshot: current, granularity, selection, tail: null };
      const read = { ...source, heldUntilMs: Number.POSITIVE_INFINITY };
      const held = new HeldStatistics(read, new LevelBuckets(backend, source));
      setHeld(buckets, await held.columnsOf(shown, block));
    }
    for (const datapoint of buckets) {
      datapoints.push({ streamId: record.id, granularity, datapoint });
    }
  }
  return datapoints;
}

/** With the levels as they are after the commit. */
async function currentOf(backend: Backend, snapshot: StreamSnapshot): Promise<StreamSnapshot> {
  const [current] = await backend.readStreams([snapshot.record.id]);
  return current ?? snapshot;
}
