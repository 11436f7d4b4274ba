import type { SeriesRows } from './ingest-batch.ts';
import type { KnownStream } from './known-streams.ts';
import { joinRows } from './rows.ts';

/** Rows with the stream that they belong to; null where it is still to be created. */
export interface Target<S extends KnownStream | null = KnownStream> {
  readonly rows: SeriesRows;
  readonly stream: S;
}

/** One target for each stream: a request may name it in several ways. Rows are in the order of their lines then. */
export function mergedByStream(targets: readonly Target[]): readonly Target[] {
  const byStream = new Map<string, Target[]>();
  for (const target of targets) {
    const same = byStream.get(target.stream.id);
    if (same === undefined) byStream.set(target.stream.id, [target]);
    else same.push(target);
  }
  if (byStream.size === targets.length) return targets;
  return Array.from(byStream.values(), (same) => {
    const [first] = same;
    if (same.length === 1) return first!;
    const rows = joinRows(same.map((target) => target.rows));
    return { stream: first!.stream, rows: { series: first!.rows.series, ...rows } };
  });
}
