import type { Granularity } from '../model/granularity.ts';
import type { ValueType } from '../model/stream.ts';
import type { TimeRange } from '../model/time-range.ts';
import type { Arithmetic, Num } from './arithmetic.ts';

/** One value that a source has at one instant, as an operator sees it. */
export interface Input {
  readonly timestampMs: number;
  /** Index among the derivation's sources. */
  readonly source: number;
  /** A number of the operator's arithmetic; null for no data; any JSON value of a nominal source. */
  readonly value: unknown;
}

export interface Output {
  readonly timestampMs: number;
  readonly value: unknown;
}

/** Takes what a step gives. Outputs come in order of time. */
export interface Sink {
  emit(output: Output): void;
  /** Says why an input gave no output. */
  warn(message: string): void;
}

/** As `Input`, for an operator that computes in float64. */
export interface FloatInput {
  readonly timestampMs: number;
  readonly source: number;
  /** NaN for no data. */
  readonly value: number;
}

/** Rows of one source that follow each other, of an operator that computes in float64. */
export interface InputRows {
  /** Index among the derivation's sources. */
  readonly source: number;
  readonly timestamps: Float64Array;
  /** NaN for no data. */
  readonly values: Float64Array;
  /** The rows `[from, to)` are meant. */
  readonly from: number;
  readonly to: number;
}

/** Rows that all sources have at the same instants, of an operator that computes in float64. */
export interface AlignedRows {
  readonly timestamps: Float64Array;
  /** How many of the timestamps are meant. */
  readonly rowCount: number;
  /** In the order of the sources; the row of the first timestamp stands at `from`. NaN for no data. */
  readonly sources: readonly { readonly values: Float64Array; readonly from: number }[];
}

/** Takes outputs in float64, without an object for each. */
export interface NumberSink extends Sink {
  /** As `emit`; NaN for no data. */
  emitFloat(timestampMs: number, value: number): void;
}

/** What an operator knows about the derived stream that it works for. */
export interface OperatorContext {
  readonly args: Arguments;
  readonly sourceCount: number;
  /** By source; empty over a query, whose sources have none. */
  readonly sourceNames: readonly (string | null)[];
  /** Whether the sources are those that match a tag query, rather than a list. */
  readonly isOverQuery: boolean;
  /** The derived stream's own highest granularity. */
  readonly granularity: Granularity;
  readonly arithmetic: Arithmetic<Num>;
  /** Instants that the store takes. */
  readonly timestampRange: TimeRange;
}

/** A source as `validate` sees it. */
export interface SourceDescription {
  readonly name: string | null;
  readonly valueType: ValueType;
  readonly granularity: Granularity;
  /** Whether that is a level below the source's highest granularity. */
  readonly isLevel: boolean;
}

type Arguments = Readonly<Record<string, unknown>>;

/** An output of a `running` operator that is no null, and what led to it. */
export interface LastOutput {
  readonly output: Output;
  /** The last input at its instant; null when that is no longer there. */
  readonly input: Input | null;
}

/**
 * How far memory goes: the *reach* of an operator.
 * - `sequence`: outputs depend on the inputs before. `settles` says after which inputs the state no
 *   longer depends on anything earlier; so a change at t can alter outputs from t up to, and including,
 *   the first settling input after t, and a replay may start at the last settling input before t.
 * - `bucket`: outputs at a bucket of the derived stream depend on the inputs inside it alone.
 * - `running`: outputs depend on all inputs before, and stand at the instants of inputs; a change at t can
 *   alter all of them from t on. The last output that is no null says all that is to be known of what led
 *   to it: `resume` gives the state after the inputs at its instant, bit for bit. So a replay may start
 *   there.
 * - `window`: an output at t, the instant of an input, depends on the inputs in (t - windowMs, t] alone.
 * - `shift`: an output depends on one input, and stands at its instant + offsetMs.
 */
export type Reach =
  | { readonly kind: 'sequence'; settles(input: Input): boolean }
  | {
      readonly kind: 'bucket';
      /** Whether a bucket in which a source of a list has no input gives no output. */
      readonly needsEverySource: boolean;
    }
  | { readonly kind: 'running'; resume(context: OperatorContext, last: LastOutput): unknown }
  | { readonly kind: 'window'; windowMs(args: Arguments): number }
  | { readonly kind: 'shift'; offsetMs(args: Arguments): number };

/**
 * A derive operator: pure, a state machine over the inputs of all sources, ordered by (timestamp,
 * index of source, arrival). The engine does the reading, the writing and the remembering of states;
 * a state may be dropped at any time and is then rebuilt from stored inputs.
 */
export interface Operator<State = unknown> {
  readonly name: string;
  /** Value type of the derived stream. */
  readonly valueType: ValueType;
  readonly reach: Reach;
  /** Whether the sources may be those that match a tag query, however many: then it takes only plain ones. */
  readonly takesQuery?: boolean;
  /** Loads what `validate` and `start` need; idempotent. Absent: they need nothing. */
  load?(): Promise<void>;
  /**
   * Checks sources and arguments when a stream is created.
   * @throws {IncompatibleTypes} {IncompatibleGranularities} {InvalidOperatorArguments}
   */
  validate(
    sources: readonly SourceDescription[],
    options: {
      readonly args: Arguments;
      readonly granularity: Granularity;
      /** Whether the derived stream is one. Default: false. */
      readonly isHighAccuracy?: boolean;
    },
  ): void;
  start(context: OperatorContext): State;
  /** Takes one input, in order. May change the state in place. */
  step(state: State, input: Input, sink: Sink): State;
  /** As `step`, without an object or a check for each number: ticks of many streams come so. */
  stepFloat?(state: State, input: FloatInput, sink: NumberSink): State;
  /** As `step` with each of the rows: long histories of plain numbers come in columns. */
  stepRows?(state: State, rows: InputRows, sink: NumberSink): State;
  /**
   * Gives the outputs of whole buckets of a `bucket` operator, in which the sources have these rows and no
   * others, as `step` would from a new state.
   */
  computeAligned?(context: OperatorContext, rows: AlignedRows, sink: NumberSink): void;
  /** Tells a `bucket` operator that the bucket in its state has no more inputs for now. */
  flush?(state: State, sink: Sink): void;
}
