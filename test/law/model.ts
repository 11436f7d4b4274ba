/**
 * The naive model: everything from scratch, out of lists of datapoints. Shares no code with the engine.
 * Times are whole seconds.
 */
import { type Bucket, bucketOf, isGroup, type Row } from './bucket.ts';
import { expressionOf } from './expression.ts';
import { heldIn } from './more-statistics.ts';
import { isTimeOperator, timeOutputs } from './time-operators.ts';

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
  readonly sources: readonly Source[];
}

export interface ModelStream {
  readonly isNumeric: boolean;
  /** Whether it has further statistics, and takes no already downsampled values. */
  readonly hasMore: boolean;
  /** Seconds for which a value is held, at most; absent: until the next datapoint. */
  readonly heartbeat?: number;
  /** Seconds of the highest granularity. */
  readonly highest: number;
  /** Of a stream that is not derived: datapoints in order of arrival. */
  arrivals: Row[];
  /** The latest time of any datapoint that it ever had; no matter whether it was taken away again. */
  reached: number;
  derivation: Derivation | null;
  /** Letters of statistics that the stream does not keep. */
  hidden?: ReadonlySet<string>;
  /** By seconds of a granularity: rows before it have expired. What was computed of them stays as it was. */
  expired?: ReadonlyMap<number, number>;
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

/** Seconds of each granularity, from the finest. */
export const LEVELS: readonly number[] = [1, 10, 60, 600, 3600, 21_600, 86_400];

/** What clamps are limited to. */
export const LIMITS = { min: -20, max: 50 } as const;

/** Seconds from the start of a day to the time 0. */
const NOON = 43_200;

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
export type Defect = 'none' | 'late data is lost' | 'nulls are zeros' | 'sum ignores a source';

/** Per level of a stream that may lose its last datapoints, up to when it was found complete before. */
export type Watermarks = ReadonlyMap<ModelStream, ReadonlyMap<number, number>>;

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
      rows = stream.derivation === null ? this.#sorted(stream) : this.#derive(stream);
      this.#rows.set(stream, rows);
    }
    return rows;
  }

  /** Latest datapoint that there ever was among all that the stream comes from. */
  latestInput({ reached, derivation }: ModelStream): number {
    const latest = derivation?.sources.map(({ stream }) => this.latestInput(stream));
    const moved = Number(derivation?.args?.['offset'] ?? 0);
    return Math.max(reached, ...(latest ?? []).map((at) => at + moved));
  }

  /** The buckets of a level of so many seconds that a reader sees. */
  level(stream: ModelStream, seconds: number): Level {
    const complete = this.#completeLevel(stream, seconds);
    if (!this.rules.hasComputedLevels) return complete;
    const first = this.#first(stream);
    const starts: number[] = [];
    if (first !== undefined) {
      // Where nothing is left of what has not expired, what was computed of it stays.
      const known = stream.expired?.size ? [...(this.#watermarks.get(stream)?.values() ?? [])] : [];
      const latest = this.rows(stream).at(-1)?.t ?? Number.NEGATIVE_INFINITY;
      const last = floor(Math.max(latest, ...known.map((until) => until - 1)), seconds);
      for (let start = floor(first, seconds); start <= last; start += seconds) {
        starts.push(start);
      }
    }
    return { starts, bucket: complete.bucket };
  }

  /** When the levels of a stream begin; undefined while there is nothing. */
  #first(stream: ModelStream): number | undefined {
    const first = this.rows(stream)[0]?.t;
    return stream.began === undefined ? first : Math.min(first ?? stream.began, stream.began);
  }

  /** The buckets of a level that no datapoint in order can change any more: what derived streams read. */
  #completeLevel(stream: ModelStream, seconds: number): Level {
    const rows = this.rows(stream);
    const byStart = groupBy(rows, ({ t }) => floor(t, seconds));
    const first = this.#first(stream);
    let latest = rows.at(-1)?.t;
    let until: number | undefined;
    for (const level of LEVELS.filter((l) => l > stream.highest && l <= seconds)) {
      until = latest === undefined ? undefined : floor(latest, level);
      const known = this.#watermarks.get(stream)?.get(level);
      if (known !== undefined && first !== undefined) until = Math.max(until ?? known, known);
      const hasBuckets = until !== undefined && until > floor(first!, level);
      latest = hasBuckets ? until! - level : undefined;
      if (!hasBuckets) until = undefined;
    }
    const starts: number[] = [];
    if (until !== undefined) {
      for (let start = floor(first!, seconds); start < until; start += seconds) {
        starts.push(start);
      }
    }
    return {
      starts,
      bucket: (start) => {
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

  #derive({ derivation, highest }: ModelStream): readonly Row[] {
    const { op, max, limits = LIMITS, args = {}, sources } = derivation!;
    const inputs = sources
      .flatMap((source, index) =>
        this.#inputs(source)
          .filter(({ t }) => t > source.after)
          .map(({ t, v }) => ({ t, v, index })),
      )
      .sort((a, b) => a.t - b.t || a.index - b.index);
    if (op === 'sum') {
      const count = this.#defect === 'sum ignores a source' ? 1 : sources.length;
      return perBucket(inputs, { seconds: highest, count, of: total });
    }
    if (op === 'expression') {
      return perBucket(inputs, { seconds: highest, count: sources.length, of: expressionOf });
    }
    if (isTimeOperator(op)) return timeOutputs(op, args, inputs);
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
    const { starts, bucket } = this.#completeLevel(stream, level);
    return starts.map((t) => ({ t, v: bucket(t).v['m'] }));
  }
}

interface Input extends Row {
  readonly index: number;
}

/** Start of the bucket of a time; times count from noon, days from midnight. */
function floor(t: number, seconds: number): number {
  return Math.floor((t + NOON) / seconds) * seconds - NOON;
}

function total(values: readonly (number | null)[]): number | null {
  const present = values.filter((value) => value !== null);
  return present.length === 0 ? null : present.reduce((a, b) => a + b);
}

/** Of each bucket in which so many sources have a value: a function of their last ones, in their order. */
function perBucket(
  inputs: readonly Input[],
  {
    seconds,
    count,
    of,
  }: { seconds: number; count: number; of: (values: readonly (number | null)[]) => number | null },
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
