import type { Json } from '../api/types.ts';
import type { TimeWindow } from '../time/time-window.ts';
import { granularityMs } from '../time/units.ts';
import type { ChartColumns } from './columns.ts';

/** A time during which a stream had one state. */
export interface StateSegment {
  readonly startMs: number;
  readonly endMs: number;
  readonly state: string;
}

/**
 * States over a window. A raw datapoint holds until the next one, the last one until `untilMs`; a bucket for its own
 * length, with what came most often in it. Equal states beside each other are one; what is outside is cut off.
 */
export function stateSegments(
  columns: ChartColumns,
  { window, untilMs }: { readonly window: TimeWindow; readonly untilMs: number },
): readonly StateSegment[] {
  const { isRaw, timestamps, letters, granularity } = columns;
  const states = letters[isRaw ? 'm' : 'o'] ?? [];
  const bucketMs = granularityMs(granularity);
  const segments: StateSegment[] = [];
  for (const [row, timestampMs] of timestamps.entries()) {
    const value = states[row];
    if (value === null || value === undefined) continue;
    const nextMs = timestamps[row + 1] ?? Number.POSITIVE_INFINITY;
    const ownEndMs = isRaw
      ? Math.min(nextMs, Math.max(untilMs, timestampMs))
      : timestampMs + bucketMs;
    const startMs = Math.max(timestampMs, window.startMs);
    const endMs = Math.min(ownEndMs, nextMs, window.endMs);
    if (endMs <= startMs) continue;
    const state = stateText(value);
    const last = segments.at(-1);
    if (last?.state === state && last.endMs === startMs) {
      segments[segments.length - 1] = { ...last, endMs };
    } else segments.push({ startMs, endMs, state });
  }
  return segments;
}

export interface StateShare {
  readonly state: string;
  readonly durationMs: number;
  /** Of the time that is known. */
  readonly share: number;
}

/** How long each state lasted, the longest first. */
export function stateShares(segments: readonly StateSegment[]): readonly StateShare[] {
  const durations = new Map<string, number>();
  for (const { state, startMs, endMs } of segments) {
    durations.set(state, (durations.get(state) ?? 0) + endMs - startMs);
  }
  const wholeMs = [...durations.values()].reduce((a, b) => a + b, 0);
  return [...durations]
    .map(([state, durationMs]) => ({ state, durationMs, share: durationMs / wholeMs }))
    .sort((a, b) => b.durationMs - a.durationMs || a.state.localeCompare(b.state));
}

function stateText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
