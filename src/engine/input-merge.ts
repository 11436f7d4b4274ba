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
  const choose = isReverse ? latestCursor : earliestCursor;
  for (;;) {
    for (const cursor of cursors) if (cursor.isStarved) await cursor.fill();
    for (;;) {
      const source = choose(cursors);
      const cursor = cursors[source];
      if (cursor === undefined || !Number.isFinite(cursor.timestampMs)) return;
      input.timestampMs = cursor.timestampMs;
      input.source = source;
      input.value = cursor.value;
      if (!visit(input)) return;
      cursor.advance();
      if (cursor.isStarved) break;
    }
  }
}

function earliestCursor(cursors: readonly SourceCursor[]): number {
  let chosen = 0;
  for (let i = 1; i < cursors.length; i++) {
    if (cursors[i]!.timestampMs < cursors[chosen]!.timestampMs) chosen = i;
  }
  return chosen;
}

function latestCursor(cursors: readonly SourceCursor[]): number {
  let chosen = 0;
  for (let i = 1; i < cursors.length; i++) {
    if (cursors[i]!.timestampMs >= cursors[chosen]!.timestampMs) chosen = i;
  }
  return chosen;
}
