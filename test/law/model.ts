/**
 * The naive model: everything from scratch, out of lists of datapoints. Shares no code with the engine but its
 * calendars, and what of them is made of what: these are tested on their own. Times are whole seconds since 1970.
 */
import {
  bucketBeforeMs,
  bucketEndMs,
  bucketStartMs,
  type Granularity,
} from '../../src/model/granularity.ts';
import { type Ladder, ladderOf } from '../../src/model/ladder.ts';
import { type Bucket, bucketOf, isGroup, type Row } from './bucket.ts';
import { expressionOf } from './expression.ts';
import { type Frozen, lastFrozen } from './frozen.ts';
import { heldIn } from './more-statistics.ts';
import type { Extra } from './setting.ts';
import { isTimeOperator, timeOutputs } from './time-operators.ts';
import { granularityOf, msOf, secondsOf } from './units.ts';

export interface Source {
  readonly stream: ModelStream;
  /** Seconds of the level that is read; null: the raw datapoints. */
  readonly level: number | null;
  /** Rows at or before it do not count. */
  readonly after: number;
}

export interface Derivation {
  readonly op: string;
  readonly max: number | null;
  /** Of a clamp. */
  readonly limits?: { readonly min: number; readonly max: number };
  /** Of an operator whose reach is a time, or all that follows. */
  readonly args?: Readonly<Record<string, unknown>>;
  /** Whether the sources are all streams that match, and need not have a value each. */
  readonly isOverQuery?: boolean;
  readonly sources: readonly Source[];
}

export interface ModelStream {
  readonly isNumeric: boolean;
  /** Whether it has further statistics, and takes no already downsampled values. */
  readonly hasMore: boolean;
  /** Seconds for which a value is held, at most; absent: until the next datapoint. */
  heartbeat?: number;
  /** Levels beside those that all streams have, in the order in which they came, and their zone. */
  extra: Extra;
  /** A tag by which aggregates find it; null: none do. */
  site: string | null;
  /** Whether it had others: what they made complete stays so. */
  hasOtherLevels?: boolean;
  /** Seconds of the highest granularity. */
  readonly highest: number;
  /** Of a stream that is not derived: datapoints in order of arrival. */
  arrivals: Row[];
  /** The latest time of any datapoint that it ever had; no matter whether it was taken away again. */
  reached: number;
  derivation: Derivation | null;
  /** Letters of statistics that the stream does not keep. */
  hidden?: ReadonlySet<string>;
  /**
   * By letter and level: buckets before it need not know the statistic, which was added when raw
   * datapoints had expired.
   */
  lacking?: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** By name of a granularity: rows before it have expired. What was computed of them stays as it was. */
  expired?: ReadonlyMap<string, number>;
  /** Of a derived stream: what of it stays, whatever happens to its sources. */
  frozen?: Frozen;
  /** The first datapoint that there was when rows began to expire: levels go on beginning with it. */
  began?: number;
  /** Whether sums over its datapoints have no rounding. */
  readonly hasExactSums: boolean;
  /** Whether its datapoints do not depend on rounded sums. */
  readonly isExact: boolean;
}

export interface Level {
  readonly starts: readonly number[];
  bucket(start: number): Bucket;
}

/** What clamps are limited to. */
export const LIMITS = { min: -20, max: 50 } as const;

/** How a store may differ from the plain one, as its manifest says. */
export interface Rules {
  /** Equal timestamps of a stream are all kept; else a datapoint takes the place of an equal one. */
  readonly keepsEqualTimestamps: boolean;
  /** Levels are there without maintenance, up to and with the bucket of the latest datapoint. */
  readonly hasComputedLevels: boolean;
  /** Letters of the downsamplers of values and of bucket times. */
  readonly letters: { readonly v: ReadonlySet<string>; readonly t: ReadonlySet<string> };
}

/** A change of the model that makes it wrong, to prove that the comparison notices. */
export type Defect = 'none' | 'late data is lost' | 'nulls are zeros' | 'a source is ignored';

