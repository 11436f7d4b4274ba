import { NO_ROW } from '../backends/backend.ts';
import type { NumberSink, Output } from '../derive/operator.ts';
import { operatorOf } from '../derive/registry.ts';
import { InvalidValueWarning } from '../exceptions/warnings.ts';
import { bucketStartMs } from '../model/granularity.ts';
import { type DerivedState, OPEN_BUCKET_COUNT_MAX } from './derived-state.ts';
import type { LiveStream } from './live-stream.ts';
import { SILENT_SINK } from './restore-state.ts';

/** In the place of the slot of a source that has no rows in the tick. */
export const NO_SLOT = -1;

/** A derived stream among those that follow a tick. */
export class DerivedNode {
  readonly stream: LiveStream;
  readonly isBucket: boolean;
  /** Whether a bucket takes several ticks, or one that does not lie at its start: outputs may replace older ones. */
  readonly isOpen: boolean;
  readonly isNominal: boolean;
  /** Where its output goes. */
  readonly slot: number;
  /** Set before the first step, and whenever it was forgotten. */
  state: DerivedState | null = null;
  /** By source: where its input comes from. */
  readonly #sourceSlots: Int32Array;
  readonly #sources: readonly LiveStream[];
  /** Whether the operator takes plain numbers, and gives them. */
  readonly #isFloat: boolean;

  constructor({
    stream,
    sources,
    sourceSlots,
    slot,
    isOpen,
  }: {
    readonly stream: LiveStream;
    /** Those that could be found, by source. */
    readonly sources: readonly LiveStream[];
    readonly sourceSlots: Int32Array;
    readonly slot: number;
    readonly isOpen: boolean;
  }) {
    this.stream = stream;
    this.isBucket = isBucketStream(stream);
    this.isOpen = isOpen;
    this.#sources = sources;
    this.isNominal = stream.record.valueType === 'nominal';
    this.slot = slot;
    this.#sourceSlots = sourceSlots;
    const { stepFloat } = operatorOf(stream.record.derivation!.op);
    this.#isFloat = stream.isPlainNumeric && stepFloat !== undefined;
  }

  /**
   * Whether the tick comes after every input so far, and, if there are buckets, in one that is in memory or
   * that it begins.
   */
  canStep(timestampMs: number): boolean {
    const { stream, state } = this;
    if (this.isOpen) return this.#canStepOpen(bucketStartMs(timestampMs, stream.highest));
    if (timestampMs < stream.levelUntilMs) return false;
    if (this.isBucket) return bucketStartMs(timestampMs, stream.highest) === timestampMs;
    const position = state?.sequence?.position;
    return position !== undefined && timestampMs > position.timestampMs;
  }

