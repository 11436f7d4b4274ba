import type { Datastream } from '../../../api/datastream.ts';
import type { Stream } from '../../../api/types.ts';
import { TIME_MAX_MS, TIME_MIN_MS } from '../../../model/time-range.ts';
import { Problem } from '../../http/problem.ts';
import type { NewStreamOptions } from '../../ingest/new-streams.ts';
import { type Aggregation, type BucketGrid, Buckets, type BucketValue } from './buckets.ts';
import { Equation, loopOf } from './equation.ts';
import { newReadings } from './readings.ts';
import { type Reading, Segments } from './segments.ts';
import {
  type Archive,
  detailsOf,
  gridOf,
  resolutionOf,
  type SeriesConfig,
  type SeriesDetails,
  type SomeDetails,
  tagsOf,
} from './series-config.ts';

/** How often readings are offered that others add to at the same time. */
const TRY_COUNT_MAX = 5;
/** Equations of equations, at most. */
const DEPTH_MAX = 20;

/** A series, and the stream that it is. */
export interface Series {
  readonly stream: Stream;
  readonly details: SeriesDetails;
}

export interface Appended {
  /** Readings in the request. */
  readonly count: number;
  readonly appended: number;
  readonly lastMs: number | null;
}

export interface FetchRange {
  /** Excluded. */
  readonly startMs: number;
  readonly endMs: number;
  /** Buckets, at most, the last ones. */
  readonly countMax: number;
}

/** Series of readings, which are streams with a tag `openorg`. Who may do what is up to the caller. */
export class OpenorgSeries {
  readonly #datastream: Datastream;
  readonly #newStreams: NewStreamOptions;
  /** Slugs that are being created by this process. */
  readonly #creating = new Set<string>();

  constructor(parts: {
    readonly datastream: Datastream;
    readonly newStreams: NewStreamOptions;
  }) {
    this.#datastream = parts.datastream;
    this.#newStreams = parts.newStreams;
  }

  /** All series, by slug. */
  async all(): Promise<readonly Series[]> {
    const found = new Map<string, Series>();
    // Stores look values up, not names: every series is one or the other.
    for (const is_public of [true, false]) {
      for await (const stream of this.#datastream.findStreams(tagsOf({ is_public }))) {
        const details = detailsOf(stream.tags);
        if (details === null || found.has(details.slug)) continue;
        found.set(details.slug, { stream, details });
      }
    }
    return [...found.values()].sort((a, b) => (a.details.slug < b.details.slug ? -1 : 1));
  }

  /** Null when there is none. */
  async find(slug: string): Promise<Series | null> {
    for await (const stream of this.#datastream.findStreams(tagsOf({ slug }))) {
      const details = detailsOf(stream.tags);
      if (details !== null) return { stream, details };
    }
    return null;
  }