/** Per level, by name, of a stream that may lose its last datapoints, up to when it was found complete before. */
export type Watermarks = ReadonlyMap<ModelStream, ReadonlyMap<string, number>>;

/** The levels of a stream. */
export function ladderOfModel({ highest, extra }: ModelStream): Ladder {
  const { name: highestGranularity } = granularityOf(highest);
  return ladderOf({ highestGranularity, timeZone: extra.timeZone, extraLevels: extra.levels });
}

/**
 * A bucket that was complete once stays: a correction may take away the last datapoints of a stream, which
 * had made its levels complete. So how far a level of such a stream reaches, and that alone, depends on when
 * maintenance ran. `watermarks` says how far, at least.
 */
export class Model {
  readonly rules: Rules;
  readonly #defect: Defect;
  readonly #watermarks: Watermarks;
  readonly #rows = new Map<ModelStream, readonly Row[]>();
  /** Without nulls. */
  readonly #present = new Map<ModelStream, readonly Row[]>();

  constructor(rules: Rules, options: { defect?: Defect; watermarks?: Watermarks } = {}) {
    this.rules = rules;
    this.#defect = options.defect ?? 'none';
    this.#watermarks = options.watermarks ?? new Map();
  }

  /** Raw datapoints in order of time, equal ones in order of arrival. */
  rows(stream: ModelStream): readonly Row[] {
    let rows = this.#rows.get(stream);
    if (rows === undefined) {
      rows = stream.derivation === null ? this.#sorted(stream) : this.#derived(stream);
      this.#rows.set(stream, rows);
    }
    return rows;
  }

  /** The buckets of a level that a reader sees. */
  level(stream: ModelStream, granularity: Granularity): Level {
    const complete = this.#completeLevel(stream, granularity);
    if (!this.rules.hasComputedLevels) return complete;
    const first = this.#first(stream);
    let starts: readonly number[] = [];
    if (first !== undefined) {
      // Where nothing is left of what has not expired, what was computed of it stays.
      const known = stream.expired?.size ? [...(this.#watermarks.get(stream)?.values() ?? [])] : [];
      const latest = this.rows(stream).at(-1)?.t ?? Number.NEGATIVE_INFINITY;
      starts = startsOf(granularity, first, Math.max(latest + 1, ...known));
    }
    return { starts, bucket: complete.bucket };
  }

  /** When the levels of a stream begin; undefined while there is nothing. */
  #first(stream: ModelStream): number | undefined {
    const first = this.rows(stream)[0]?.t;
    return stream.began === undefined ? first : Math.min(first ?? stream.began, stream.began);
  }

  /** The buckets of a level that no datapoint in order can change any more: what derived streams read. */
  #completeLevel(stream: ModelStream, granularity: Granularity): Level {
    const rows = this.rows(stream);
    const byStart = groupBy(rows, ({ t }) => bucketAt(granularity, t));
    const first = this.#first(stream);
    let latest = rows.at(-1)?.t;
    let until: number | undefined;
    for (const rung of ladderOfModel(stream).lineage(granularity)) {
      const level = rung.granularity;
      until = latest === undefined ? undefined : bucketAt(level, latest);
      const known = this.#watermarks.get(stream)?.get(level.name);
      if (known !== undefined && first !== undefined) until = Math.max(until ?? known, known);
      const hasBuckets = until !== undefined && until > bucketAt(level, first!);
      latest = hasBuckets ? secondsOf(bucketBeforeMs(msOf(until!), level)) : undefined;
      if (!hasBuckets) until = undefined;
    }
    return {
      starts: until === undefined ? [] : startsOf(granularity, first!, until),
      bucket: (start) => {
        const seconds = secondsOf(bucketEndMs(msOf(start), granularity)) - start;
        const bucket = bucketOf(byStart.get(start) ?? [], { start, seconds, ...stream });
        return this.#withHeld(bucket, { stream, start, seconds });
      },
    };
  }

