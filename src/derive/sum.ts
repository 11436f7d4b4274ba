import { bucketStartMs } from '../model/granularity.ts';
import type { Num } from './arithmetic.ts';
import { checkArgumentNames, checkSources } from './checks.ts';
import { emitFloat, emitNumber } from './numbers.ts';
import type { Operator } from './operator.ts';
import { type BucketState, bucketSteps } from './source-buckets.ts';

/**
 * Adds up one value of each source per bucket, in the order of the sources, so that the sum of
 * floats does not depend on who arrived first.
 */
export const sum: Operator<BucketState> = Object.freeze({
  name: 'sum',
  valueType: 'numeric',
  reach: Object.freeze({ kind: 'bucket', needsEverySource: true }),
  takesQuery: true,

  validate(sources, { args, granularity }) {
    checkArgumentNames('sum', args);
    checkSources('sum', sources, granularity);
  },

  ...bucketSteps(({ context, bucketMs, latest }, sink) => {
    let total: Num | null = null;
    for (const value of latest) {
      if (value === null || value === undefined) continue;
      total = total === null ? value : context.arithmetic.add(total, value);
    }
    if (total === null) sink.emit({ timestampMs: bucketMs, value: null });
    else emitNumber(sink, { operator: 'sum', timestampMs: bucketMs, value: total });
  }),

  computeAligned({ granularity }, { timestamps, rowCount, sources }, sink) {
    const totals = new Float64Array(rowCount).fill(Number.NaN);
    for (const { values, from } of sources) {
      for (let row = 0; row < rowCount; row++) {
        const value = values[from + row]!;
        if (Number.isNaN(value)) continue;
        const total = totals[row]!;
        totals[row] = Number.isNaN(total) ? value : total + value;
      }
    }
    for (let row = 0; row < rowCount; row++) {
      const timestampMs = bucketStartMs(timestamps[row]!, granularity);
      // The last row of a bucket counts.
      if (row + 1 < rowCount && timestamps[row + 1]! < timestampMs + granularity.durationMs)
        continue;
      const value = totals[row]!;
      if (Number.isNaN(value)) sink.emitFloat(timestampMs, value);
      else emitFloat(sink, { operator: 'sum', timestampMs, value });
    }
  },
} satisfies Operator<BucketState>);
