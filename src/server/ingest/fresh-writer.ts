import type { Datastream } from '../../api/datastream.ts';
import type { KnownStreams } from './known-streams.ts';
import { cutMs, sliceRows } from './rows.ts';
import type { Target } from './targets.ts';
import { refusalOf } from './write-errors.ts';
import { writePlan } from './write-plan.ts';
import type { WriteReport } from './write-report.ts';

/** Another process may have stored the same: then it is refused, and looked at. */
const NEWER = Object.freeze({ checkTimestamp: 'newer' });

interface FreshWriterParts {
  readonly datastream: Datastream;
  readonly streams: KnownStreams;
  readonly report: WriteReport;
  readonly levelsFollow: boolean;
}

/** Rows that are stored together or not at all: all of their targets, or one of each. */
interface Part {
  readonly targets: readonly Target[];
  readonly row: number | null;
  readonly stored: Promise<void>;
}

/**
 * Stores rows that seem to be later than all that their streams have, in order, by the quickest ways: instant by
 * instant where many streams have the same ones, else as columns, all asked for in the same turn so that they
 * share commits.
 * @param targets of different streams.
 * @returns rows of which nothing is stored because something is wrong with them, or others stored with them.
 */
export async function writeFresh(
  targets: readonly Target[],
  parts: FreshWriterParts,
): Promise<readonly Target[]> {
  const asked = ask(targets, parts);
  const results = await Promise.allSettled(asked.map(({ stored }) => stored));
  const refused: Target[] = [];
  let failure: PromiseRejectedResult | null = null;
  for (const [index, result] of results.entries()) {
    const part = asked[index]!;
    if (result.status === 'fulfilled') noteStored(part, parts);
    else if (refusalOf(result.reason) === null) failure = result;
    else refused.push(...targetsOf(part));
  }
  if (failure !== null) throw failure.reason;
  return refused;
}

function ask(
  targets: readonly Target[],
  { datastream, levelsFollow }: FreshWriterParts,
): readonly Part[] {
  const { columns, grids } = writePlan(targets, { levelsFollow });
  const asked: Part[] = [];
  for (const grid of grids) {
    const ids = grid.map(({ stream }) => stream.id);
    for (const [row, timestampMs] of grid[0]!.rows.timestamps.entries()) {
      const values = new Float64Array(grid.length);
      for (let at = 0; at < values.length; at++) {
        values[at] = grid[at]!.rows.values[row] as number;
      }
      asked.push({
        targets: grid,
        row,
        stored: datastream.appendTick(timestampMs, ids, values, NEWER),
      });
    }
  }
  for (const target of columns) {
    const { timestamps, values } = target.rows;
    const stored = datastream.appendColumns(target.stream.id, { timestamps, values }, NEWER);
    asked.push({ targets: [target], row: null, stored });
  }
  return asked;
}

function noteStored({ targets, row }: Part, { report, streams }: FreshWriterParts): void {
  for (const { rows, stream } of targets) {
    const { timestamps } = rows;
    const lastMs = cutMs(timestamps[row ?? timestamps.length - 1]!, stream.stepMs);
    report.acceptedCount += row === null ? timestamps.length : 1;
    report.noteStored(lastMs);
    streams.noteStored(stream, lastMs);
  }
}

function targetsOf({ targets, row }: Part): readonly Target[] {
  if (row === null) return targets;
  return targets.map(({ stream, rows }) => ({
    stream,
    rows: { series: rows.series, ...sliceRows(rows, row, row + 1) },
  }));
}
