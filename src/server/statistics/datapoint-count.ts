import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import { Granularity } from '../../model/granularity.ts';

/** How many datapoints a stream has. */
export interface DatapointCount {
  readonly count: number;
  /**
   * `exact`; `estimate`: from the counts of its levels, which leave out nulls and know nothing of corrections that
   * maintenance has not seen; `atLeast`: there are more than were counted.
   */
  readonly certainty: 'exact' | 'estimate' | 'atLeast';
}

/** Datapoints that are counted one by one, at most: those that no level has counted yet. */
const COUNTED_ROW_COUNT_MAX = 100_000;
const KNOWN_LEVELS: ReadonlySet<string> = new Set(Granularity.values.map(({ name }) => name));

/**
 * Counts datapoints by as few rows as the levels of the stream allow: the days first, then what finer levels have
 * behind them. For stores that do not know it themselves.
 */
export async function countByLevels(
  datastream: Datastream,
  stream: Stream,
): Promise<DatapointCount> {
  const { earliestDatapoint } = stream;
  if (earliestDatapoint === null) return { count: 0, certainty: 'exact' };
  let countedUntilMs = earliestDatapoint.getTime();
  let count = 0;
  let isCounted = true;
  for (const level of levelsWithCounts(stream)) {
    const untilMs = stream.downsampledUntil[level.name]?.getTime() ?? Number.NEGATIVE_INFINITY;
    if (untilMs <= countedUntilMs) continue;
    count += await countOfLevel(datastream, stream, {
      level,
      startMs: countedUntilMs,
      endMs: untilMs,
    });
    countedUntilMs = untilMs;
    isCounted = false;
  }
  const rest = await countRaw(datastream, stream, countedUntilMs);
  if (rest.isMore) return { count: count + rest.count, certainty: 'atLeast' };
  return { count: count + rest.count, certainty: isCounted ? 'exact' : 'estimate' };
}

/** From the coarsest. Those of other calendars do not end where the others begin. */
function levelsWithCounts({ valueDownsamplers, levels }: Stream): readonly Granularity[] {
  if (!valueDownsamplers.includes('count')) return [];
  return [...levels].reverse().filter(({ name }) => KNOWN_LEVELS.has(name));
}

async function countOfLevel(
  datastream: Datastream,
  { id }: Stream,
  range: { readonly level: Granularity; readonly startMs: number; readonly endMs: number },
): Promise<number> {
  const { v } = await datastream
    .getData(id, range.level, {
      start: range.startMs,
      endExclusive: range.endMs,
      valueDownsamplers: ['count'],
      timeDownsamplers: [],
    })
    .columns();
  let count = 0;
  for (const value of v?.['c'] ?? []) count += Number(value);
  return count;
}

async function countRaw(
  datastream: Datastream,
  { id, highestGranularity }: Stream,
  startMs: number,
): Promise<{ readonly count: number; readonly isMore: boolean }> {
  let count = 0;
  const data = datastream.getData(id, highestGranularity, { start: startMs });
  for await (const { timestamps } of data.columnBlocks()) {
    count += timestamps.length;
    if (count > COUNTED_ROW_COUNT_MAX) return { count: COUNTED_ROW_COUNT_MAX, isMore: true };
  }
  return { count, isMore: false };
}
