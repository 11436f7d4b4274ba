import { availableParallelism } from 'node:os';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { folderSizeBytes } from '../folder-size.ts';

/**
 * A thread has to load the engine and to compile it while it runs, which takes as long as a job of this
 * size. Measured: docs/performance.md, "Both cores".
 */
const STORE_SIZE_MIN_BYTES = 24 * 1024 * 1024;

/** Each job has memory of its own, and more of them have not been seen to be quicker. */
const JOB_COUNT_MAX = 4;

const MEMORY_SCHEME = 'memory:';

/**
 * How many threads share a work over the whole store: as many as were asked for, or else one for each core
 * where an embedded store is large enough that this is quicker.
 * @throws {CliError} USAGE when several are asked for on a store that only one can see.
 */
export async function jobCountFor(
  { storeUrl, storeFolder }: CommandContext,
  wanted: number | undefined,
): Promise<number> {
  if (wanted !== undefined) {
    if (wanted > 1 && storeUrl.startsWith(MEMORY_SCHEME)) {
      throw usageError('--jobs: a store in memory is there for one job only.');
    }
    return wanted;
  }
  // What several connections do to a server is for its owner to say.
  if (storeFolder === null) return 1;
  const isLarge = (await folderSizeBytes(storeFolder)) >= STORE_SIZE_MIN_BYTES;
  return isLarge ? Math.min(availableParallelism(), JOB_COUNT_MAX) : 1;
}
