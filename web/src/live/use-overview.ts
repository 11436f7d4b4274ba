import { readColumns } from '../api/data.ts';
import type { StreamInfo } from '../api/types.ts';
import { type ChartColumns, chartColumns, NO_COLUMNS } from '../chart/columns.ts';
import { drawnLevels } from '../chart/drawn-levels.ts';
import { useRequest } from '../state/use-request.ts';

const POINT_COUNT = 500;

/** The whole history of a stream in few points, for a navigator; `null` is no stream. */
export function useOverview(stream: StreamInfo | null): {
  readonly columns: ChartColumns;
  readonly letter: string;
} {
  const { letter, valueDownsamplers } =
    stream === null ? { letter: 'm', valueDownsamplers: [] } : drawnLevels(stream);
  const { data } = useRequest(
    async (signal) => {
      if (stream === null || stream.earliestDatapoint === null) return NO_COLUMNS;
      if (stream.valueType !== 'numeric') return NO_COLUMNS;
      const name = valueDownsamplers[0];
      const answer = await readColumns(
        stream.id,
        {
          start: stream.earliestDatapoint,
          maxPoints: POINT_COUNT,
          ...(name !== undefined && { valueDownsamplers: name }),
        },
        signal,
      );
      return chartColumns(answer);
    },
    [stream?.id, stream?.latestDatapoint],
  );
  return { columns: data ?? NO_COLUMNS, letter };
}
