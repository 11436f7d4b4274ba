import { Granularity, timestampStepMs } from '../model/granularity.ts';
import { ladderOf } from '../model/ladder.ts';
import { expiredUntilMs } from '../model/retention.ts';
import type {
  Dependent,
  DeriveSource,
  StreamId,
  StreamRecord,
  StreamSnapshot,
} from '../model/stream.ts';
import { canonicalJson } from '../model/tags.ts';
import { TIME_END_MS } from '../model/time-range.ts';
import { isHighAccuracy, type ValueCodec, valueCodecOf } from '../model/value.ts';
import type { SharedProgress } from './shared-progress.ts';
import { withWatermarks } from './stale-levels.ts';

/** Keeps the open buckets of a stream's levels, and knows how far these have followed appends. */
export interface LevelFollower {
  /** The watermark of a level, 0 being the finest; null where the record is right about it. */
  untilMs(levelIndex: number): number | null;
}

const NO_SOURCES: readonly DeriveSource[] = Object.freeze([]);
const NO_IDS: readonly StreamId[] = Object.freeze([]);

/**
 * What this process believes about a stream, kept up to date by its own commits. There is one for every
 * stream that is appended to, so it holds nothing of its own that streams can share.
 */
export class LiveStream {
  /** Of levels that follow appends the watermarks may be old: see `currentRecord`. */
  record!: StreamRecord;
  revision!: number | string;
  /** Position in the order in which streams were created. */
  readonly ordinal: number;
  earliestMs: number | null = null;
  /** Where version and latest datapoint stand, if not in the stream itself. */
  #shared: SharedProgress | null = null;
  #version!: number | string;
  #latestMs: number | null = null;
  codec!: ValueCodec;
  highest!: Granularity;
  /** Streams that derive from this one's raw datapoints. */
  rawDependents: readonly StreamId[] = NO_IDS;
  /** What it derives from; empty for a stream with datapoints of its own. */
  sources: readonly DeriveSource[] = NO_SOURCES;
  /** The revision at which the sources of a query were read. */
  #sourcesRevision: number | string | null = null;
  /** The latest watermark of the levels that are computed from rows: those before it make buckets stale, even in order. */
  levelUntilMs: number = Number.NEGATIVE_INFINITY;
  /** What lets the levels follow appends; null before that was decided. */
  follower: LevelFollower | null = null;
  /** The record may have changed: read it again before building on it. */
  isDirty = false;
  /** Whether a commit has had rows for it since the cache last looked for streams to let go of. */
  isInUse = true;
  /** The epoch of the cache in which everything that derives from the stream, and its sources, was loaded. */
  closureEpoch = -1;
  /** The last batch that took note of rows for this stream, and the newest of them. */
  stagedBatch = 0;
  stagedLatestMs = 0;
  /** The last request that was checked for this stream, and the newest of its rows. */
  checkMark = 0;
  checkedLatestMs = 0;

  constructor(snapshot: StreamSnapshot) {
    this.ordinal = snapshot.ordinal;
    this.adopt(snapshot);
  }

  get streamId(): StreamId {
    return this.record.id;
  }

  get version(): number | string {
    return this.#shared === null ? this.#version : this.#shared.version;
  }

  /** What timestamps are cut to. */
  get stepMs(): number {
    return timestampStepMs(this.record.highestGranularity);
  }

  /** Null before the first datapoint. */
  get latestMs(): number | null {
    return this.#shared === null ? this.#latestMs : this.#shared.latestMs;
  }

  /** Takes over that a commit has made it this version, with this latest datapoint. */
  moveTo(version: number | string, latestMs: number | null): void {
    if (this.#shared !== null) {
      this.#shared.memberCount--;
      this.#shared = null;
    }
    this.#version = version;
    this.#latestMs = latestMs;
  }

