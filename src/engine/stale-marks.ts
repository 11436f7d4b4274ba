import type { Backend, Expectation } from '../backends/backend.ts';
import type { GranularityName } from '../model/granularity.ts';
import { addRanges } from '../model/staleness.ts';
import type { StreamId, StreamRecord } from '../model/stream.ts';
import type { TimeRange } from '../model/time-range.ts';

/** Changed ranges of levels of one stream, on their way to the records of what derives from them. */
export class StaleMarks {
  readonly #byDependent = new Map<StreamId, TimeRange[]>();

  /** Notes that a range of a level changed. */
  add(record: StreamRecord, granularity: GranularityName, range: TimeRange): void {
    for (const dependent of record.dependents) {
      if (dependent.granularity !== granularity) continue;
      const ranges = this.#byDependent.get(dependent.streamId) ?? [];
      ranges.push(range);
      this.#byDependent.set(dependent.streamId, ranges);
    }
  }

  /** Dependents of the stream that have marks. */
  of({ dependents }: StreamRecord): readonly StreamId[] {
    const streamIds = dependents.map(({ streamId }) => streamId);
    return streamIds.filter((streamId) => this.#byDependent.has(streamId));
  }

  /** The dependents' records with the marks, and the expectation that they are what was read here. */
  async resolve(backend: Backend): Promise<{
    readonly records: readonly StreamRecord[];
    readonly expect: readonly Expectation[];
  }> {
    const records: StreamRecord[] = [];
    const expect: Expectation[] = [];
    const snapshots = await backend.readStreams([...this.#byDependent.keys()]);
    for (const snapshot of snapshots) {
      if (snapshot === null) continue;
      const { record, revision } = snapshot;
      const stale = addRanges(record.stale, this.#byDependent.get(record.id)!);
      expect.push({ streamId: record.id, revision });
      if (stale !== record.stale) records.push({ ...record, stale });
    }
    return { records, expect };
  }
}
