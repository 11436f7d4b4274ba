import type { Input } from '../derive/operator.ts';
import type { SourceCursor } from './source-cursor.ts';

/** Takes one input; returns false to leave it, and to stop. The input object is reused. */
export type Visit = (input: Input) => boolean;

/**
 * Gives the inputs of all cursors in canonical order: by (timestamp, index of source, arrival), or in
 * exactly the opposite order when the cursors are reversed. May be called again after a stop.
 */
export async function mergeInputs(
  cursors: readonly SourceCursor[],
  visit: Visit,
  { isReverse = false }: { isReverse?: boolean } = {},
): Promise<void> {
  const input = { timestampMs: 0, source: 0, value: null as unknown };
  const lastSource = cursors.length - 1;
  for (const cursor of cursors) if (cursor.isStarved) await cursor.fill();
  for (;;) {
    // One pass finds the next instant and one takes its inputs: sources that tick together, however
    // many, cost two looks at each.
    const nextMs = isReverse ? latestMs(cursors) : earliestMs(cursors);
    if (!Number.isFinite(nextMs)) return;
    for (let step = 0; step <= lastSource; step++) {
      const source = isReverse ? lastSource - step : step;
      const cursor = cursors[source]!;
      while (cursor.timestampMs === nextMs) {
        input.timestampMs = nextMs;
        input.source = source;
        input.value = cursor.value;
        if (!visit(input)) return;
        cursor.advance();
        if (cursor.isStarved) await cursor.fill();
      }
    }
  }
}

function earliestMs(cursors: readonly SourceCursor[]): number {
  let nextMs = Number.POSITIVE_INFINITY;
  for (const { timestampMs } of cursors) if (timestampMs < nextMs) nextMs = timestampMs;
  return nextMs;
}

function latestMs(cursors: readonly SourceCursor[]): number {
  let nextMs = Number.NEGATIVE_INFINITY;
  for (const { timestampMs } of cursors) if (timestampMs > nextMs) nextMs = timestampMs;
  return nextMs;
}
