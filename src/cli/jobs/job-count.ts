import { availableParallelism } from 'node:os';
import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';
import { folderSizeBytes } from '../folder-size.ts';

/**
 * A thread has to load the engine and to compile it while it runs, which takes as long as a job of this
 * size. Measured: docs/performance.md, "Both cores".
 */
const STORE_SIZE_MIN_BYTES = 24 * 1024 * 1024;

/** Unless more are asked for: each job has memory of its own. */
const DEFAULT_COUNT_MAX = 4;
/** Of the readers that an embedded store has room for, others need some, too. */
const JOB_COUNT_MAX = 64;

const MEMORY_SCHEME = 'memory:';

/**
 * How many threads share the streams of a store: as many as were asked for, or else one for each core where
 * all streams of an embedded store are meant, and it is large enough that this is quicker.
 * @throws {CliError} USAGE when too many are asked for, or several on a store that only one can see.
 */
export async function jobCountFor(
  { storeUrl, storeFolder }: CommandContext,
  { wanted, isWhole }: { readonly wanted: number | undefined; readonly isWhole: boolean },
): Promise<number> {
  if (wanted !== undefined) {
    if (wanted > 1 && storeUrl.startsWith(MEMORY_SCHEME)) {
      throw usageError('--jobs: a store in memory is there for one job only.');
    }
    if (wanted > JOB_COUNT_MAX) throw usageError(`--jobs: at most ${JOB_COUNT_MAX}.`);
    return wanted;
  }
  // What several connections do to a server is for its owner to say.
  if (storeFolder === null || !isWhole) return 1;
  const isLarge = (await folderSizeBytes(storeFolder)) >= STORE_SIZE_MIN_BYTES;
  return isLarge ? Math.min(availableParallelism(), DEFAULT_COUNT_MAX) : 1;
}
