import { addRange } from '../model/staleness.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';
import { commitOrRetry } from './commit-or-retry.ts';
import type { EngineContext } from './context.ts';
import { inputRange } from './output-offset.ts';
import { withStaleBuckets } from './stale-levels.ts';
import type { LevelDifference } from './verify.ts';

/**
 * Makes stale what was found to differ from its sources, so that maintenance computes it anew. A stream
 * that is gone has nothing to repair.
 */
export async function markStale(
  context: EngineContext,
  streamId: StreamId,
  differences: readonly LevelDifference[],
): Promise<void> {
  await commitOrRetry({
    what: `stream ${streamId}`,
    attempt: async () => {
      const [snapshot] = await context.backend.readStreams([streamId]);
      if (snapshot === null || snapshot === undefined) return 'done';
      const { record, revision } = snapshot;
      const { isCommitted } = await context.backend.commit({
        expect: [{ streamId, revision }],
        update: [differences.reduce(withStaleDifference, record)],
      });
      return isCommitted ? 'done' : 'conflict';
    },
  });
}

function withStaleDifference(
  record: StreamRecord,
  { granularity, timestampMs }: LevelDifference,
): StreamRecord {
  const range = { startMs: timestampMs, endMs: timestampMs + 1 };
  // Raw rows differ only where they are those of a derived stream.
  if (granularity.name === record.highestGranularity) {
    const { derivation } = record;
    const inputs = derivation === null ? range : inputRange(derivation, range);
    return { ...record, stale: addRange(record.stale, inputs) };
  }
  const level = record.levels[granularity.name];
  if (level === undefined) return record;
  const stale = withStaleBuckets(level, granularity, range);
  return { ...record, levels: { ...record.levels, [granularity.name]: stale } };
}
