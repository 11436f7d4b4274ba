import type { Backend, StreamSize } from '../backends/backend.ts';
import {
  type AppendItem,
  copyValues,
  cutTimestamps,
  type StoredDatapoint,
} from '../engine/append-request.ts';
import { Appender } from '../engine/appender.ts';
import type { EngineContext } from '../engine/context.ts';
import { type Correction, correct } from '../engine/corrector.ts';
import { type GivenItem, itemGridOf } from '../engine/item-grid.ts';
import { LEASE_DURATION_MS } from '../engine/lease.ts';
import { Membership } from '../engine/membership.ts';
import { stalenessOf } from '../engine/staleness-report.ts';
import { InvalidValue, NotSupported } from '../exceptions/errors.ts';
import type { DatastreamWarning } from '../exceptions/warnings.ts';
import type { Column } from '../model/block.ts';
import type { StreamId } from '../model/stream.ts';
import { mergeTags, removeTagPaths, type Tags } from '../model/tags.ts';
import { instantMs } from '../model/timestamp.ts';
import { copyPlain } from '../model/value-json.ts';
import {
  type ChangesOptions,
  checkChangesOptions,
  type StreamEvent,
  streamEvents,
} from './change-feed.ts';
import { checkChanges } from './changes.ts';
import { checkDeletion, checkReplacement, checkUpserts } from './corrections.ts';
import { checkDataRequest } from './data-request.ts';
import { Datapoints } from './datapoints.ts';
import { checkDefinition, isDeriveQuery } from './definition.ts';
import { describeStream } from './describe-stream.ts';
import { MaintenanceRunner } from './maintenance-runner.ts';
import {
  checkAppendOptions,
  checkDatastreamOptions,
  checkItems,
  checkStatusOptions,
  checkStreamId,
} from './option-checks.ts';
import { describeStaleness } from './staleness.ts';
import { StreamCatalog } from './stream-catalog.ts';
import { StreamChanger } from './stream-changer.ts';
import { Streams, selectSnapshots } from './streams.ts';
import { checkQuery, checkTags } from './tag-checks.ts';
import type {
  AppendedDatapoint,
  AppendOptions,
  BackprocessOptions,
  DataRange,
  DatastreamOptions,
  DownsampleOptions,
  GivenGranularity,
  ReplacingData,
  StatusOptions,
  Stream,
  StreamChanges,
  StreamDefinition,
  StreamStatus,
  TimeBounds,
  VerifyOptions,
  VerifyReport,
} from './types.ts';

/** Tagged streams of datapoints on one store: append, read, downsample, derive. Calls may overlap. */
export class Datastream {
  readonly #backend: Backend;
  readonly #context: EngineContext;
  readonly #membership: Membership;
  readonly #catalog: StreamCatalog;
  readonly #changer: StreamChanger;
  readonly #appender: Appender;
  readonly #maintenance: MaintenanceRunner;