  #withHeld(
    bucket: Bucket,
    { stream, start, seconds }: { stream: ModelStream; start: number; seconds: number },
  ): Bucket {
    const { hasMore, isNumeric, heartbeat = Number.POSITIVE_INFINITY } = stream;
    if (!hasMore || !isNumeric) return bucket;
    let present = this.#present.get(stream);
    if (present === undefined) {
      present = this.rows(stream).filter(({ v }) => v !== null);
      this.#present.set(stream, present);
    }
    return { ...bucket, v: { ...bucket.v, ...heldIn(present, { start, seconds, heartbeat }) } };
  }

  #sorted({ arrivals }: ModelStream): readonly Row[] {
    let kept: readonly Row[] = arrivals;
    if (this.#defect === 'late data is lost') {
      kept = arrivals.filter(({ t }, i) => arrivals.slice(0, i).every((row) => row.t <= t));
    }
    if (this.#defect === 'nulls are zeros') kept = kept.map(({ t, v }) => ({ t, v: v ?? 0 }));
    if (!this.rules.keepsEqualTimestamps) {
      kept = [...new Map(kept.map((row) => [row.t, row])).values()];
    }
    return kept.toSorted((a, b) => a.t - b.t);
  }

  #derived(stream: ModelStream): readonly Row[] {
    const rows = this.#derive(stream);
    const { frozen } = stream;
    return frozen ? [...frozen.rows, ...rows.filter(({ t }) => t >= frozen.until)] : rows;
  }

  #derive(stream: ModelStream): readonly Row[] {
    const { derivation, highest } = stream;
    const { op, max, limits = LIMITS, args = {}, isOverQuery, sources } = derivation!;
    const isIgnoring = this.#defect === 'a source is ignored' && (op === 'sum' || isOverQuery);
    const read = isIgnoring ? sources.slice(0, -1) : sources;
    const inputs = read
      .flatMap((source, index) =>
        this.#inputs(source)
          .filter(({ t }) => t > source.after)
          .map(({ t, v }) => ({ t, v, index })),
      )
      .sort((a, b) => a.t - b.t || a.index - b.index);
    if (isOverQuery) return perBucket(inputs, { seconds: highest, count: 1, of: COMBINE[op]! });
    if (op === 'sum') {
      return perBucket(inputs, { seconds: highest, count: read.length, of: total });
    }
    if (op === 'expression') {
      return perBucket(inputs, { seconds: highest, count: sources.length, of: expressionOf });
    }
    if (isTimeOperator(op)) return timeOutputs(op, args, { inputs, last: lastFrozen(stream) });
    if (op === 'derivative')
      return rates(
        inputs.map(({ t, v }) => ({ t, v, index: 1 })),
        null,
      );
    if (op === 'counter_reset') return resets(inputs);
    if (op === 'clamp') {
      return inputs.map(({ t, v }) => ({
        t,
        v: v === null ? null : Math.min(limits.max, Math.max(limits.min, v as number)),
      }));
    }
    if (op === 'difference') return differences(inputs);
    if (op === 'rate') {
      const single = inputs.map(({ t, v }) => ({ t, v, index: 1 }));
      return rates(single, { max, restartsAtZero: true });
    }
    return rates(inputs, { max });
  }

  #inputs({ stream, level }: Source): readonly Row[] {
    if (level === null) {
      return this.rows(stream).map(({ t, v }) => ({ t, v: isGroup(v) ? v.m : v }));
    }
    const { starts, bucket } = this.#completeLevel(stream, granularityOf(level));
    return starts.map((t) => ({ t, v: bucket(t).v['m'] }));
  }
}

interface Input extends Row {
  readonly index: number;
}

/** By level: where buckets begin of which all raw datapoints from a time on are kept. */
export function fillableFrom(stream: ModelStream, from: number): ReadonlyMap<string, number> {
  const fillable = new Map<string, number>();
  for (const { granularity, finer, isFromRaw } of ladderOfModel(stream).rungs) {
    const finerFrom = isFromRaw ? from : fillable.get(finer.name)!;
    const start = bucketAt(granularity, finerFrom);
    // Raw datapoints of a bucket in which they begin to expire are kept.
    const isWhole = isFromRaw || start === finerFrom;
    const end = secondsOf(bucketEndMs(msOf(finerFrom), granularity));
    fillable.set(granularity.name, isWhole ? start : end);
  }
  return fillable;
}

