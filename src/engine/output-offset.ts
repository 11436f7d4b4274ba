import { operatorOf } from '../derive/registry.ts';
import type { Derivation } from '../model/stream.ts';
import { ALL_TIME, intersectRanges, type TimeRange } from '../model/time-range.ts';

type Operation = Pick<Derivation, 'op' | 'args'>;

/** How much later than their inputs the outputs of a derived stream stand. */
export function outputOffsetMs({ op, args }: Operation): number {
  const { reach } = operatorOf(op);
  return reach.kind === 'shift' ? reach.offsetMs(args) : 0;
}

/** Where the outputs of inputs in a range stand. */
export function outputRange(derivation: Operation, range: TimeRange): TimeRange {
  return movedRange(range, outputOffsetMs(derivation));
}

/** Where the inputs of outputs in a range stand. */
export function inputRange(derivation: Operation, range: TimeRange): TimeRange {
  return movedRange(range, -outputOffsetMs(derivation));
}

function movedRange(range: TimeRange, offsetMs: number): TimeRange {
  if (offsetMs === 0) return range;
  const { startMs, endMs } = range;
  return intersectRanges(ALL_TIME, { startMs: startMs + offsetMs, endMs: endMs + offsetMs });
}