  /**
   * Creates a series.
   * @param sources of a virtual one, by the slugs in its equation.
   * @returns its stream's id, null when there is one of that slug.
   * @throws {Problem} 400, what the engine says of the equation.
   */
  async create(
    details: SeriesDetails,
    sources: ReadonlyMap<string, Series>,
  ): Promise<string | null> {
    const { slug, equation } = details;
    if (this.#creating.has(slug) || (await this.find(slug)) !== null) return null;
    this.#creating.add(slug);
    try {
      const { valueDownsamplers, highestGranularity, retention } = this.#newStreams;
      const known = this.#datastream.supports.valueDownsamplers;
      return await this.#datastream.createStream(tagsOf({ slug }), {
        tags: tagsOf(details),
        valueDownsamplers:
          known === 'all'
            ? valueDownsamplers
            : valueDownsamplers.filter((name) => known.includes(name)),
        highestGranularity: coarsest([...sources.values()]) ?? highestGranularity,
        ...(retention !== undefined && { retention }),
        ...(equation !== null && derivation(new Equation(equation), sources)),
      });
    } finally {
      this.#creating.delete(slug);
    }
  }

  /** Gives a virtual series another equation. @throws {Problem} 400 */
  async redefine(
    { stream }: Series,
    equation: string,
    sources: ReadonlyMap<string, Series>,
  ): Promise<void> {
    const { deriveFrom, deriveArgs } = derivation(new Equation(equation), sources);
    await this.#datastream.updateStream(stream.id, { deriveFrom, deriveArgs });
    await this.#datastream.updateTags(stream.id, tagsOf({ equation }));
  }

  async describe({ stream }: Series, changes: SomeDetails): Promise<void> {
    await this.#datastream.updateTags(stream.id, tagsOf(changes));
  }

  /** @throws {OutstandingDependenciesError} */
  async remove({ stream }: Series): Promise<void> {
    await this.#datastream.deleteStreams({ stream_id: stream.id });
  }

  /**
   * The series of an equation, by slug.
   * @throws {Problem} 400 naming the slug that there is not, or the loop.
   */
  async sourcesOf(
    slug: string,
    equation: Equation,
    mayUse: (series: Series) => boolean,
  ): Promise<ReadonlyMap<string, Series>> {
    const { slugs } = equation;
    if (slugs.length === 0) throw badEquation('equation: it names no series.');
    const equations = await this.#equationsBelow(slugs, mayUse);
    const loop = loopOf(slug, slugs, (name) => equations.get(name)?.slugs ?? []);
    if (loop !== null) throw badEquation(`equation: a loop: ${loop.join(' → ')}.`);
    const sources = new Map<string, Series>();
    for (const name of slugs) {
      const series = await this.find(name);
      // What he may not see does not exist for him.
      if (series === null || !mayUse(series)) {
        throw badEquation(`equation: there is no series ${JSON.stringify(name)}.`);
      }
      sources.set(name, series);
    }
    return sources;
  }

  /**
   * The equation of a virtual series as people read it, down to series that are none, or that they may not see; null
   * for others.
   */
  async flattenedOf(
    { equation: text }: SeriesDetails,
    maySee: (series: Series) => boolean,
  ): Promise<string | null> {
    if (text === null) return null;
    try {
      const equation = new Equation(text);
      const equations = await this.#equationsBelow(equation.slugs, maySee);
      return equation.flattened((slug) => equations.get(slug) ?? null);
    } catch (error) {
      // Tags can be changed by other ways: what cannot be read is shown as it stands.
      if (error instanceof Problem) return text;
      throw error;
    }
  }

  /** Adds the readings that are newer than the last one, and leaves out the others. */
  async append(series: Series, readings: readonly Reading[]): Promise<Appended> {
    const { id } = series.stream;
    const { config } = series.details;
    // A period begins before its reading; a gauge may be read at the start.
    const firstMs = config.series_type === 'period' ? config.start : config.start - 1;
    for (let tryCount = 1; ; tryCount++) {
      const { latestDatapoint, highestGranularity } = await this.#datastream.getStream(id);
      const cut = readings.map(({ timestampMs, value }) => ({
        timestampMs: highestGranularity.bucketStart(timestampMs).getTime(),
        value,
      }));
      const lastMs = latestDatapoint?.getTime() ?? null;
      const added = newReadings(cut, Math.max(lastMs ?? firstMs, firstMs));
      const outcome = { count: readings.length, appended: added.length };
      if (added.length === 0) return { ...outcome, lastMs };
      try {
        await this.#datastream.appendColumns(
          id,
          {
            timestamps: Float64Array.from(added, ({ timestampMs }) => timestampMs),
            values: Float64Array.from(added, ({ value }) => value),
          },
          { checkTimestamp: 'newer' },
        );
        return { ...outcome, lastMs: added.at(-1)!.timestampMs };
      } catch (error) {
        // Somebody else's readings came first: some of these may be no news now.
        const isLate = (error as { code?: unknown }).code === 'INVALID_TIMESTAMP';
        if (!isLate || tryCount === TRY_COUNT_MAX) throw error;
      }
    }
  }

  /** The archive that has the aggregation at the resolution; without one, its finest. Null when there is none. */
  archiveOf(
    { details: { config } }: Series,
    {
      aggregation,
      resolution,
    }: { readonly aggregation: Aggregation; readonly resolution: string | null },
  ): Archive | null {
    const all = config.archives.filter((archive) => archive.aggregation_type === aggregation);
    if (resolution !== null) {
      return all.find((archive) => String(resolutionOf(config, archive)) === resolution) ?? null;
    }
    const lengthOf = (archive: Archive): number => {
      const grid = gridOf(config, archive);
      const endMs = grid.floor(config.start);
      return grid.next(endMs) - endMs;
    };
    return [...all].sort((a, b) => lengthOf(a) - lengthOf(b))[0] ?? null;
  }

  /** The buckets of an archive that are complete, with `startMs` < end ≤ `endMs`. */
  async *fetch(
    { stream, details: { config } }: Series,
    archive: Archive,
    range: FetchRange,
  ): AsyncGenerator<BucketValue, void, undefined> {
    const grid = gridOf(config, archive);
    const { latestDatapoint } = stream;
    if (latestDatapoint === null) return;
    const toMs = grid.floor(Math.min(range.endMs, latestDatapoint.getTime()));
    const startMs = Math.max(range.startMs, config.start);
    const countMax = Math.min(archive.count, range.countMax);
    const fromMs = Math.max(ceil(grid, startMs), endBefore(grid, toMs, countMax));
    if (!(fromMs < toMs)) return;
    const segments = new Segments(segmentOptions(config));
    const buckets = new Buckets({
      grid,
      aggregation: archive.aggregation_type,
      threshold: archive.threshold,
      fromMs,
      toMs,
    });
    const { id, highestGranularity } = stream;
    const before = await this.#datastream
      .getData(id, highestGranularity, { start: TIME_MIN_MS, end: fromMs, reverse: true })
      .slice(0, 1)
      .toArray();
    for (const { t, v } of before) {
      segments.next({ timestampMs: t.getTime(), value: numberOf(v) });
    }
    const data = this.#datastream.getData(id, highestGranularity, {
      startExclusive: fromMs,
      end: TIME_MAX_MS,
    });
    let lastMs = fromMs;
    for await (const { timestamps, values } of data.columnBlocks()) {
      for (let row = 0; row < timestamps.length; row++) {
        const timestampMs = timestamps[row]!;
        // Of equal instants the first counts.
        if (timestampMs === lastMs) continue;
        lastMs = timestampMs;
        yield* buckets.add(segments.next({ timestampMs, value: numberOf(values![row]) }));
        if (buckets.isOver) return;
      }
    }
  }

  async #equationsBelow(
    slugs: readonly string[],
    maySee: (series: Series) => boolean,
  ): Promise<ReadonlyMap<string, Equation>> {
    const equations = new Map<string, Equation>();
    let next = slugs;
    for (let depth = 0; next.length > 0; depth++) {
      if (depth === DEPTH_MAX) {
        throw badEquation(`equation: equations of equations, more than ${DEPTH_MAX} deep.`);
      }
      const below: string[] = [];
      for (const slug of next) {
        if (equations.has(slug)) continue;
        const series = await this.find(slug);
        const equation = series?.details.equation ?? null;
        if (equation === null || !maySee(series!)) continue;
        const parsed = new Equation(equation);
        equations.set(slug, parsed);
        below.push(...parsed.slugs);
      }
      next = below;
    }
    return equations;
  }
}

