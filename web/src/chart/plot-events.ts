import type { StreamInfo } from '../api/types.ts';
import { streamTitle, textTag } from '../format/stream-title.ts';
import { type ChartColumns, drawnTimes, numberOf } from './columns.ts';

/** Something that happened, to be marked over a chart. */
export interface PlotEvent {
  readonly timeMs: number;
  readonly label: string;
  readonly message: string;
  readonly color: number;
}

/** Where a stream of events has some: every raw datapoint, or every bucket with a count above zero. */
export function plotEvents(
  stream: StreamInfo,
  columns: ChartColumns,
  color: number,
): readonly PlotEvent[] {
  const label = textTag(stream.tags, 'label') || streamTitle(stream);
  const message = textTag(stream.tags, 'message');
  const counts = columns.letters['c'];
  return drawnTimes(columns).flatMap((timeMs, row) => {
    const count = columns.isRaw ? 1 : (numberOf(counts?.[row]) ?? 0);
    return count > 0 ? [{ timeMs, label, message, color }] : [];
  });
}
