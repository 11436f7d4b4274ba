import { readColumns } from '../api/data.ts';
import type { StreamInfo } from '../api/types.ts';
import { type ChartColumns, chartColumns, NO_COLUMNS } from '../chart/columns.ts';
import { type RequestState, useRequest } from '../state/use-request.ts';
import type { TimeWindow } from '../time/time-window.ts';

const POINT_COUNT = 1500;
/** States that are drawn where only raw datapoints tell them. */
export const RAW_COUNT_MAX = 5000;

/**
 * States of a stream over a window, with the one that it had when the window began. Levels are used where they say
 * what came most often; else the newest raw datapoints, as many as a page can draw.
 */
export function useStates(
  stream: StreamInfo,
  { startMs, endMs }: TimeWindow,
): RequestState<ChartColumns> {
  const hasLevels = stream.valueDownsamplers.includes('most_often');
  // Whole steps, so that a window that goes with the clock does not ask at each of its moves.
  const stepMs = Math.max(1000, (endMs - startMs) / 100);
  const from = Math.floor(startMs / stepMs) * stepMs;
  const to = Math.ceil(endMs / stepMs) * stepMs;
  return useRequest(
    async (signal) => {
      const start = new Date(from).toISOString();
      const end = new Date(to).toISOString();
      if (hasLevels) {
        const query = { start, end, maxPoints: POINT_COUNT, valueDownsamplers: 'most_often' };
        return chartColumns(await readColumns(stream.id, query, signal));
      }
      const raw = { granularity: stream.highestGranularity, reverse: true, live: null };
      const [before, within] = await Promise.all([
        readColumns(stream.id, { ...raw, endExclusive: start, limit: 1 }, signal),
        readColumns(stream.id, { ...raw, start, end, limit: RAW_COUNT_MAX }, signal),
      ]);
      const columns = chartColumns(within);
      if (!columns.isRaw) return NO_COLUMNS;
      return {
        ...columns,
        timestamps: [...columns.timestamps, ...before.timestamps].reverse(),
        letters: { m: [...(columns.letters['m'] ?? []), ...(before.values ?? [])].reverse() },
      };
    },
    [stream.id, from, to],
  );
}
