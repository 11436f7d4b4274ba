import { datapointAt } from '../../api/datapoint-columns.ts';
import type { Datapoints } from '../../api/datapoints.ts';
import type { DatapointColumns } from '../../api/types.ts';
import { selectTimeDownsamplers, valueDownsamplersOf } from '../../downsamplers/registry.ts';
import { csvCell, csvText } from '../../text/csv.ts';

/** Names of the columns of buckets, in the order of the columns. */
export interface ColumnNames {
  readonly values: readonly string[];
  readonly times: readonly string[];
}

/** Datapoints as lines of CSV, the names of the columns first. */
export async function* csvLines(
  data: Datapoints,
  { values, times }: ColumnNames,
): AsyncGenerator<string, void, undefined> {
  const valueLetters = values.map((name) => valueDownsamplersOf([name])[0]!.letter);
  const timeLetters = times.map((name) => selectTimeDownsamplers([name])[0]!.letter);
  let isFirst = true;
  for await (const columns of data.columnBlocks()) {
    const isLevel = columns.values === undefined;
    if (isFirst) {
      const titles = isLevel
        ? ['bucket', ...values, ...times.map((name) => `time ${name}`)]
        : ['timestamp', 'value'];
      yield csvText([titles]);
      isFirst = false;
    }
    yield csvText(
      Array.from(columns.timestamps, (timestampMs, row) => {
        const { t, v } = datapointAt(columns, row);
        const cells = isLevel
          ? [
              ...valueLetters.map((letter) => v?.[letter]),
              ...timeLetters.map((letter) => t?.[letter]),
            ]
          : [v];
        return [new Date(timestampMs), ...cells].map((cell) => csvCell(cell ?? null));
      }),
    );
  }
}

/** How many rows at the end of the columns have the timestamp of the last one. */
export function equalTailCount({ timestamps }: DatapointColumns): number {
  const last = timestamps.at(-1);
  let count = 0;
  while (count < timestamps.length && timestamps.at(-1 - count) === last) count++;
  return count;
}