  /** Takes over an open backend; `close()` closes it. */
  constructor(backend: Backend, options: DatastreamOptions = {}) {
    checkDatastreamOptions(options);
    const { liveDownsampling = false } = options;
    if (liveDownsampling !== false && !backend.supports.liveLevels) {
      throw new NotSupported(
        `liveDownsampling needs a store whose levels can follow appends; ${backend.location} has none.`,
      );
    }
    const { now = () => new Date(), onWarning = emitProcessWarning } = options;
    this.#backend = backend;
    this.#context = {
      backend,
      nowMs: () => now().getTime(),
      warn: guarded(onWarning),
      liveLevels: liveDownsampling,
    };
    this.#appender = new Appender(this.#context);
    const onChanged = (ids: readonly StreamId[]): void => this.#appender.noteChanged(ids);
    this.#membership = new Membership(backend, onChanged);
    const membership = this.#membership;
    this.#catalog = new StreamCatalog(this.#context, { membership, onChanged });
    this.#changer = new StreamChanger(this.#context, onChanged);
    this.#maintenance = new MaintenanceRunner(this.#context, {
      membership,
      leaseDurationMs: options.leaseDurationMs ?? LEASE_DURATION_MS,
      onChanged,
    });
  }

  /** What the store can do. */
  get supports(): Backend['supports'] {
    return this.#backend.supports;
  }

  /**
   * Finds the stream whose tags contain the query tags, or creates it with both sets of tags. Of an
   * existing one the tags become exactly those; its downsamplers and granularity stay as they are.
   * @throws {MultipleStreamsReturned} when the query tags match more than one.
   * @throws {InconsistentStreamConfiguration} when value type, its options, or derivation differ.
   * @throws {UnsupportedDownsampler} {UnsupportedGranularity} {UnsupportedValueType}
   * {UnsupportedDeriveOperator} {IncompatibleGranularities} {IncompatibleTypes}
   * {InvalidOperatorArguments} {ReservedTagNameError} {StreamNotFound} for what the definition names.
   */
  async ensureStream(queryTags: Tags, definition: StreamDefinition): Promise<StreamId> {
    return this.#catalog.ensure(checkTags(queryTags, 'query tags'), checkDefinition(definition));
  }

  /**
   * Creates a stream as `ensureStream` does, unless there are streams whose tags contain the query tags: null then,
   * and they stay as they are. Of several calls at the same moment, in any process, one creates it.
   * @throws what `ensureStream` throws about the definition.
   */
  async createStream(queryTags: Tags, definition: StreamDefinition): Promise<StreamId | null> {
    return this.#catalog.create(checkTags(queryTags, 'query tags'), checkDefinition(definition));
  }

  /** @throws {StreamNotFound} */
  async getStream(streamId: string): Promise<Stream> {
    return describeStream(await this.#catalog.read(streamId), this.supports);
  }

  /** A copy of the user tags. @throws {StreamNotFound} */
  async getTags(streamId: string): Promise<Tags> {
    return (await this.getStream(streamId)).tags;
  }

  /** Lays tags over those that are there; nested objects merge. @throws {StreamNotFound} {ReservedTagNameError} */
  async updateTags(streamId: string, tags: Tags): Promise<void> {
    const changes = checkTags(tags, 'tags');
    await this.#catalog.changeTags(streamId, (present) => mergeTags(present, changes));
  }

  /** Removes a tag by its name, or by its path as in `{ a: { b: '' } }`. @throws {StreamNotFound} {ReservedTagNameError} */
  async removeTag(streamId: string, tag: string | Tags): Promise<void> {
    const paths = checkTags(typeof tag === 'string' ? { [tag]: '' } : tag, 'tag');
    await this.#catalog.changeTags(streamId, (present) => removeTagPaths(present, paths));
  }

  /** Puts tags in the place of all that are there. @throws {StreamNotFound} {ReservedTagNameError} */
  async replaceTags(streamId: string, tags: Tags): Promise<void> {
    const replacement = checkTags(tags, 'tags');
    await this.#catalog.changeTags(streamId, () => replacement);
  }

  /** Removes all user tags. @throws {StreamNotFound} */
  async clearTags(streamId: string): Promise<void> {
    await this.#catalog.changeTags(streamId, () => ({}));
  }

  /**
   * Changes the definition of a stream in one step: its value downsamplers, or what it derives from and how.
   * What follows from the new definition is stale, and is filled by the next maintenance run; until then
   * readers find what is there. The value type, and where raw datapoints live, never change.
   * @throws {StreamNotFound} {InconsistentStreamConfiguration} {OutstandingDependenciesError} when another
   * stream derives from what would go, and as `ensureStream` does; nothing is changed then.
   */
  async updateStream(streamId: string, changes: StreamChanges): Promise<void> {
    const id = checkStreamId(streamId);
    await this.#changer.change(id, checkChanges(changes));
    await this.#membership.settle(id);
    // Streams that began to match meanwhile have not seen the new query.
    if (changes.deriveFrom !== undefined && isDeriveQuery(changes.deriveFrom)) {
      await this.#membership.settleAll(id);
    }
  }

  /** Streams whose tags contain the query tags (`stream_id` selects by id), in creation order. Lazy. */
  findStreams(queryTags?: Tags): Streams {
    return new Streams(this.#backend, checkQuery(queryTags));
  }

  /**
   * Appends a datapoint; resolves when it, and what live derivation makes of it, is durable.
   * @param timestamp cut to the whole second, of a stream of milliseconds to one; default: now.
   * @throws {StreamNotFound} {AppendToDerivedStreamNotAllowed} {InvalidValue} {InvalidTimestamp}
   * {StreamAppendContended} {StreamAppendFailed}; nothing is stored then.
   */
  async append(
    streamId: string,
    value: unknown,
    timestamp?: Date | number,
    options: AppendOptions = {},
  ): Promise<AppendedDatapoint> {
    const [stored] = await this.#appender.append({
      kind: 'items',
      items: [appendItem({ streamId, value, timestamp })],
      ...checkAppendOptions(options),
    });
    return appendedDatapoint(stored!);
  }

  /** Appends datapoints of one or more streams, all or none. Otherwise as `append`, in the order given. */
  async appendMultiple(
    items: readonly {
      readonly streamId: string;
      readonly value: unknown;
      readonly timestamp?: Date | number | undefined;
    }[],
    options: AppendOptions = {},
  ): Promise<AppendedDatapoint[]> {
    checkItems(items, 'appendMultiple');
    if (items.length === 0) return [];
    const check = checkAppendOptions(options);
    const grid = itemGridOf(items, this.#backend.supports.timestampRange);
    const stored = await this.#appender.append(
      grid === null
        ? { kind: 'items', items: items.map(appendItem), ...check }
        : { kind: 'grid', grid, ...check },
    );
    return stored.map(appendedDatapoint);
  }

  /**
   * Appends many datapoints of one stream, all or none. The arrays stay the caller's.
   * @param columns epoch milliseconds, and values of the same length (NaN = null in a `Float64Array`).
   * @throws as `append` does.
   */
  async appendColumns(
    streamId: string,
    columns: { readonly timestamps: Float64Array; readonly values: Column },
    options: AppendOptions = {},
  ): Promise<void> {
    const check = checkAppendOptions(options);
    const { timestamps, values } = columns ?? {};
    if (!(timestamps instanceof Float64Array) || !isColumn(values)) {
      throw new TypeError(
        'appendColumns takes a Float64Array of timestamps and a column of values.',
      );
    }
    if (timestamps.length !== values.length) {
      throw new InvalidValue(
        `There are ${timestamps.length} timestamps and ${values.length} values.`,
      );
    }
    await this.#appender.append({
      kind: 'columns',
      streamId: checkStreamId(streamId),
      timestamps: cutTimestamps(timestamps, this.#backend.supports.timestampRange),
      values: copyValues(values),
      ...check,
    });
  }

  /**
   * Appends one datapoint to each of many numeric streams, at one instant, all or none.
   * @param values row i belongs to stream i; NaN = null. The array stays the caller's.
   * @param options its check cannot be turned off.
   * @throws as `append` does.
   */
  async appendTick(
    timestamp: Date | number | undefined,
    streamIds: readonly string[],
    values: Float64Array,
    options: AppendOptions & { readonly checkTimestamp?: true | 'newer' } = {},
  ): Promise<void> {
    const { checkTimestamp, mustBeNewer, expectVersions } = checkAppendOptions(options);
    if (!checkTimestamp) throw new TypeError('appendTick takes no late data.');
    if (!Array.isArray(streamIds) || !(values instanceof Float64Array)) {
      throw new TypeError('appendTick takes a list of stream ids and a Float64Array of values.');
    }
    if (streamIds.length !== values.length) {
      throw new InvalidValue(`There are ${streamIds.length} streams and ${values.length} values.`);
    }
    if (streamIds.length === 0) return;
    await this.#appender.append({
      kind: 'tick',
      timestamp: instantOf(timestamp),
      plan:
        this.#appender.recentPlan(streamIds) ??
        this.#appender.newPlan(streamIds.map((streamId) => checkStreamId(streamId))),
      values: values.slice(),
      mustBeNewer,
      expectVersions,
    });
  }

  /**
   * Datapoints of a level; above the stream's highest granularity, its raw datapoints. With `maxPoints` instead
   * of a granularity, which may be left out or is `auto`: those of the finest granularity that has few enough.
   * Lazy: reads when iterated, and rejects then with `STREAM_NOT_FOUND`, or with what the stream does not allow.
   * @param request.granularity units without a time zone are in that of the stream.
   * @throws {UnsupportedGranularity} {InvalidTimestamp} {TypeError} {RangeError} for what the call itself asks.
   */
  getData(streamId: string, range: DataRange & { readonly maxPoints: number }): Datapoints;
  getData(streamId: string, granularity: GivenGranularity, range: DataRange): Datapoints;
  getData(
    streamId: string,
    ...request: readonly [granularity: DataRange | GivenGranularity, range?: DataRange]
  ): Datapoints {
    return new Datapoints(this.#backend, checkDataRequest(this.#context, streamId, request));
  }

  /**
   * Follows streams: what is appended, changed, created, deleted, by whichever process. The first event, `ready`,
   * says from where on; then every raw datapoint comes in just one `appended`, or is covered by a later `changed`.
   * Endless, until the signal is aborted; nothing is read, or gathers, while nobody asks for the next event.
   * It rejects with `STREAM_NOT_FOUND` for an id that is not there at the start.
   * @throws {TypeError} {RangeError} {InvalidTimestamp} for what the call itself asks.
   */
  changes(options: ChangesOptions = {}): AsyncGenerator<StreamEvent, void, undefined> {
    return streamEvents(this.#backend, checkChangesOptions(options));
  }

  /**
   * Puts datapoints in the place of all that a stream has in a range of time, in one step. Levels, and
   * derived streams of any depth, follow with the next maintenance run, where they are affected.
   * @param range with exactly one start; without an end it reaches to the end of time.
   * @param data inside the range, in any order; equal timestamps are all kept. May be empty.
   * @throws {StreamNotFound} {AppendToDerivedStreamNotAllowed} {InvalidValue} {InvalidTimestamp}
   * {StreamAppendContended} {StreamAppendFailed} {TypeError}; nothing is changed then.
   */
  async replaceData(streamId: string, range: TimeBounds, data: ReplacingData): Promise<void> {
    const { timestampRange } = this.supports;
    const correction = checkReplacement(streamId, { bounds: range, data }, timestampRange);
    await this.#correct(correction === null ? [] : [correction]);
  }

  /** Deletes the datapoints of a range of time. Otherwise as `replaceData`. */
  async deleteData(streamId: string, range: TimeBounds): Promise<void> {
    const correction = checkDeletion(streamId, range);
    await this.#correct(correction === null ? [] : [correction]);
  }

  /**
   * Puts a datapoint in the place of all that the stream has at its timestamp, or adds it there. Otherwise
   * as `replaceData`.
   */
  async upsert(streamId: string, value: unknown, timestamp: Date | number): Promise<void> {
    await this.upsertMultiple([{ streamId, value, timestamp }]);
  }

  /** As `upsert`, of datapoints of one or more streams, all or none; of equal timestamps the last one counts. */
  async upsertMultiple(
    items: readonly {
      readonly streamId: string;
      readonly value: unknown;
      readonly timestamp: Date | number;
    }[],
  ): Promise<void> {
    await this.#correct(checkUpserts(items, this.supports.timestampRange));
  }

  async #correct(corrections: readonly Correction[]): Promise<void> {
    if (corrections.length === 0) return;
    this.#appender.noteChanged(await correct(this.#context, corrections));
  }

  /**
   * Computes every complete bucket that is missing or stale, and corrects derived streams whose inputs
   * changed. A stream that fails is a warning; one that another run is working on is left to it.
   * @returns the buckets that were written, if `returnDatapoints` asks for them.
   */
  async downsampleStreams(options: DownsampleOptions = {}): Promise<AppendedDatapoint[]> {
    return this.#maintenance.downsample(options);
  }

  /** Processes the history of derived streams that was never processed, sources before dependents. */
  async backprocessStreams(options: BackprocessOptions = {}): Promise<void> {
    await this.#maintenance.backprocess(options);
  }

  /**
   * Deletes streams with all of their data; without query tags, every stream.
   * @throws {OutstandingDependenciesError} when a stream outside the query derives from one inside it.
   */
  async deleteStreams(queryTags?: Tags): Promise<void> {
    await this.#catalog.delete(checkQuery(queryTags));
  }

  /**
   * What maintenance has to do, stream by stream in creation order, also of those that are up to date. Reads
   * no datapoints.
   */
  async *status(options: StatusOptions = {}): AsyncGenerator<StreamStatus, void, undefined> {
    checkStatusOptions(options);
    const { queryTags, until } = options;
    const untilMs = until === undefined ? this.#context.nowMs() : instantMs(until);
    for await (const page of selectSnapshots(this.#backend, checkQuery(queryTags))) {
      for (const snapshot of page) {
        yield describeStaleness(stalenessOf(this.#context, snapshot, untilMs), this.supports);
      }
    }
  }

  /**
   * Recomputes levels and derived streams from their sources, and compares with what is stored. `repair`
   * has maintenance compute anew what differs, with all that depends on it.
   */
  async verify(options: VerifyOptions = {}): Promise<VerifyReport> {
    return this.#maintenance.verify(options);
  }

  /**
   * What a stream takes: raw datapoints, and bytes with its levels, about. Reads none of them; null where the store
   * does not know it without, and for an unknown stream.
   */
  async streamSize(streamId: string): Promise<StreamSize | null> {
    return this.#backend.streamSize(checkStreamId(streamId));
  }

  /** Bytes that the store takes, about; null where it does not know. */
  async storeSize(): Promise<number | null> {
    return this.#backend.storeSize();
  }

  /**
   * Moves what waits in a journal to its lasting place, so that the store opens soonest, and resolves when
   * that is durable. A file of the store may stay as large as it is.
   * Never needed: it only does at once what the store does in its own time.
   */
  async checkpoint(): Promise<void> {
    await this.#appender.idle();
    await this.#backend.checkpoint();
  }

  /**
   * Writes a folder that opens as an embedded store with every datapoint that was acknowledged before the call,
   * also while other processes write.
   * @throws {NotSupported} on a store without `supports.backup`.
   * @throws {BackendUnavailable} when there is something of that name, or when it cannot be written.
   */
  async backUp(folder: string): Promise<void> {
    await this.#appender.idle();
    await this.#backend.backUp(folder);
  }

  /** Waits for appends under way, and closes the backend. Idempotent. */
  async close(): Promise<void> {
    await this.#appender.idle();
    await this.#backend.close();
  }
}

/** Taken now: the caller may change his value and his date while the append waits for its turn. */
function appendItem({ streamId, value, timestamp }: GivenItem): AppendItem {
  return {
    streamId: checkStreamId(streamId),
    value: copyPlain(value),
    timestamp: instantOf(timestamp),
  };
}

function instantOf(timestamp: unknown): unknown {
  return timestamp instanceof Date ? timestamp.getTime() : timestamp;
}

/** A listener that throws must not fail what it is told about. */
function guarded(onWarning: (warning: DatastreamWarning) => void): EngineContext['warn'] {
  return (warning) => {
    try {
      onWarning(warning);
    } catch {
      emitProcessWarning(warning);
    }
  };
}

function isColumn(values: unknown): values is Column {
  return values instanceof Float64Array || Array.isArray(values);
}

function appendedDatapoint({ stream, timestampMs, stored }: StoredDatapoint): AppendedDatapoint {
  return {
    streamId: stream.streamId,
    granularity: stream.highest,
    datapoint: { t: new Date(timestampMs), v: stream.codec.fromStored(stored) },
  };
}

function emitProcessWarning(warning: DatastreamWarning): void {
  // By parts: an error of another realm, as test runners and sandboxes have, is no warning to Node.
  process.emitWarning(warning.message, { type: warning.name, code: warning.code });
}
