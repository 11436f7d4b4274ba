import type { Datastream } from '../../api/datastream.ts';
import type { StreamId } from '../../model/stream.ts';
import { runInThread } from './job-thread.ts';
import {
  type PartProgress,
  type VerifyPart,
  type VerifyResult,
  verifyPart,
} from './verify-part.ts';
import type { VerifyTask } from './verify-thread.ts';

const THREAD = new URL('./verify-thread.js', import.meta.url);

export interface VerifyJobs extends Omit<VerifyPart, 'shard'> {
  readonly storeUrl: string;
  /** This thread does one of them. */
  readonly jobCount: number;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: PartProgress) => void;
}

/**
 * Verifies the streams in shards, one to a job, and gives what one job alone would: the same counts, and
 * the same first differences. The first job to fail ends the others.
 * @throws the reason of the signal, or what a job threw.
 */
export async function verifyInJobs(
  datastream: Datastream,
  { storeUrl, jobCount, signal, onProgress, ...shared }: VerifyJobs,
): Promise<VerifyResult> {
  const failure = new AbortController();
  const anyEnd = AbortSignal.any([signal, failure.signal]);
  const progress = new SummedProgress(jobCount, onProgress);
  const jobs = Array.from({ length: jobCount }, async (_, index) => {
    const part = { ...shared, shard: { index, count: jobCount } };
    const options = {
      signal: anyEnd,
      onProgress: (now: PartProgress) => progress.note(index, now),
    };
    try {
      return index === 0
        ? await verifyPart(datastream, part, options)
        : await runInThread<VerifyTask, PartProgress, VerifyResult>(
            THREAD,
            { storeUrl, part },
            options,
          );
    } catch (error) {
      // Later failures are the echo of the first.
      if (!anyEnd.aborted) failure.abort(error);
      throw error;
    }
  });
  const ends = await Promise.allSettled(jobs);
  signal.throwIfAborted();
  failure.signal.throwIfAborted();
  const results = ends.flatMap((end) => (end.status === 'fulfilled' ? [end.value] : []));
  return merged(datastream, results, shared);
}

async function merged(
  datastream: Datastream,
  results: readonly VerifyResult[],
  { queryTags, differenceCountMax }: Omit<VerifyPart, 'shard'>,
): Promise<VerifyResult> {
  const report = { ...results[0]!.report };
  for (const { report: other } of results.slice(1)) {
    report.streamCount += other.streamCount;
    report.bucketCount += other.bucketCount;
    report.derivedCount += other.derivedCount;
    report.differenceCount += other.differenceCount;
    report.staleRangeCount += other.staleRangeCount;
  }
  const differences = results.flatMap((result) => result.differences);
  if (results.length > 1 && differences.length > 0) {
    const positions = new Map<StreamId, number>();
    for await (const { id } of datastream.findStreams(queryTags)) positions.set(id, positions.size);
    const positionOf = (id: StreamId): number => positions.get(id) ?? positions.size;
    differences.sort((a, b) => positionOf(a.streamId) - positionOf(b.streamId));
  }
  return { report, differences: differences.slice(0, differenceCountMax) };
}

/** The progress of all jobs as one. */
class SummedProgress {
  readonly #parts: PartProgress[];
  readonly #onProgress: (progress: PartProgress) => void;

  constructor(jobCount: number, onProgress: (progress: PartProgress) => void) {
    this.#parts = Array.from({ length: jobCount }, () => ({ streamCount: 0, streamCountTotal: 0 }));
    this.#onProgress = onProgress;
  }

  note(index: number, progress: PartProgress): void {
    this.#parts[index] = progress;
    let [streamCount, streamCountTotal] = [0, 0];
    for (const part of this.#parts) {
      streamCount += part.streamCount;
      streamCountTotal += part.streamCountTotal;
    }
    this.#onProgress({ streamCount, streamCountTotal });
  }
}
