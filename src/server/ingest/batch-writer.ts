import type { Datastream } from '../../api/datastream.ts';
import { eachAtOnce } from './each-at-once.ts';
import { writeFresh } from './fresh-writer.ts';
import type { SeriesRows } from './ingest-batch.ts';
import { KnownStreams } from './known-streams.ts';
import { ensureRates } from './rate-streams.ts';
import { RowWriter } from './row-writer.ts';
import { areAllNewer } from './rows.ts';
import { SeriesResolver } from './series-resolver.ts';
import { StreamTurns } from './stream-turns.ts';
import { StrictWriter } from './strict-writer.ts';
import { mergedByStream, type Target } from './targets.ts';
import type { WriteOptions } from './write-options.ts';
import type { WriteReport } from './write-report.ts';

/** How often rows are written whose stream was deleted under them. */
const TRY_COUNT_MAX = 3;
/** Streams whose late rows are looked at one by one, at once. */
const CAREFUL_COUNT_MAX = 64;

export interface BatchWriterOptions {
  /** Streams that are remembered by their tags, at most. */
  readonly streamCountMax?: number;
  /** How long tags found once lead to a stream, where another process may change them. */
  readonly streamAgeMaxMs?: number;
  readonly nowMs: () => number;
  /** Whether the levels of what is written follow it, `liveDownsampling`. Default: false. */
  readonly levelsFollow?: boolean;
  /** Told when a stream of rates cannot be made; datapoints are stored all the same. */
  readonly onRatesRefused?: (error: Error) => void;
}

/**
 * The one way from requests to datapoints: finds or creates the streams of series, knows late rows and
 * duplicates, and stores everything else by the quickest way. A datapoint is stored as a whole or not at all, and
 * what is wrong with one is no harm to others. Requests may overlap.
 */
export class BatchWriter {
  readonly #datastream: Datastream;
  readonly #streams: KnownStreams;
  readonly #turns = new StreamTurns();
  readonly #levelsFollow: boolean;
  readonly #onRatesRefused: (error: Error) => void;

  constructor(datastream: Datastream, options: BatchWriterOptions) {
    const { streamCountMax = 100_000, streamAgeMaxMs = 300_000, nowMs } = options;
    this.#datastream = datastream;
    this.#streams = new KnownStreams(datastream, {
      streamCountMax,
      ageMaxMs: streamAgeMaxMs,
      nowMs,
    });
    this.#levelsFollow = options.levelsFollow ?? false;
    this.#onRatesRefused = options.onRatesRefused ?? (() => {});
  }

  /** Forgets what is known of streams that were changed or deleted; without ids, of all. */
  forget(streamIds?: Iterable<string>): void {
    this.#streams.forget(streamIds);
  }

  /**
   * Writes rows, and says in the report what became of each. Parts of one request may be written one after the
   * other with the same report; one that is strict is all in one part.
   * @throws what is wrong with the store; some of the rows may be stored then. A repeat finds them.
   */
  async write(
    all: readonly SeriesRows[],
    report: WriteReport,
    options: WriteOptions,
  ): Promise<void> {
    if (options.isStrict) return this.#writeStrictly(all, report, options);
    let pending = all;
    for (let tryCount = 1; pending.length > 0; tryCount++) {
      const gone = await this.#writeOnce(pending, report, options);
      if (tryCount < TRY_COUNT_MAX) pending = gone;
      else {
        refuseGone(gone, report);
        return;
      }
    }
  }

  async #writeStrictly(
    all: readonly SeriesRows[],
    report: WriteReport,
    options: WriteOptions,
  ): Promise<void> {
    const parts = { datastream: this.#datastream, streams: this.#streams, turns: this.#turns };
    const targets = await new StrictWriter(parts, { report, options }).write(all);
    await this.#seeToRates(targets, options);
  }

  /** @returns rows whose streams are not there any more. */
  async #writeOnce(
    all: readonly SeriesRows[],
    report: WriteReport,
    options: WriteOptions,
  ): Promise<readonly SeriesRows[]> {
    const parts = { datastream: this.#datastream, streams: this.#streams };
    const resolver = new SeriesResolver(parts, options, (rows, refusal) =>
      report.problems.addAll(rows.lines, refusal),
    );
    const targets = mergedByStream(await resolver.create(await resolver.find(all)));
    await this.#seeToRates(targets, options);
    if (options.duplicates === 'keep') return this.#store(targets, report, options);
    const streamIds = targets.map(({ stream }) => stream.id);
    return this.#turns.take(streamIds, () => {
      // What was known of a stream before its turn came may be old.
      const current = targets.map((target) => {
        const stream = this.#streams.current(target.stream);
        return stream === target.stream ? target : { rows: target.rows, stream };
      });
      return this.#store(current, report, options);
    });
  }

  async #store(
    targets: readonly Target[],
    report: WriteReport,
    { duplicates, mayReplace }: WriteOptions,
  ): Promise<readonly SeriesRows[]> {
    const fresh: Target[] = [];
    const careful: Target[] = [];
    for (const target of targets) {
      const { stream, rows } = target;
      const isFresh = areAllNewer(rows, stream.stepMs, stream.latestMs);
      (isFresh ? fresh : careful).push(target);
    }
    const parts = { datastream: this.#datastream, streams: this.#streams, report };
    if (fresh.length > 0) {
      const levelsFollow = this.#levelsFollow;
      careful.push(...(await writeFresh(fresh, { ...parts, levelsFollow })));
    }
    const gone: SeriesRows[] = [];
    await eachAtOnce(careful, CAREFUL_COUNT_MAX, async ({ stream, rows }) => {
      const onGone = (lost: Omit<SeriesRows, 'series'>): void => {
        this.#streams.forget([stream.id]);
        gone.push({ series: rows.series, ...lost });
      };
      await new RowWriter(stream, { ...parts, mayReplace, onGone }).write(rows, duplicates);
    });
    return gone;
  }

  async #seeToRates(
    targets: readonly Target[],
    { newStreams, mayCreate, onCreated }: WriteOptions,
  ): Promise<void> {
    if (!newStreams.derivesRates) return;
    const counters = targets.filter(
      ({ rows, stream }) => rows.series.isCounter && !stream.hasRates && mayCreate(stream.tags),
    );
    await eachAtOnce(counters, CAREFUL_COUNT_MAX, async (target) => {
      const { createdIds, refusal } = await ensureRates(this.#datastream, target, newStreams);
      target.stream.hasRates = true;
      if (createdIds.length > 0) await onCreated(createdIds);
      if (refusal !== null) this.#onRatesRefused(refusal);
    });
  }
}

function refuseGone(gone: readonly SeriesRows[], { problems }: WriteReport): void {
  for (const { series, lines } of gone) {
    const detail = `The stream of ${series.key} was deleted while it was written to.`;
    problems.addAll(lines, { code: 'STREAM_NOT_FOUND', detail });
  }
}
