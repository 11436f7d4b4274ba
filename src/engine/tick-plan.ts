import type { StreamId } from '../model/stream.ts';
import { SECOND_MS } from '../model/time-range.ts';
import { DerivedPlan } from './derived-plan.ts';
import type { LiveStream } from './live-stream.ts';
import type { StreamCache } from './stream-cache.ts';
import { TickGroup } from './tick-group.ts';

/** Ids that all plans together hold at most, apart from the newest plan. */
const ID_COUNT_MAX = 500_000;
/** Plans that begin with the same stream; a caller has one or two at a time. */
const NAMESAKE_COUNT_MAX = 4;

/**
 * A list of streams that get datapoints at the same instants, with what was found out about them: lists
 * recur tick after tick, so it is found out once.
 */
export class TickPlan {
  readonly streamIds: readonly StreamId[];
  #epoch = -1;
  #group: TickGroup | null = null;
  #derived: DerivedPlan | 'special' | null = null;
  /** Derived streams with buckets that a tick did not begin. */
  readonly #openIds = new Set<StreamId>();
  #parts: TickParts | null = null;

  /** Takes over the array. */
  constructor(streamIds: StreamId[]) {
    this.streamIds = Object.freeze(streamIds);
  }

  /** Whether nothing must be loaded before a tick. */
  isReady(cache: StreamCache): boolean {
    return this.#epoch === cache.epoch && !cache.hasDirty;
  }

  /** Looks the streams up, unless that still holds. All that exist, with their closure, are loaded. */
  resolve(cache: StreamCache): void {
    if (this.#epoch === cache.epoch) return;
    this.#group = null;
    this.#derived = null;
    this.#parts = null;
    const streams: LiveStream[] = [];
    for (const streamId of this.streamIds) {
      const stream = cache.get(streamId);
      if (stream === undefined || stream.record.derivation !== null || !stream.isPlainNumeric) {
        return;
      }
      streams.push(stream);
    }
    if (new Set(streams).size < streams.length) return;
    const [first] = streams;
    if (streams.some(({ stepMs }) => stepMs !== first!.stepMs)) return;
    this.#epoch = cache.epoch;
    this.#group = new TickGroup(this.streamIds, streams);
    this.#derived = DerivedPlan.of(streams, { cache, openIds: this.#openIds });
  }

  /** Takes note of buckets that a tick does not begin. The streams were looked up. */
  noteOpen(timestampMs: number, cache: StreamCache): void {
    if (this.#derived === null || this.#derived === 'special') return;
    const met = this.#derived.meetsOpen(timestampMs);
    if (met.length === 0) return;
    for (const { streamId } of met) this.#openIds.add(streamId);
    this.#derived = DerivedPlan.of(this.#group!.streams, { cache, openIds: this.#openIds });
  }

  /** Null when the list as a whole cannot be a tick: something about one of the streams is special. */
  get group(): TickGroup | null {
    return this.#group;
  }

  /** What timestamps are cut to, for all streams of the group. */
  get stepMs(): number {
    return this.#group?.streams[0]?.stepMs ?? SECOND_MS;
  }

  /** What derives from the streams; null when nothing does. */
  get derived(): DerivedPlan | 'special' | null {
    return this.#derived;
  }

  /** The streams by whether something derives from them. The plan has a group. */
  get parts(): TickParts {
    this.#parts ??= partsOf(this.#group!.streams);
    return this.#parts;
  }
}

interface TickParts {
  /** Of the streams that nothing derives from, and their rows in the plan. */
  readonly plain: TickGroup;
  readonly plainRows: readonly number[];
  /** Rows of the others. */
  readonly sourceRows: readonly number[];
}

function partsOf(streams: readonly LiveStream[]): TickParts {
  const plainRows: number[] = [];
  const sourceRows: number[] = [];
  for (const [row, { rawDependents }] of streams.entries()) {
    (rawDependents.length === 0 ? plainRows : sourceRows).push(row);
  }
  return {
    plain: TickGroup.of(plainRows.map((row) => streams[row]!)),
    plainRows,
    sourceRows,
  };
}

/** The plans of recent ticks, by their streams. */
export class TickPlans {
  /** By the first id, the oldest first. */
  readonly #plans = new Map<StreamId | undefined, TickPlan[]>();
  #idCount = 0;
  #candidate: readonly StreamId[] = [];

  /** The plan of exactly these streams in this order. */
  find(streamIds: readonly string[]): TickPlan | undefined {
    const namesakes = this.#plans.get(streamIds[0] as StreamId | undefined);
    if (namesakes === undefined) return undefined;
    for (const plan of namesakes) if (isSameList(plan.streamIds, streamIds)) return plan;
    return undefined;
  }

  /** A new plan. Takes over the array. */
  add(streamIds: StreamId[]): TickPlan {
    const plan = new TickPlan(streamIds);
    const first = streamIds[0];
    const namesakes = [plan, ...(this.#plans.get(first) ?? [])];
    for (const dropped of namesakes.splice(NAMESAKE_COUNT_MAX)) {
      this.#idCount -= dropped.streamIds.length;
    }
    this.#plans.delete(first);
    this.#plans.set(first, namesakes);
    this.#idCount += streamIds.length;
    this.#dropOldest(first);
    return plan;
  }

  /** The plan of the streams; null while they have not come twice in a row. Takes over the array. */
  recurring(streamIds: StreamId[]): TickPlan | null {
    const known = this.find(streamIds);
    if (known !== undefined) return known;
    const isRepeated = isSameList(this.#candidate, streamIds);
    this.#candidate = isRepeated ? [] : streamIds;
    return isRepeated ? this.add(streamIds) : null;
  }

  #dropOldest(kept: StreamId | undefined): void {
    for (const [first, namesakes] of this.#plans) {
      if (this.#idCount <= ID_COUNT_MAX || first === kept) return;
      for (const { streamIds } of namesakes) this.#idCount -= streamIds.length;
      this.#plans.delete(first);
    }
  }
}

/** Strings that are the same object are compared at the cost of a pointer. */
function isSameList(known: readonly string[], given: readonly string[]): boolean {
  if (known.length !== given.length) return false;
  for (let index = 0; index < known.length; index++) {
    if (known[index] !== given[index]) return false;
  }
  return true;
}