  #canStepOpen(startMs: number): boolean {
    if (this.state!.openBuckets.has(startMs)) return true;
    return this.#sources.every(({ latestMs }) => latestMs === null || latestMs < startMs);
  }

  /** Takes the inputs of a tick from the slots, and puts the output into its own. */
  step(slots: Float64Array, sink: TickSink): void {
    sink.begin(this);
    if (this.isOpen) this.#stepOpen(slots, sink);
    else if (this.isBucket) this.#stepBucket(slots, sink);
    else if (this.#isFloat) this.#stepFloats(slots, sink);
    else this.#stepSequence(slots, sink);
    slots[this.slot] = sink.value;
  }

  #stepSequence(slots: Float64Array, sink: TickSink): void {
    const { run, sequence } = this.state!;
    const sourceSlots = this.#sourceSlots;
    const { input } = sink;
    const { position } = sequence!;
    for (let source = 0; source < sourceSlots.length; source++) {
      const slot = sourceSlots[source]!;
      if (slot === NO_SLOT) continue;
      const value = slots[slot]!;
      if (value === NO_ROW) continue;
      input.source = source;
      input.value = Number.isNaN(value) ? null : value;
      sequence!.state = run.operator.step(sequence!.state, input, sink);
      position.timestampMs = input.timestampMs;
      position.source = source;
    }
  }

  /** As `#stepSequence`, for an operator that takes plain numbers. */
  #stepFloats(slots: Float64Array, sink: TickSink): void {
    const { run, sequence } = this.state!;
    const sourceSlots = this.#sourceSlots;
    const { floatInput } = sink;
    const { position } = sequence!;
    floatInput.timestampMs = sink.input.timestampMs;
    for (let source = 0; source < sourceSlots.length; source++) {
      const slot = sourceSlots[source]!;
      if (slot === NO_SLOT) continue;
      const value = slots[slot]!;
      if (value === NO_ROW) continue;
      floatInput.source = source;
      floatInput.value = value;
      sequence!.state = run.operator.stepFloat!(sequence!.state, floatInput, sink);
      position.timestampMs = floatInput.timestampMs;
      position.source = source;
    }
  }

  /** The bucket of the tick is a new one: its state begins here, and is kept for what may yet arrive in it. */
  #stepBucket(slots: Float64Array, sink: TickSink): void {
    const { run, openBuckets } = this.state!;
    const { input } = sink;
    const state = this.#added(undefined, slots, sink);
    if (state === undefined) return;
    run.operator.flush?.(state, sink);
    openBuckets.set(input.timestampMs, state);
    if (openBuckets.size <= OPEN_BUCKET_COUNT_MAX) return;
    for (const oldestMs of openBuckets.keys()) {
      openBuckets.delete(oldestMs);
      return;
    }
  }

  /** Adds to the bucket that the tick lies in. What this gives is asked for once, after all ticks of a batch. */
  #stepOpen(slots: Float64Array, sink: TickSink): void {
    const { openBuckets } = this.state!;
    const startMs = bucketStartMs(sink.input.timestampMs, this.stream.highest);
    const state = this.#added(openBuckets.get(startMs), slots, sink);
    if (state === undefined) return;
    openBuckets.set(startMs, state);
    sink.noteOpen(this, startMs);
  }

  /** The state of a bucket after the inputs of a tick; undefined when there was no input. */
  #added(before: unknown, slots: Float64Array, { input }: TickSink): unknown {
    const { run } = this.state!;
    const sourceSlots = this.#sourceSlots;
    let state = before;
    let hasInput = false;
    for (let source = 0; source < sourceSlots.length; source++) {
      const slot = sourceSlots[source]!;
      if (slot === NO_SLOT) continue;
      const value = slots[slot]!;
      if (value === NO_ROW) continue;
      input.source = source;
      input.value = Number.isNaN(value) ? null : value;
      state = run.operator.step(state ?? run.start(), input, SILENT_SINK);
      hasInput = true;
    }
    return hasInput ? state : undefined;
  }
}

/** Whether an operator of `bucket` reach gives the stream. */
export function isBucketStream({ record }: LiveStream): boolean {
  return operatorOf(record.derivation!.op).reach.kind === 'bucket';
}

/** Takes the outputs of one derived stream after the other at the instant of a tick. */
export class TickSink implements NumberSink {
  /** One object for all inputs: operators keep no inputs. */
  readonly input: { timestampMs: number; source: number; value: unknown } = {
    timestampMs: 0,
    source: 0,
    value: null,
  };
  /** The same for operators that take plain numbers. */
  readonly floatInput: { timestampMs: number; source: number; value: number } = {
    timestampMs: Number.NaN,
    source: 0,
    value: Number.NaN,
  };
  /** The output of the stream at hand; NaN = null, `NO_ROW` = none. */
  value: number = NO_ROW;
  /** Whether there was an output that has no place in a tick. */
  isBroken = false;
  /** About inputs that gave no output. */
  readonly warnings: InvalidValueWarning[] = [];
  /** Buckets that took inputs and stay open, by node. */
  readonly openBucketsMs: Map<DerivedNode, Set<number>> = new Map();
  #node: DerivedNode | null = null;

  noteOpen(node: DerivedNode, startMs: number): void {
    const known = this.openBucketsMs.get(node);
    if (known === undefined) this.openBucketsMs.set(node, new Set([startMs]));
    else known.add(startMs);
  }

  begin(node: DerivedNode): void {
    this.#node = node;
    this.value = NO_ROW;
  }

  emit({ timestampMs, value }: Output): void {
    if (timestampMs !== this.input.timestampMs || this.value !== NO_ROW) {
      this.isBroken = true;
      return;
    }
    const stored = this.#node!.stream.codec.fromOperand(value);
    if (typeof stored === 'number') this.value = stored;
    else if (stored === null) this.value = Number.NaN;
    else this.isBroken = true;
  }

  emitFloat(timestampMs: number, value: number): void {
    if (timestampMs !== this.input.timestampMs || this.value !== NO_ROW) this.isBroken = true;
    else this.value = value;
  }

  warn(message: string): void {
    const streamId = this.#node!.stream.streamId;
    this.warnings.push(new InvalidValueWarning(`Derived stream ${streamId}: ${message}`));
  }
}
