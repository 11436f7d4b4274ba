import type { EngineContext } from '../engine/context.ts';
import { turn } from '../engine/turn.ts';
import { type LevelDifference, verifyStream } from '../engine/verify.ts';
import type { StreamId } from '../model/stream.ts';
import type { VerifyOptions, VerifyReport } from './types.ts';

interface Verified {
  readonly counts: Omit<VerifyReport, 'repairedCount'>;
  /** Of the streams that are not what their sources give. */
  readonly differences: ReadonlyMap<StreamId, readonly LevelDifference[]>;
}

/** Verifies one stream after the other, and tells what was found while it goes on. */
export async function verifyStreams(
  context: EngineContext,
  streams: readonly { readonly streamId: StreamId }[],
  { signal, onProgress, onDifference }: Omit<VerifyOptions, 'queryTags' | 'repair' | 'shard'>,
): Promise<Verified> {
  const counts = { bucketCount: 0, derivedCount: 0, differenceCount: 0, staleRangeCount: 0 };
  const differences = new Map<StreamId, readonly LevelDifference[]>();
  for (const [index, { streamId }] of streams.entries()) {
    signal?.throwIfAborted();
    const found = await verifyStream(context, streamId, signal);
    if (found !== null) {
      counts.bucketCount += found.bucketCount;
      counts.derivedCount += found.derivedCount;
      counts.staleRangeCount += found.staleRangeCount;
      counts.differenceCount += found.differences.length;
      if (found.differences.length > 0) differences.set(streamId, found.differences);
      for (const { granularity, timestampMs, stored, expected } of found.differences) {
        const timestamp = new Date(timestampMs);
        onDifference?.({ streamId, granularity, timestamp, stored, expected });
      }
    }
    onProgress?.({ streamCount: index + 1, streamCountTotal: streams.length });
    await turn();
  }
  return { counts: { streamCount: streams.length, ...counts }, differences };
}
