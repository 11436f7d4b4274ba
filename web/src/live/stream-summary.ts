import type { DataColumns, Json } from '../api/types.ts';
import { chartColumns, numberOf } from '../chart/columns.ts';
import type { LiveRows } from './live-columns.ts';

/** What the list shows of a stream's data. */
export interface StreamSummary {
  /** Newest raw datapoints, ascending; at most `RECENT_COUNT`. */
  readonly recent: LiveRows;
  /** The line of the last day of the history; empty where there are no numbers. */
  readonly trend: {
    readonly timestamps: readonly number[];
    readonly values: readonly (number | null)[];
  };
}

export const RECENT_COUNT = 8;
/** Points that a trend has room for. */
const TREND_COUNT_MAX = 120;

/** @param recent newest first, as it is asked for. */
export function summaryOf(recent: DataColumns, trend: DataColumns | null): StreamSummary {
  const columns = trend === null ? null : chartColumns(trend);
  return {
    recent: {
      timestamps: [...recent.timestamps].reverse(),
      values: [...(recent.values ?? [])].reverse(),
    },
    trend: {
      timestamps: columns?.timestamps ?? [],
      values: (columns?.letters['m'] ?? []).map(numberOf),
    },
  };
}

/**
 * The summary with new datapoints. Null when these are not all newer than the last one, so that it has to be read
 * anew: a correction, or something that an answer had already brought.
 */
export function withRows(
  summary: StreamSummary,
  { timestamps, values }: LiveRows,
): StreamSummary | null {
  const lastMs = summary.recent.timestamps.at(-1) ?? Number.NEGATIVE_INFINITY;
  if (timestamps.length === 0) return summary;
  if (timestamps[0]! <= lastMs) return null;
  const last = <T>(items: readonly T[], count: number): readonly T[] => items.slice(-count);
  const { recent, trend } = summary;
  return {
    recent: {
      timestamps: last([...recent.timestamps, ...timestamps], RECENT_COUNT),
      values: last<Json>([...recent.values, ...values], RECENT_COUNT),
    },
    trend: longerTrend(trend, { timestamps, values }),
  };
}

/** The trend with new points: one that is too near to the one before the last takes the last one's place. */
function longerTrend(trend: StreamSummary['trend'], rows: LiveRows): StreamSummary['trend'] {
  const timestamps = [...trend.timestamps];
  const values = [...trend.values];
  for (const [row, timestampMs] of rows.timestamps.entries()) {
    const spanMs = timestampMs - (timestamps[0] ?? timestampMs);
    const isNear = timestampMs - (timestamps.at(-2) ?? -Infinity) < spanMs / TREND_COUNT_MAX;
    if (isNear) {
      timestamps.pop();
      values.pop();
    }
    timestamps.push(timestampMs);
    values.push(numberOf(rows.values[row]));
  }
  return { timestamps, values };
}
