import type { Datastream } from '../../api/datastream.ts';
import type { DataRange } from '../../api/types.ts';
import { Problem } from './problem.ts';

interface ThinnedRead {
  readonly streamId: string;
  readonly granularity: string;
  readonly range: DataRange;
  /** What of it is called so by who asks. */
  readonly field: string;
}

/**
 * Every row of a range is looked at before most are left out, buckets without data, too: refuses ranges of too
 * many.
 * @throws {Problem} 400, and as `getData` does.
 */
export async function assertThinnable(
  datastream: Datastream,
  { streamId, granularity, range, field }: ThinnedRead,
  rowCountMax: number,
): Promise<void> {
  const { start, startExclusive, end, endExclusive, live } = range;
  const whole = datastream.getData(streamId, granularity, {
    ...(start !== undefined && { start }),
    ...(startExclusive !== undefined && { startExclusive }),
    ...(end !== undefined && { end }),
    ...(endExclusive !== undefined && { endExclusive }),
    ...(live !== undefined && { live }),
  });
  if ((await whole.at(rowCountMax)) === undefined) return;
  throw new Problem(
    400,
    `${field}: the range has more than ${rowCountMax} rows of ${granularity}; expected a shorter one, or maxPoints ` +
      'instead, which picks a granularity.',
    { field },
  );
}
