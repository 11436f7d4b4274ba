import type { Num } from './arithmetic.ts';
import type { InputRows, NumberSink } from './operator.ts';

/** What an operator that gives rates knows of the row before. */
interface RateState {
  /** A float; null for none. */
  previous: Num | null;
  previousMs: number;
}

/**
 * Emits the change per second from each row to the next, and notes the last one, up to the first row at which
 * there is anything special: no data, no time that passed, a result that is too large, or a drop unless drops are
 * as good as rises.
 * @returns that row, or the end.
 */
export function emitRates(
  state: RateState,
  { rows, areDropsPlain }: { readonly rows: InputRows; readonly areDropsPlain: boolean },
  sink: NumberSink,
): number {
  if (state.previous === null) return rows.from;
  const { timestamps, values, to } = rows;
  let previous = state.previous as number;
  let { previousMs } = state;
  let row = rows.from;
  for (; row < to; row++) {
    const timestampMs = timestamps[row]!;
    const value = values[row]!;
    const increase = value - previous;
    const rate = increase / ((timestampMs - previousMs) / 1000);
    // Not finite without data, or without time that passed.
    if (!Number.isFinite(rate) || (increase < 0 && !areDropsPlain)) break;
    sink.emitFloat(timestampMs, rate);
    previous = value;
    previousMs = timestampMs;
  }
  state.previous = previous;
  state.previousMs = previousMs;
  return row;
}
