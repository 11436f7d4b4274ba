import { NO_ROW } from '../backends/backend.ts';
import type { InvalidValueWarning } from '../exceptions/warnings.ts';
import { type DerivedNode, TickSink } from './derived-node.ts';
import type { DerivedPlan } from './derived-plan.ts';
import type { LiveStream } from './live-stream.ts';
import type { PlannedTick } from './tick-group.ts';

/** A tick with what derives from its streams. */
export interface DerivingTick {
  readonly timestampMs: number;
  readonly values: Float64Array;
  readonly derived: DerivedPlan;
}

/** What ticks give; all of it, or nothing, goes into the batch. */
export interface TickOutputs {
  readonly ticks: PlannedTick[];
  /** Outputs of streams that are not numeric. */
  readonly rows: {
    readonly stream: LiveStream;
    readonly timestampMs: number;
    readonly value: number;
  }[];
  readonly warnings: readonly InvalidValueWarning[];
  /** Starts of the buckets of which the outputs must be asked for, by node. */
  readonly openBucketsMs: ReadonlyMap<DerivedNode, ReadonlySet<number>>;
}

/**
 * Whether a tick is newer than everything that its derived streams rest on. `previousMs` is the instant of
 * the tick before it in the same batch.
 */
export function canStepTick({ timestampMs, derived }: DerivingTick, previousMs: number): boolean {
  if (timestampMs <= previousMs || timestampMs < derived.startMs) return false;
  for (const { latestMs } of derived.older) {
    if (latestMs !== null && timestampMs <= latestMs) return false;
  }
  for (const node of derived.nodes) if (!node.canStep(timestampMs)) return false;
  return true;
}

/**
 * Steps the operators of all streams that derive from ticks, without taking the ticks apart into rows: the
 * same inputs in the same order as otherwise, so the same outputs.
 */
export class TickDerivation {
  readonly #sink = new TickSink();
  readonly #ticks: PlannedTick[] = [];
  readonly #rows: TickOutputs['rows'] = [];

  /** Returns whether every output has a place in a tick. When not, all states that took part are wrong. */
  step({ timestampMs, values, derived }: DerivingTick): boolean {
    const sink = this.#sink;
    const slots = new Float64Array(derived.slotCount);
    slots.set(values);
    sink.input.timestampMs = timestampMs;
    for (const node of derived.nodes) {
      node.step(slots, sink);
      if (!node.isNominal || sink.value === NO_ROW) continue;
      this.#rows.push({ stream: node.stream, timestampMs, value: sink.value });
    }
    for (const { group, from } of derived.outputGroups) {
      this.#ticks.push({
        timestampMs,
        plan: group,
        values: slots.slice(from, from + group.streams.length),
      });
    }
    return !sink.isBroken;
  }

  get outputs(): TickOutputs {
    const { warnings, openBucketsMs } = this.#sink;
    return { ticks: this.#ticks, rows: this.#rows, warnings, openBucketsMs };
  }
}
