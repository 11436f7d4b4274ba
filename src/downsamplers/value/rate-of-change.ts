import type { Decimal } from 'decimal.js';
import type { Columns } from '../../model/block.ts';
import {
  decimalOf,
  divideDecimals,
  multiplyExact,
  subtractExact,
} from '../../model/high-accuracy.ts';
import { VALUE_DOWNSAMPLER_LETTERS } from '../../model/value-letters.ts';
import { decimals } from '../decimal-state.ts';
import { floats, type ValueDownsampler } from '../downsampler.ts';

/** Difference of the last and the first value, per second between them; none where both have one instant. */
export const rateOfChange: ValueDownsampler = {
  name: 'rate_of_change',
  letter: VALUE_DOWNSAMPLER_LETTERS.rate_of_change,
  valueTypes: ['numeric'],
  requires: ['first', 'last', 'count'],
  plain: {
    components: ['a', 'z', 'ta', 'tz'],
    bind(columns) {
      const firsts = floats(columns, 'a');
      const lasts = floats(columns, 'z');
      const elapsedMs = elapsed(columns);
      return (row) => {
        const seconds = elapsedMs(row) / 1000;
        if (seconds === 0) return Number.NaN;
        const difference = lasts[row]! - firsts[row]!;
        // The rate may be a float where the difference is too large for one.
        return Number.isFinite(difference)
          ? difference / seconds
          : lasts[row]! / seconds - firsts[row]! / seconds;
      };
    },
  },
  decimal: {
    components: ['a', 'z', 'ta', 'tz'],
    bind(columns) {
      const first = decimals(columns, 'a');
      const last = decimals(columns, 'z');
      const elapsedMs = elapsed(columns);
      return (row): Decimal | null => {
        if (elapsedMs(row) === 0) return null;
        const difference = subtractExact(last(row), first(row));
        return divideDecimals(
          multiplyExact(difference, decimalOf(1000)),
          decimalOf(elapsedMs(row)),
        );
      };
    },
  },
};

function elapsed(columns: Columns): (row: number) => number {
  const firstsMs = floats(columns, 'ta');
  const lastsMs = floats(columns, 'tz');
  return (row) => lastsMs[row]! - firstsMs[row]!;
}