/** Start of the bucket of a time. */
function floor(t: number, seconds: number): number {
  return Math.floor(t / seconds) * seconds;
}

/** Start of the bucket of a level that holds a time. */
function bucketAt(granularity: Granularity, t: number): number {
  return secondsOf(bucketStartMs(msOf(t), granularity));
}

/** Starts of the buckets of a level from that of a time on, up to a time. */
function startsOf(granularity: Granularity, from: number, until: number): readonly number[] {
  const starts: number[] = [];
  const untilMs = msOf(until);
  for (
    let startMs = bucketStartMs(msOf(from), granularity);
    startMs < untilMs;
    startMs = bucketEndMs(startMs, granularity)
  ) {
    starts.push(secondsOf(startMs));
  }
  return starts;
}

function present(values: readonly (number | null)[]): readonly number[] {
  return values.filter((value) => value !== null);
}

function total(values: readonly (number | null)[]): number | null {
  const known = present(values);
  return known.length === 0 ? null : known.reduce((a, b) => a + b);
}

type Combine = (values: readonly (number | null)[]) => number | null;

/** Of operators over all streams that match. */
const COMBINE: Readonly<Record<string, Combine>> = {
  sum: total,
  mean: (values) => {
    const sum = total(values);
    return sum === null ? null : sum / present(values).length;
  },
  min: (values) => (total(values) === null ? null : Math.min(...present(values))),
  max: (values) => (total(values) === null ? null : Math.max(...present(values))),
  count: (values) => present(values).length,
};

/** Of each bucket in which so many sources have a value: a function of their last ones, in their order. */
function perBucket(
  inputs: readonly Input[],
  { seconds, count, of }: { seconds: number; count: number; of: Combine },
): Row[] {
  const output: Row[] = [];
  for (const [t, group] of groupBy(inputs, (input) => floor(input.t, seconds))) {
    const last = new Map(group.map(({ index, v }) => [index, v as number | null]));
    if (last.size < count) continue;
    output.push({ t, v: of([...last].sort(([a], [b]) => a - b).map(([, v]) => v)) });
  }
  return output;
}

/** Derivatives of source 1; source 0 says when the previous value does not count. */
function rates(
  inputs: readonly Input[],
  counter: { max: number | null; restartsAtZero?: boolean } | null,
): Row[] {
  const output: Row[] = [];
  let previous: { t: number; v: number } | null = null;
  for (const { t, v, index } of inputs) {
    if (index === 0) {
      if (v) previous = null;
    } else if (v === null) {
      output.push({ t, v: null });
      previous = null;
    } else {
      const value = v as number;
      if (previous !== null && t > previous.t) {
        const elapsed = t - previous.t;
        if (counter === null || value >= previous.v) {
          output.push({ t, v: (value - previous.v) / elapsed });
        } else if (counter.max !== null) {
          output.push({ t, v: (counter.max - previous.v + value) / elapsed });
        } else if (counter.restartsAtZero) output.push({ t, v: value / elapsed });
      }
      previous = { t, v: value };
    }
  }
  return output;
}

function differences(inputs: readonly Input[]): Row[] {
  const output: Row[] = [];
  let previous: number | null = null;
  for (const { t, v } of inputs) {
    if (v === null) output.push({ t, v });
    else if (previous !== null) output.push({ t, v: (v as number) - previous });
    previous = v as number | null;
  }
  return output;
}

function resets(inputs: readonly Input[]): Row[] {
  const filled = inputs.filter(({ v }) => v !== null);
  return filled
    .filter(({ v }, i) => i > 0 && (v as number) < (filled[i - 1]!.v as number))
    .map(({ t }) => ({ t, v: 1 }));
}

function groupBy<Item>(
  items: readonly Item[],
  key: (item: Item) => number,
): ReadonlyMap<number, readonly Item[]> {
  const groups = new Map<number, Item[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return groups;
}
