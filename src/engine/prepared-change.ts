import type { CommitOutcome, Expectation, LevelWrite, Write } from '../backends/backend.ts';
import type { GranularityName } from '../model/granularity.ts';
import type { StreamId, StreamRecord, StreamSnapshot } from '../model/stream.ts';
import type { TimeRange } from '../model/time-range.ts';
import type { EngineContext } from './context.ts';
import { StaleMarks } from './stale-marks.ts';

/** What maintenance has computed of one stream, ready to be committed, alone or together with others. */
export interface PreparedChange {
  /** The stream as it was when the computing began. */
  readonly snapshot: StreamSnapshot;
  /** What it was computed from, the stream itself included. */
  readonly expect: readonly Expectation[];
  /** The stream's new record, if it gets one. */
  readonly update: StreamRecord | null;
  readonly writes: readonly (Write | LevelWrite)[];
  /** Ranges of levels whose rows may be others now, for what derives from them. */
  readonly changed: readonly { readonly granularity: GranularityName; readonly range: TimeRange }[];
  /** Rows that it was computed from. */
  readonly inputRowCount: number;
  /** Whether nothing is left to do for the stream, as far as this kind of work goes. */
  readonly isComplete: boolean;
  /** To be called when it has become durable, with the streams that were marked stale. */
  readonly onCommitted: (marked: readonly StreamId[]) => void;
}

/**
 * Commits changes of streams that do not depend on each other in one step, with the marks that they leave.
 * @param together what is written to many of the streams at once.
 */
export async function commitChanges(
  context: EngineContext,
  changes: readonly PreparedChange[],
  together: readonly LevelWrite[] = [],
): Promise<CommitOutcome> {
  const marks = new StaleMarks();
  for (const { snapshot, changed } of changes) {
    for (const { granularity, range } of changed) marks.add(snapshot.record, granularity, range);
  }
  const { records, expect } = await marks.resolve(context.backend);
  const outcome = await context.backend.commit({
    expect: [...changes.flatMap((change) => change.expect), ...expect],
    update: [...changes.flatMap(({ update }) => update ?? []), ...records],
    writes: [...changes.flatMap(({ writes }) => writes), ...together],
  });
  if (outcome.isCommitted) {
    for (const { snapshot, onCommitted } of changes) onCommitted(marks.of(snapshot.record));
  }
  return outcome;
}