  /** Moves on with others from now on: they have the same version, the same latest datapoint, and levels no further. */
  share(progress: SharedProgress): void {
    this.isInUse = true;
    if (this.#shared === progress) return;
    if (this.#shared !== null) this.#shared.memberCount--;
    this.#shared = progress;
    progress.memberCount++;
    if (this.earliestMs === null) this.earliestMs = progress.latestMs;
  }

  /** Forgets that it was in use; moves on by itself, so that the next use is noticed. */
  rest(): void {
    this.moveTo(this.version, this.latestMs);
    this.isInUse = false;
  }

  /** Whether a number can be stored as it is. */
  get isPlainNumeric(): boolean {
    return this.record.valueType === 'numeric' && !isHighAccuracy(this.record);
  }

  /** Returns whether what derives from the stream, or how, is no longer as it was known. */
  adopt(snapshot: StreamSnapshot): boolean {
    const hasChanged = snapshot.revision !== this.revision && this.adoptRecord(snapshot.record);
    this.revision = snapshot.revision;
    this.moveTo(snapshot.version, snapshot.latestMs);
    this.earliestMs = snapshot.earliestMs;
    this.isDirty = false;
    return hasChanged;
  }

  /** The record with the watermarks to which its levels have followed appends. */
  currentRecord(): StreamRecord {
    if (this.follower !== null) {
      this.record = withWatermarks(this.record, this.follower);
      this.#noteLevels();
    }
    return this.record;
  }

  /** Whether its sources, which come by a query, may be others than are known. */
  get hasUnknownSources(): boolean {
    const isOverQuery = this.record.derivation?.query !== undefined;
    return isOverQuery && this.#sourcesRevision !== this.revision;
  }

  /** Takes over sources that were read after the record. Returns whether they are others. */
  adoptSources(sources: readonly DeriveSource[]): boolean {
    this.#sourcesRevision = this.revision;
    const isSame =
      sources.length === this.sources.length &&
      sources.every(({ streamId, granularity, afterMs }, index) => {
        const known = this.sources[index]!;
        return (
          known.streamId === streamId &&
          known.granularity === granularity &&
          known.afterMs === afterMs
        );
      });
    if (!isSame) this.sources = sources;
    return !isSame;
  }

  /** Returns what `adopt` does. */
  adoptRecord(record: StreamRecord): boolean {
    const known = this.record as StreamRecord | undefined;
    this.record = record;
    const { derivation } = record;
    if (derivation?.query === undefined) this.sources = derivation?.sources ?? NO_SOURCES;
    this.#noteLevels();
    if (known !== undefined && isSameLineage(known, record)) return false;
    this.codec = sharedCodec(record);
    this.highest = Granularity.byName(record.highestGranularity);
    const dependents = record.dependents.filter(
      ({ granularity }) => granularity === record.highestGranularity,
    );
    this.rawDependents =
      dependents.length === 0 ? NO_IDS : dependents.map(({ streamId }) => streamId);
    return true;
  }

  #noteLevels(): void {
    this.levelUntilMs = rawUntilMs(this.record);
    // Who moves on with others is not asked again whether a tick lies in what the levels have.
    if (this.#shared !== null && this.levelUntilMs > this.#shared.latestMs) {
      this.moveTo(this.version, this.latestMs);
    }
  }
}

/** How far below streams with datapoints of their own it lies in the dependency graph: 0 is one of them. */
export function depthOf({ derivation }: StreamRecord): number {
  return derivation?.depth ?? 0;
}

/** Whether history is still to be processed: staleness without an end. */
export function isPendingBackprocess(record: StreamRecord): boolean {
  return record.stale.at(-1)?.endMs === TIME_END_MS;
}

/** The latest watermark of the levels that are computed from raw rows. */
function rawUntilMs(record: StreamRecord): number {
  // Rows that have expired are refused: they are looked at as those are that levels have already.
  let latestMs = expiredUntilMs(record, record.highestGranularity);
  for (const { name } of ladderOf(record).fromRaw) {
    const untilMs = record.levels[name]?.untilMs ?? null;
    if (untilMs !== null && untilMs > latestMs) latestMs = untilMs;
  }
  return latestMs;
}

/**
 * Whether the same streams derive from both, both follow their sources in the same way from the same instant
 * on, and both take the same values.
 */
function isSameLineage(a: StreamRecord, b: StreamRecord): boolean {
  return (
    pendingFromMs(a) === pendingFromMs(b) &&
    hasSameDependents(a.dependents, b.dependents) &&
    hasSameNames(a.valueDownsamplers, b.valueDownsamplers) &&
    (a.derivation === b.derivation || canonicalJson(a.derivation) === canonicalJson(b.derivation))
  );
}

function hasSameNames(a: readonly string[], b: readonly string[]): boolean {
  return a === b || (a.length === b.length && a.every((name, index) => name === b[index]));
}

/** Start of the history that is still to be processed; null when there is none. */
function pendingFromMs(record: StreamRecord): number | null {
  return isPendingBackprocess(record) ? record.stale.at(-1)!.startMs : null;
}

function hasSameDependents(a: readonly Dependent[], b: readonly Dependent[]): boolean {
  if (a === b) return true;
  return (
    a.length === b.length &&
    a.every(
      ({ streamId, granularity }, index) =>
        streamId === b[index]!.streamId && granularity === b[index]!.granularity,
    )
  );
}

const CODECS: Map<string, ValueCodec> = new Map();
/** More kinds of streams than this keep codecs of their own. */
const CODEC_COUNT_MAX = 1000;

/** One codec for all streams that store the same kind of values. */
function sharedCodec(record: StreamRecord): ValueCodec {
  const kind = `${record.valueType} ${isHighAccuracy(record)} ${record.valueDownsamplers.join()}`;
  let codec = CODECS.get(kind);
  if (codec === undefined) {
    codec = valueCodecOf(record);
    if (CODECS.size < CODEC_COUNT_MAX) CODECS.set(kind, codec);
  }
  return codec;
}
