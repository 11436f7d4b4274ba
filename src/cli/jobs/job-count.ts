import { usageError } from '../cli-error.ts';
import type { CommandContext } from '../command-context.ts';

/** Of the readers that an embedded store has room for, others need some, too. */
const JOB_COUNT_MAX = 64;

const MEMORY_SCHEME = 'memory:';

/**
 * Checks how many threads are to share the streams of a store. One is the default: on two cores more of them
 * take as long up to some 40 million points (docs/performance.md, "Both cores").
 * @throws {CliError} USAGE when too many are asked for, or several on a store that only one can see.
 */
export function checkJobCount({ storeUrl }: CommandContext, wanted: number | undefined): number {
  if (wanted === undefined) return 1;
  if (wanted > 1 && storeUrl.startsWith(MEMORY_SCHEME)) {
    throw usageError('--jobs: a store in memory is there for one job only.');
  }
  if (wanted > JOB_COUNT_MAX) throw usageError(`--jobs: at most ${JOB_COUNT_MAX}.`);
  return wanted;
}
