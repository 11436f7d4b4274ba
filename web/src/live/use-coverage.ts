import { readColumns } from '../api/data.ts';
import type { StreamInfo } from '../api/types.ts';
import { type ChartColumns, chartColumns, knownRows, NO_COLUMNS } from '../chart/columns.ts';
import { useRequest } from '../state/use-request.ts';

/** Finer than cells are, so that gaps are found within them. */
const POINT_COUNT = 2000;

/** Where the whole history of a stream has data, from the counts of a level, or from its raw datapoints. */
export function useCoverage(stream: StreamInfo): {
  readonly columns: ChartColumns;
  readonly areCounted: boolean;
} {
  const has = (name: string): boolean => stream.valueDownsamplers.includes(name);
  const name = has('count') ? 'count' : stream.valueDownsamplers[0];
  const { data } = useRequest(
    async (signal) => {
      if (stream.earliestDatapoint === null) return NO_COLUMNS;
      const query = {
        start: stream.earliestDatapoint,
        maxPoints: POINT_COUNT,
        ...(name !== undefined && { valueDownsamplers: name }),
      };
      return knownRows(chartColumns(await readColumns(stream.id, query, signal)));
    },
    [stream.id, stream.latestDatapoint],
  );
  const columns = data ?? NO_COLUMNS;
  // Of raw datapoints that are too many only some come.
  const areAll = columns.timestamps.length < POINT_COUNT;
  return { columns, areCounted: columns.isRaw ? areAll : has('count') };
}
