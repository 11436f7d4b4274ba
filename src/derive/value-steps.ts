import type { Num } from './arithmetic.ts';
import { emitFloat, emitNumber, numberOf } from './numbers.ts';
import type { FloatInput, Input, InputRows, NumberSink, Sink } from './operator.ts';

/** The parts of an operator that gives a number for each number of its source, at the same instant. */
export interface ValueSteps<State> {
  step(state: State, input: Input, sink: Sink): State;
  stepFloat(state: State, input: FloatInput, sink: NumberSink): State;
  stepRows(state: State, rows: InputRows, sink: NumberSink): State;
}

/**
 * Steps from value to value; what is no data stays that, and leaves the state as it was.
 * @param next takes a value into the state, and gives the output: a float for a float.
 */
export function valueSteps<State>(
  operator: string,
  next: (state: State, timestampMs: number, value: Num) => Num,
): ValueSteps<State> {
  const stepFloat = (state: State, { timestampMs, value }: FloatInput, sink: NumberSink): State => {
    if (Number.isNaN(value)) sink.emitFloat(timestampMs, value);
    else
      emitFloat(sink, { operator, timestampMs, value: next(state, timestampMs, value) as number });
    return state;
  };
  return {
    step: (state, input, sink) => {
      const { timestampMs } = input;
      const value = numberOf(input);
      if (value === null) sink.emit({ timestampMs, value });
      else emitNumber(sink, { operator, timestampMs, value: next(state, timestampMs, value) });
      return state;
    },
    stepFloat,
    stepRows: (state, { source, timestamps, values, from, to }, sink) => {
      for (let row = from; row < to; row++) {
        stepFloat(state, { source, timestampMs: timestamps[row]!, value: values[row]! }, sink);
      }
      return state;
    },
  };
}
