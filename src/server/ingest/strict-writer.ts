import type { Datastream } from '../../api/datastream.ts';
import { sortRows } from './duplicate-rows.ts';
import type { SeriesRows } from './ingest-batch.ts';
import type { KnownStream, KnownStreams } from './known-streams.ts';
import { isNumericSeries } from './new-streams.ts';
import { mayNotReplace } from './problems.ts';
import { cutMs, valueAt } from './rows.ts';
import { SeriesResolver } from './series-resolver.ts';
import { storedAtRows } from './stored-rows.ts';
import type { StreamTurns } from './stream-turns.ts';
import { mergedByStream, type Target } from './targets.ts';
import { untilUnchanged } from './until-unchanged.ts';
import { refusalOf } from './write-errors.ts';
import type { WriteOptions } from './write-options.ts';
import type { WriteReport } from './write-report.ts';

interface Item {
  readonly streamId: string;
  readonly value: unknown;
  readonly timestamp: number;
}

/** What is to be stored of a request, in one step. */
interface Plan {
  readonly added: readonly Item[];
  readonly replacing: readonly Item[];
  readonly duplicateCount: number;
  readonly replacedCount: number;
  /** Of the streams, as they were compared with. */
  readonly versions: Readonly<Record<string, string>>;
}

/** Stores everything, or nothing where there is any problem. */
export class StrictWriter {
  readonly #datastream: Datastream;
  readonly #streams: KnownStreams;
  readonly #turns: StreamTurns;
  readonly #report: WriteReport;
  readonly #options: WriteOptions;

  constructor(
    parts: {
      readonly datastream: Datastream;
      readonly streams: KnownStreams;
      readonly turns: StreamTurns;
    },
    { report, options }: { readonly report: WriteReport; readonly options: WriteOptions },
  ) {
    this.#datastream = parts.datastream;
    this.#streams = parts.streams;
    this.#turns = parts.turns;
    this.#report = report;
    this.#options = options;
  }

  /** @returns the streams with their rows; none when the request is refused. */
  async write(all: readonly SeriesRows[]): Promise<readonly Target[]> {
    const { problems } = this.#report;
    const rowCount = all.reduce((sum, { timestamps }) => sum + timestamps.length, 0);
    const countBefore = problems.count;
    /** Rows that have no problem of their own count, too: nothing is stored. */
    const refuse = (): readonly Target[] => {
      problems.addUnnamed(rowCount - (problems.count - countBefore));
      return [];
    };
    if (countBefore > 0) return refuse();
    const resolver = new SeriesResolver(
      { datastream: this.#datastream, streams: this.#streams },
      this.#options,
      (rows, refusal) => problems.addAll(rows.lines, refusal),
    );
    const found = await resolver.find(all);
    for (const target of found) this.#checkValues(target);
    if (problems.count > countBefore) return refuse();
    const targets = mergedByStream(await resolver.create(found));
    if (problems.count > countBefore) return refuse();
    return this.#turns.take(
      targets.map(({ stream }) => stream.id),
      async () => {
        try {
          return (await untilUnchanged(() => this.#store(targets))) ? targets : refuse();
        } catch (error) {
          const refusal = refusalOf(error);
          if (refusal === null) throw error;
          this.#streams.forget(targets.map(({ stream }) => stream.id));
          problems.add({ line: null, code: refusal.code, detail: refusal.detail });
          return refuse();
        }
      },
    );
  }

  /** What the engine would say of a value, with the line. */
  #checkValues({ rows, stream }: Target<KnownStream | null>): void {
    if (rows.values instanceof Float64Array) return;
    const isNumeric =
      stream === null ? isNumericSeries(rows.values) : stream.valueType === 'numeric';
    if (!isNumeric) return;
    for (const [row, value] of rows.values.entries()) {
      const isText = typeof value === 'string' && stream?.isHighAccuracy !== true;
      if (!isText && typeof value !== 'boolean') continue;
      this.#report.problems.add({
        line: rows.lines[row]!,
        code: 'INVALID_VALUE',
        detail: `The stream of ${rows.series.key} is numeric: it takes no ${typeof value}.`,
      });
    }
  }

  /** Whether it was stored: not where something is to be replaced that may not be. */
  async #store(targets: readonly Target[]): Promise<boolean> {
    const report = this.#report;
    const countBefore = report.problems.count;
    const { added, replacing, duplicateCount, replacedCount, versions } = await this.#plan(targets);
    if (report.problems.count > countBefore) return false;
    // One step for all: where something is replaced, what is new is stored by the same call.
    if (replacing.length > 0) await this.#datastream.upsertMultiple([...added, ...replacing]);
    else {
      const options = { checkTimestamp: false, expectVersions: versions };
      await this.#datastream.appendMultiple(added, options);
    }
    report.duplicateCount += duplicateCount;
    report.acceptedCount += added.length + replacing.length + replacedCount;
    for (const { rows, stream } of targets) {
      for (const givenMs of rows.timestamps) {
        const timestampMs = cutMs(givenMs, stream.stepMs);
        report.noteStored(timestampMs);
        this.#streams.noteStored(stream, timestampMs);
      }
    }
    return true;
  }

  async #plan(targets: readonly Target[]): Promise<Plan> {
    const { duplicates, mayReplace } = this.#options;
    const added: Item[] = [];
    const replacing: Item[] = [];
    let duplicateCount = 0;
    let replacedCount = 0;
    const versions: Record<string, string> = {};
    for (const { rows, stream } of targets) {
      const itemAt = (row: number): Item => ({
        streamId: stream.id,
        value: valueAt(rows, row),
        timestamp: rows.timestamps[row]!,
      });
      if (duplicates === 'keep') {
        for (const row of rows.timestamps.keys()) added.push(itemAt(row));
        continue;
      }
      versions[stream.id] = await this.#streams.refresh(stream);
      const stored = await storedAtRows(this.#datastream, stream, rows);
      const sorted = sortRows(stream, rows, { duplicates, stored });
      for (const row of sorted.added) added.push(itemAt(row));
      for (const row of sorted.replacing) replacing.push(itemAt(row));
      if (sorted.replacing.length > 0 && !mayReplace(stream)) {
        const lines = sorted.replacing.map((row) => rows.lines[row]!);
        this.#report.problems.addAll(lines, mayNotReplace(stream.id));
      }
      duplicateCount += sorted.duplicateCount;
      replacedCount += sorted.replacedCount;
    }
    return { added, replacing, duplicateCount, replacedCount, versions };
  }
}