function badEquation(message: string): Problem {
  return new Problem(400, message, { field: 'equation' });
}

function derivation(equation: Equation, sources: ReadonlyMap<string, Series>) {
  const slugs = [...sources.keys()];
  const nameOf = (slug: string): string => `s${slugs.indexOf(slug)}`;
  return {
    deriveFrom: slugs.map((slug) => ({ name: nameOf(slug), stream: sources.get(slug)!.stream.id })),
    deriveOp: 'expression',
    deriveArgs: { expression: equation.expression(nameOf) },
  };
}

function coarsest(sources: readonly Series[]): string | undefined {
  const all = sources.map(({ stream }) => stream.highestGranularity);
  return all.sort((a, b) => b.durationMs - a.durationMs)[0]?.name;
}

/** Null for no data. */
function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

function segmentOptions({ series_type, start, heartbeat, counter_wrap }: SeriesConfig) {
  return {
    type: series_type,
    startMs: start,
    heartbeatMs: heartbeat === null ? null : heartbeat * 1000,
    counterWrap: counter_wrap,
  };
}

/** The first end that is not before an instant: buckets that begin earlier are left out. */
function ceil(grid: BucketGrid, timestampMs: number): number {
  const endMs = grid.floor(timestampMs);
  return endMs === timestampMs ? endMs : grid.next(endMs);
}

/** The end of a bucket so many buckets before another one. */
function endBefore(grid: BucketGrid, endMs: number, count: number): number {
  let beforeMs = endMs;
  for (let step = 0; step < count && beforeMs > -TIME_MAX_MS; step++) {
    beforeMs = grid.floor(beforeMs - 1);
  }
  return beforeMs;
}
