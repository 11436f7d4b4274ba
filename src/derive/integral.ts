import { readDurationMs, readPositive, readWord } from './arguments.ts';
import type { Arithmetic, Num } from './arithmetic.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { emitNumber, numberOf } from './numbers.ts';
import type { Input, Operator, OperatorContext, Sink } from './operator.ts';

const METHODS = ['trapezoid', 'held'] as const;

interface Options {
  readonly method: (typeof METHODS)[number];
  /** The value is a rate per so many seconds. */
  readonly unit: number;
  /** No value is known between two that are further apart. */
  readonly gapMaxMs: number;
}

export interface IntegralState {
  readonly arithmetic: Arithmetic<Num>;
  readonly options: Options;
  /** What the elapsed milliseconds times the values of both ends, or of the first one, are divided by. */
  readonly divisor: Num;
  /** Bit for bit the last output, so that it can be taken up from there. */
  total: Num;
  /** Null at the start and after a null. */
  previous: Num | null;
  previousMs: number;
}

/** Adds up the area under the values: energy of a power, bytes of a rate. */
export const integral: Operator<IntegralState> = Object.freeze({
  name: 'integral',
  valueType: 'numeric',
  reach: Object.freeze({
    kind: 'running',
    resume: (context, { output, input }): IntegralState => ({
      ...startState(context),
      total: output.value as Num,
      previous: input === null ? null : numberOf(input),
      previousMs: output.timestampMs,
    }),
  }),

  validate(sources, { args, granularity }) {
    checkArgumentNames('integral', args, ['unit', 'max_gap', 'method']);
    optionsOf(args);
    checkOneSource('integral', sources, granularity);
  },

  start: startState,

  step(state, input, sink) {
    stepValue(state, { timestampMs: input.timestampMs, value: numberOf(input) }, sink);
    return state;
  },

  stepFloat(state, { timestampMs, value }, sink) {
    stepValue(state, { timestampMs, value: Number.isNaN(value) ? null : value }, sink);
    return state;
  },

  stepRows(state, { timestamps, values, from, to }, sink) {
    const { divisor, options } = state;
    const isHeld = options.method === 'held';
    for (let row = from; row < to; row++) {
      const timestampMs = timestamps[row]!;
      const value = values[row]!;
      const previous = state.previous as number | null;
      const elapsedMs = timestampMs - state.previousMs;
      let total = Number.NaN;
      if (previous !== null && elapsedMs <= options.gapMaxMs && !Number.isNaN(value)) {
        const height = isHeld ? previous : previous + value;
        total = (state.total as number) + (height * elapsedMs) / (divisor as number);
      }
      if (Number.isFinite(total)) {
        sink.emitFloat(timestampMs, total);
        state.total = total;
        state.previous = value;
        state.previousMs = timestampMs;
      } else {
        stepValue(state, { timestampMs, value: Number.isNaN(value) ? null : value }, sink);
      }
    }
    return state;
  },
} satisfies Operator<IntegralState>);

function startState({ args, arithmetic }: OperatorContext): IntegralState {
  const options = optionsOf(args);
  const endCount = options.method === 'trapezoid' ? 2 : 1;
  return {
    arithmetic,
    options,
    divisor: arithmetic.multiply(arithmetic.of(endCount * 1000), arithmetic.of(options.unit)),
    total: arithmetic.of(0),
    previous: null,
    previousMs: 0,
  };
}

function optionsOf(args: Readonly<Record<string, unknown>>): Options {
  return {
    method: readWord('integral', args, { name: 'method', words: METHODS }),
    unit: readPositive('integral', args, 'unit') ?? 1,
    gapMaxMs: readDurationMs('integral', args, 'max_gap') ?? Number.POSITIVE_INFINITY,
  };
}

function stepValue(
  state: IntegralState,
  { timestampMs, value }: Pick<Input, 'timestampMs'> & { readonly value: Num | null },
  sink: Sink,
): void {
  if (value === null) sink.emit({ timestampMs, value: null });
  else {
    const total = state.arithmetic.add(state.total, areaUpTo(state, timestampMs, value));
    emitNumber(sink, { operator: 'integral', timestampMs, value: total });
    if (isStorable(total)) state.total = total;
  }
  state.previous = value;
  state.previousMs = timestampMs;
}

/** Not finite when it is too large. */
function areaUpTo(
  { arithmetic, options, divisor, previous, previousMs }: IntegralState,
  timestampMs: number,
  value: Num,
): Num {
  const elapsedMs = timestampMs - previousMs;
  if (previous === null || elapsedMs > options.gapMaxMs) return arithmetic.of(0);
  const height = options.method === 'held' ? previous : arithmetic.add(previous, value);
  return arithmetic.divide(arithmetic.multiply(height, arithmetic.of(elapsedMs)), divisor);
}

function isStorable(value: Num): boolean {
  return typeof value === 'number' ? Number.isFinite(value) : value.isFinite();
}
