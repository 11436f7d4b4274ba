import type { Datastream } from '../../api/datastream.ts';
import type { Stream, StreamDefinition } from '../../api/types.ts';
import { MultipleStreamsReturned, StreamNotFound } from '../../exceptions/errors.ts';
import { timestampStepMs } from '../../model/granularity.ts';
import type { StreamId } from '../../model/stream.ts';
import type { Tags } from '../../model/tags.ts';
import { Creations } from './creations.ts';
import type { Series } from './series.ts';

/** What the writer knows of a stream. */
export interface KnownStream {
  readonly id: StreamId;
  tags: Tags;
  readonly valueType: Stream['valueType'];
  readonly isHighAccuracy: boolean;
  readonly isDerived: boolean;
  /** Timestamps are cut to whole multiples of it. */
  readonly stepMs: number;
  /** Of its latest datapoint, as far as is known here; -Infinity when it has none. */
  latestMs: number;
  /** Whether streams with its rates have been seen to. */
  hasRates: boolean;
}

/** A stream of a series, and who made it: somebody else may be another process. */
export interface CreatedStream {
  readonly stream: KnownStream;
  readonly by: 'this call' | 'a call at the same time' | 'somebody else';
}

export interface KnownStreamsOptions {
  /** Streams and names of series that are remembered, at most. */
  readonly streamCountMax: number;
  /** How long a stream found by its tags is taken for that, while others may change tags. */
  readonly ageMaxMs: number;
  readonly nowMs: () => number;
}

/** Finds the streams of series, and remembers them: tags are looked up once. */
export class KnownStreams {
  readonly #datastream: Datastream;
  readonly #options: KnownStreamsOptions;
  readonly #found = new Map<string, { readonly id: StreamId; readonly foundMs: number }>();
  readonly #streams = new Map<StreamId, KnownStream>();
  /** Streams being created, so that requests at the same time make one. */
  readonly #creating = new Map<string, Promise<CreatedStream>>();
  /** The same, until their creators have been granted them. */
  readonly creations = new Creations();
  /** Grows when streams change: what was read before that is not remembered. */
  #changeCount = 0;

  constructor(datastream: Datastream, options: KnownStreamsOptions) {
    this.#datastream = datastream;
    this.#options = options;
  }

  /** The stream of a series, if it was found not long ago. */
  recent({ key }: Series): KnownStream | undefined {
    const found = this.#found.get(key);
    if (found === undefined) return undefined;
    const stream = this.#streams.get(found.id);
    const isOld = this.#options.nowMs() - found.foundMs > this.#options.ageMaxMs;
    if (stream !== undefined && !isOld) return stream;
    this.#found.delete(key);
    return undefined;
  }

  /** The same stream, as it is remembered now; if it is not, nothing is taken for granted about its datapoints. */
  current(stream: KnownStream): KnownStream {
    return this.#streams.get(stream.id) ?? { ...stream, latestMs: Number.POSITIVE_INFINITY };
  }

  /**
   * Reads the stream of a series; null when there is none yet.
   * @throws {StreamNotFound} for a series named by an id. {MultipleStreamsReturned} when its tags are those of
   * several streams.
   */
  async find(series: Series): Promise<KnownStream | null> {
    const changeCount = this.#changeCount;
    const described =
      series.query === null
        ? await this.#datastream.getStream(series.streamId!)
        : await this.#findByTags(series.query);
    return described === null ? null : this.#remember(series, described, changeCount);
  }

  /** Creates the stream of a series, or finds the one that somebody else has just created. */
  async create(series: Series, definition: StreamDefinition): Promise<CreatedStream> {
    const { key, query } = series;
    if (query === null) throw new StreamNotFound(series.streamId!);
    const present = this.#creating.get(key);
    if (present !== undefined) {
      const { stream, by } = await present;
      return { stream, by: by === 'this call' ? 'a call at the same time' : by };
    }
    const creating = this.#create(series, query, definition).finally(() => {
      this.#creating.delete(key);
    });
    this.#creating.set(key, creating);
    return creating;
  }

  /** Reads again until when the stream has datapoints. @returns its version. @throws {StreamNotFound} */
  async refresh(stream: KnownStream): Promise<string> {
    const { latestDatapoint, tags, version } = await this.#datastream.getStream(stream.id);
    stream.latestMs = latestDatapoint?.getTime() ?? Number.NEGATIVE_INFINITY;
    stream.tags = tags;
    return version;
  }

  noteStored(stream: KnownStream, timestampMs: number): void {
    const known = this.#streams.get(stream.id);
    if (known !== undefined && timestampMs > known.latestMs) known.latestMs = timestampMs;
  }

  /** Forgets streams that were changed or deleted; without ids, all. */
  forget(streamIds?: Iterable<string>): void {
    this.#changeCount++;
    if (streamIds === undefined) this.#found.clear();
    // Names of series that lead to them lead nowhere then.
    for (const id of streamIds ?? [...this.#streams.keys()]) this.#streams.delete(id as StreamId);
  }

  async #findByTags(query: Tags): Promise<Stream | null> {
    const [stream, other] = await this.#datastream.findStreams(query).slice(0, 2).toArray();
    if (other !== undefined) {
      throw new MultipleStreamsReturned(
        `More than one stream has the tags ${JSON.stringify(query)}: name the stream by its id.`,
      );
    }
    return stream ?? null;
  }

  async #create(series: Series, query: Tags, definition: StreamDefinition): Promise<CreatedStream> {
    for (;;) {
      const changeCount = this.#changeCount;
      const createdId = await this.#datastream.createStream(query, definition);
      const described =
        createdId === null
          ? await this.#findByTags(query)
          : await this.#datastream.getStream(createdId);
      // Null: somebody has deleted it since.
      if (described === null) continue;
      const stream = this.#remember(series, described, changeCount);
      return { stream, by: createdId === null ? 'somebody else' : 'this call' };
    }
  }

  #remember(series: Series, described: Stream, changeCount: number): KnownStream {
    const { id, tags, valueType, valueTypeOptions, highestGranularity, latestDatapoint } =
      described;
    const latestMs = latestDatapoint?.getTime() ?? Number.NEGATIVE_INFINITY;
    const known = this.#streams.get(id);
    const stream: KnownStream = {
      id,
      tags,
      valueType,
      isHighAccuracy: valueTypeOptions.highAccuracy === true,
      isDerived: described.derivedFrom !== null,
      stepMs: timestampStepMs(highestGranularity.name),
      latestMs: Math.max(latestMs, known?.latestMs ?? latestMs),
      hasRates: known?.hasRates ?? false,
    };
    if (changeCount !== this.#changeCount) return stream;
    this.#streams.delete(id);
    this.#streams.set(id, stream);
    this.#found.delete(series.key);
    this.#found.set(series.key, { id, foundMs: this.#options.nowMs() });
    trim(this.#streams, this.#options.streamCountMax);
    trim(this.#found, this.#options.streamCountMax);
    return stream;
  }
}

/** Drops what was put in first. */
function trim(map: Map<string, unknown>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return;
    map.delete(key);
  }
}
