import { setTimeout } from 'node:timers/promises';
import type { Datastream } from '../../api/datastream.ts';
import { eachAtOnce } from './each-at-once.ts';
import type { SeriesRows } from './ingest-batch.ts';
import type { CreatedStream, KnownStream, KnownStreams } from './known-streams.ts';
import { definitionFor } from './new-streams.ts';
import { type IngestProblem, PROBLEM } from './problems.ts';
import type { Target } from './targets.ts';
import { refusalOf } from './write-errors.ts';
import type { WriteOptions } from './write-options.ts';

/** Series that are looked up, or created, at once. */
const CONCURRENCY = 32;
/** How long a stream may be nobody's that another process has created, or another route, and how often this is asked. */
const GRANT_WAIT_MS = 1000;
const LOOK_MS = 20;

type Refusal = Pick<IngestProblem, 'code' | 'detail'>;

/** Finds the streams of series for one who may not append to all of them. */
export class SeriesResolver {
  readonly #datastream: Datastream;
  readonly #streams: KnownStreams;
  readonly #options: WriteOptions;
  readonly #onRefused: (rows: SeriesRows, refusal: Refusal) => void;

  /** @param onRefused takes rows that cannot be stored, and why. */
  constructor(
    parts: { readonly datastream: Datastream; readonly streams: KnownStreams },
    options: WriteOptions,
    onRefused: (rows: SeriesRows, refusal: Refusal) => void,
  ) {
    this.#datastream = parts.datastream;
    this.#streams = parts.streams;
    this.#options = options;
    this.#onRefused = onRefused;
  }

  /** Finds streams; those that are to be created are null. In the order of the rows. */
  async find(all: readonly SeriesRows[]): Promise<readonly Target<KnownStream | null>[]> {
    const streams: (KnownStream | null | undefined)[] = [];
    const missing: number[] = [];
    for (const { series } of all) {
      const stream = this.#streams.recent(series);
      if (stream === undefined) missing.push(streams.length);
      streams.push(stream);
    }
    await eachAtOnce(missing, CONCURRENCY, async (index) => {
      const rows = all[index]!;
      streams[index] = await this.#orRefused(rows, () => this.#streams.find(rows.series));
    });
    const targets: Target<KnownStream | null>[] = [];
    for (let index = 0; index < streams.length; index++) {
      const stream = streams[index];
      if (stream === undefined) continue;
      const rows = all[index]!;
      let problem = this.#refusalFor(rows, stream);
      const creating = problem && this.#streams.creations.running(rows.series.key);
      if (creating) {
        await creating;
        problem = this.#refusalFor(rows, stream);
      }
      if (problem === null) targets.push({ rows, stream });
      else this.#onRefused(rows, problem);
    }
    return targets;
  }

  /** Creates the streams that are not there. */
  async create(targets: readonly Target<KnownStream | null>[]): Promise<readonly Target[]> {
    if (targets.every(isThere)) return targets;
    const missing = targets.filter(({ stream }) => stream === null).map(({ rows }) => rows);
    const keys = missing.map(({ series }) => series.key);
    const { creations } = this.#streams;
    const created = await creations.run(keys, () => this.#createAll(missing));
    const streams = new Map(created.map(([rows, { stream }]) => [rows, stream]));
    const deadlineMs = performance.now() + GRANT_WAIT_MS;
    const others = created.filter(([, { by }]) => by !== 'this call');
    await eachAtOnce(others, CONCURRENCY, async ([rows, found]) => {
      const problem = await this.#refusalForFound(rows, found, deadlineMs);
      if (problem === null) return;
      streams.delete(rows);
      this.#onRefused(rows, problem);
    });
    return targets
      .map(({ rows, stream }) => ({ rows, stream: stream ?? streams.get(rows) ?? null }))
      .filter(isThere);
  }

  async #createAll(
    missing: readonly SeriesRows[],
  ): Promise<readonly (readonly [SeriesRows, CreatedStream])[]> {
    const all: [SeriesRows, CreatedStream][] = [];
    try {
      await eachAtOnce(missing, CONCURRENCY, async (rows) => {
        const definition = definitionFor(this.#datastream, rows, this.#options.newStreams);
        const created = await this.#orRefused(rows, () =>
          this.#streams.create(rows.series, definition),
        );
        if (created !== undefined) all.push([rows, created]);
      });
    } finally {
      // Also when another one fails: these are there.
      const ids = all.filter(([, { by }]) => by === 'this call').map(([, { stream }]) => stream.id);
      if (ids.length > 0) await this.#options.onCreated(ids);
    }
    return all;
  }

  /** Why he may not append to a stream that he was to create, and that somebody was faster with. */
  async #refusalForFound(
    rows: SeriesRows,
    { stream, by }: CreatedStream,
    deadlineMs: number,
  ): Promise<Refusal | null> {
    // Somebody may be himself, on another connection. Those that wait here have seen to their own grants.
    if (this.#refusalFor(rows, stream) !== null) {
      await this.#streams.creations.running(rows.series.key);
    }
    for (;;) {
      // Asked first: once it is somebody's, what the grants say is final.
      const isFinal = by !== 'somebody else' || this.#options.isOwned(stream.id);
      const problem = this.#refusalFor(rows, stream);
      if (problem === null || isFinal || performance.now() > deadlineMs) return problem;
      await setTimeout(LOOK_MS);
    }
  }

  #refusalFor(rows: SeriesRows, stream: KnownStream | null): Refusal | null {
    const { mayAppend, mayCreate, newStreams } = this.#options;
    const { query, streamId } = rows.series;
    // The same, whether there is such a stream or not: that is not everybody's to know.
    const what = `write to a stream with the tags ${JSON.stringify(query)}`;
    if (stream !== null) {
      if (mayAppend(stream)) return null;
      return notPermitted(query === null ? `append to stream ${streamId}` : what);
    }
    const { tags = {} } = definitionFor(this.#datastream, rows, newStreams);
    return mayCreate(tags) ? null : notPermitted(what);
  }

  /** Undefined where the error is about the series alone. */
  async #orRefused<T>(rows: SeriesRows, find: () => Promise<T>): Promise<T | undefined> {
    try {
      return await find();
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal === null) throw error;
      this.#onRefused(rows, refusal);
      return undefined;
    }
  }
}

function isThere(target: Target<KnownStream | null>): target is Target {
  return target.stream !== null;
}

function notPermitted(what: string): Refusal {
  return { code: PROBLEM.notPermitted, detail: `You may not ${what}.` };
}
