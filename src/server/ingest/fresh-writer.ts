import type { Datastream } from '../../api/datastream.ts';
import type { KnownStreams } from './known-streams.ts';
import { cutMs } from './rows.ts';
import type { Target } from './targets.ts';
import { refusalOf } from './write-errors.ts';
import type { WriteReport } from './write-report.ts';

interface FreshWriterParts {
  readonly datastream: Datastream;
  readonly streams: KnownStreams;
  readonly report: WriteReport;
  /** Whether rows may be older than what their streams have. */
  readonly mayBeLate: boolean;
}

/** Targets that are stored together or not at all. */
interface Part {
  readonly targets: readonly Target[];
  readonly stored: Promise<void>;
}

/**
 * Stores rows that nothing seems to be wrong with by the quickest ways: streams that have one row at the same
 * instant as a tick, others as columns, all asked for in the same turn so that they share commits.
 * @param targets of different streams.
 * @returns those of which nothing is stored because something was wrong.
 */
export async function writeFresh(
  targets: readonly Target[],
  parts: FreshWriterParts,
): Promise<readonly Target[]> {
  const { columns, ticks } = planned(targets);
  const options = { checkTimestamp: !parts.mayBeLate };
  const asked: Part[] = ticks.map((tick) => ({ targets: tick, stored: appendTick(tick, parts) }));
  for (const target of columns) {
    const { timestamps, values } = target.rows;
    const stored = parts.datastream.appendColumns(
      target.stream.id,
      { timestamps, values },
      options,
    );
    asked.push({ targets: [target], stored });
  }
  const results = await Promise.allSettled(asked.map(({ stored }) => stored));
  const refused: Target[] = [];
  let failure: PromiseRejectedResult | null = null;
  for (const [index, result] of results.entries()) {
    const part = asked[index]!;
    if (result.status === 'fulfilled') noteStored(part.targets, parts);
    else if (refusalOf(result.reason) === null) failure = result;
    else refused.push(...part.targets);
  }
  if (failure !== null) throw failure.reason;
  return refused;
}

function planned(targets: readonly Target[]): {
  readonly columns: readonly Target[];
  readonly ticks: readonly (readonly Target[])[];
} {
  const columns: Target[] = [];
  const ticks = new Map<number, Target[]>();
  for (const target of targets) {
    const { timestamps, values } = target.rows;
    const isTickRow = timestamps.length === 1 && values instanceof Float64Array;
    if (!isTickRow || target.stream.valueType !== 'numeric') columns.push(target);
    else {
      const tick = ticks.get(timestamps[0]!);
      if (tick === undefined) ticks.set(timestamps[0]!, [target]);
      else tick.push(target);
    }
  }
  const real = [...ticks.values()].filter(({ length }) => length > 1);
  for (const alone of ticks.values()) if (alone.length === 1) columns.push(alone[0]!);
  return { columns, ticks: real };
}

function appendTick(targets: readonly Target[], { datastream }: FreshWriterParts): Promise<void> {
  return datastream.appendTick(
    targets[0]!.rows.timestamps[0],
    targets.map(({ stream }) => stream.id),
    Float64Array.from(targets, ({ rows }) => rows.values[0] as number),
  );
}

function noteStored(targets: readonly Target[], { report, streams }: FreshWriterParts): void {
  for (const { rows, stream } of targets) {
    let lastMs = Number.NEGATIVE_INFINITY;
    for (const timestampMs of rows.timestamps) if (timestampMs > lastMs) lastMs = timestampMs;
    lastMs = cutMs(lastMs, stream.stepMs);
    report.acceptedCount += rows.timestamps.length;
    report.noteStored(lastMs);
    streams.noteStored(stream, lastMs);
  }
}
