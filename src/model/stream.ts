import type { Edits } from './edits.ts';
import type { GranularityName } from './granularity.ts';
import type { Expiry, Retention } from './retention.ts';
import type { RangeSet } from './staleness.ts';
import type { Tags } from './tags.ts';

declare const streamIdBrand: unique symbol;

/** A UUID. */
export type StreamId = string & { readonly [streamIdBrand]: true };

export type ValueType = 'numeric' | 'nominal' | 'graph';

export interface ValueTypeOptions {
  /** Compute and store with 64 significant digits, and whole numbers of any size exactly. */
  readonly highAccuracy?: boolean;
  /**
   * Seconds for which a value is held, at most, where the next datapoint is a longer time away. Absent: values are
   * held until the next datapoint. Downsamplers of held values know it alone.
   */
  readonly heartbeat?: number;
}

export interface DeriveSource {
  readonly name: string | null;
  readonly streamId: StreamId;
  readonly granularity: GranularityName;
  /** Datapoints (or buckets) at or before this instant do not count; null: all of them do. */
  readonly afterMs: number | null;
}

/**
 * The sources are the streams that have these tags, now or later. Which ones they are at the moment, they say
 * themselves: those have the derived stream among their dependents.
 */
interface SourceQuery {
  readonly tags: Tags;
  /** As of a source. */
  readonly afterMs: number | null;
}

export interface Derivation {
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** Empty where there is a query. */
  readonly sources: readonly DeriveSource[];
  readonly query?: SourceQuery;
  /** 1 + the largest depth among the sources; a stream that is not derived has depth 0. */
  readonly depth: number;
}

/** A stream that derives from this one. */
export interface Dependent {
  readonly streamId: StreamId;
  readonly op: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The level that it reads. */
  readonly granularity: GranularityName;
}

/** How far a level is computed, and what of that is stale again. */
export interface LevelState {
  /** Exclusive end of what is computed, a bucket boundary; null before the first bucket. */
  readonly untilMs: number | null;
  /** Below `untilMs`, on bucket boundaries. */
  readonly stale: RangeSet;
}

/**
 * What a backend stores about a stream, plain JSON. Rewritten only when the definition, a watermark or
 * staleness changes: never for a datapoint that arrives in order.
 */
export interface StreamRecord {
  readonly id: StreamId;
  readonly tags: Tags;
  readonly valueType: ValueType;
  readonly valueTypeOptions: ValueTypeOptions;
  /** With the dependencies of those asked for, in the order of the registry. */
  readonly valueDownsamplers: readonly string[];
  readonly highestGranularity: GranularityName;
  /** An IANA name: of the extra levels. Absent: UTC. */
  readonly timeZone?: string;
  /**
   * Names, without the zone, of the levels beside those in `Granularity.values`; absent when there are none. Those of
   * the definition ascending, then others in the order in which they were added: a level is computed from none that
   * came after it.
   */
  readonly extraLevels?: readonly string[];
  readonly derivation: Derivation | null;
  readonly dependents: readonly Dependent[];
  /**
   * Of a derived stream: when its inputs changed without its outputs following. A range without an end
   * means that history is still to be processed (`pendingBackprocess`) and nothing is propagated live.
   */
  readonly stale: RangeSet;
  /** By name, every level of its ladder. */
  readonly levels: Readonly<Partial<Record<GranularityName, LevelState>>>;
  /**
   * Whether stale rows of levels may lack components, or have others, because the stream has got other
   * downsamplers since. Absent when all rows are of one kind.
   */
  readonly isRefilling?: true;
  /** For how long rows are kept. Absent: for ever. */
  readonly retention?: Retention;
  /** Absent while nothing has expired. */
  readonly expiry?: Expiry;
  /** Absent while raw datapoints were only ever appended in order. */
  readonly edits?: Edits;
}

/** A record together with what a backend knows about its data, read in one step. */
export interface StreamSnapshot {
  readonly record: StreamRecord;
  /** Position in creation order: unique and increasing, not always without gaps. */
  readonly ordinal: number;
  /** Changes whenever `record` does. Opaque: compare for equality only. */
  readonly revision: number | string;
  /** Changes with every commit that touches the stream, appends too. Opaque: compare for equality only. */
  readonly version: number | string;
  /** Timestamps of the first and last raw datapoint; null when there is none. */
  readonly earliestMs: number | null;
  readonly latestMs: number | null;
}
