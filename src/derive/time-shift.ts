import type { TimeRange } from '../model/time-range.ts';
import { readNumber, required } from './arguments.ts';
import { checkArgumentNames, checkOneSource } from './checks.ts';
import { instant, numberOf } from './numbers.ts';
import type { Operator, Sink } from './operator.ts';

const NAME = 'time_shift';

export interface TimeShiftState {
  readonly offsetMs: number;
  /** Where outputs can be. */
  readonly range: TimeRange;
}

/** Gives the values of the source at other instants, all of them earlier or later by the same time. */
export const timeShift: Operator<TimeShiftState> = Object.freeze({
  name: NAME,
  valueType: 'numeric',
  reach: Object.freeze({ kind: 'shift', offsetMs: offsetMsOf }),

  validate(sources, { args, granularity }) {
    checkArgumentNames(NAME, args, ['offset']);
    offsetMsOf(args);
    checkOneSource(NAME, sources, granularity);
  },

  start: ({ args, timestampRange: range }) => ({ offsetMs: offsetMsOf(args), range }),

  step(state, input, sink) {
    const timestampMs = input.timestampMs + state.offsetMs;
    if (isInside(state, timestampMs)) sink.emit({ timestampMs, value: numberOf(input) });
    else warnOutside(sink, input.timestampMs);
    return state;
  },

  stepRows(state, { timestamps, values, from, to }, sink) {
    for (let row = from; row < to; row++) {
      const timestampMs = timestamps[row]! + state.offsetMs;
      if (isInside(state, timestampMs)) sink.emitFloat(timestampMs, values[row]!);
      else warnOutside(sink, timestamps[row]!);
    }
    return state;
  },
} satisfies Operator<TimeShiftState>);

function offsetMsOf(args: Readonly<Record<string, unknown>>): number {
  const offset = readNumber(NAME, args, {
    name: 'offset',
    isFit: (value) => Number.isSafeInteger(value) && value !== 0,
    what: 'a whole number of seconds, not 0',
  });
  return required(NAME, 'offset', offset) * 1000;
}

function isInside({ range }: TimeShiftState, timestampMs: number): boolean {
  return timestampMs >= range.startMs && timestampMs < range.endMs;
}

function warnOutside(sink: Sink, timestampMs: number): void {
  sink.warn(`${NAME}: so far from ${instant(timestampMs)} the store takes no datapoint.`);
}
