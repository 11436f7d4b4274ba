import { StreamAppendContended } from '../exceptions/errors.ts';
import { pause } from './pause.ts';

/** Tries in a row that others may win before the work is given up. */
const TRY_COUNT_MAX = 50;

/** `more`: committed, and there is more to do. `conflict`: somebody was quicker; look again. */
type Attempt = 'done' | 'more' | 'conflict';

/**
 * Repeats work that ends in a commit until nothing is left of it.
 * @throws {StreamAppendContended} when other writers win every time.
 */
export async function commitOrRetry({
  what,
  attempt,
}: {
  /** Names in the error what was changed, as in "stream 42". */
  readonly what: string;
  readonly attempt: () => Promise<Attempt>;
}): Promise<void> {
  for (let tryCount = 0; tryCount < TRY_COUNT_MAX; tryCount++) {
    const result = await attempt();
    if (result === 'done') return;
    if (result === 'more') tryCount = -1;
    else await pause(tryCount);
  }
  throw new StreamAppendContended(
    `Other writers changed ${what} on each of ${TRY_COUNT_MAX} tries.`,
  );
}
