import { type Block, EMPTY_BLOCK } from '../../model/block.ts';
import { bucketStartMs, type Granularity } from '../../model/granularity.ts';
import type { StreamRecord } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import type { InfluxHttp } from './influx-http.ts';
import { JSON_FIELD, NUMBER_FIELD } from './line-protocol.ts';

/** The downsamplers that streams may have, beside those that InfluxDB could not tell. */
export const VALUE_DOWNSAMPLERS: readonly string[] = Object.freeze([
  'mean',
  'sum',
  'min',
  'max',
  'sum_squares',
  'std_dev',
  'count',
]);

/** What the server is asked for, by downsampler. */
const SELECTED: Readonly<Record<string, string>> = {
  count: `COUNT(${NUMBER_FIELD})`,
  sum: `SUM(${NUMBER_FIELD})`,
  min: `MIN(${NUMBER_FIELD})`,
  max: `MAX(${NUMBER_FIELD})`,
  sum_squares: 'SUM(q)',
  std_dev: `STDDEV(${NUMBER_FIELD})`,
};

/**
 * Lets the server fold the raw rows of a range of whole buckets into bucket states with the components that
 * the stream's downsamplers need. Buckets without data give no row. A sum that overflowed is infinite, as it
 * is where the engine folds.
 */
export async function queryLevel(
  http: InfluxHttp,
  {
    record,
    granularity,
    range,
  }: {
    readonly record: StreamRecord;
    readonly granularity: Granularity;
    readonly range: TimeRange;
  },
): Promise<Block> {
  const names = ['count', ...Object.keys(SELECTED).filter((name) => isAsked(record, name))];
  const lines = await http.csv(statement(http, { record, granularity, range }, names));
  if (lines.length === 0) return EMPTY_BLOCK;
  const timestamps = new Float64Array(lines.length);
  const asked = names.map(() => new Float64Array(lines.length));
  for (let row = 0; row < lines.length; row++) {
    // The name of the measurement and its tags, of which there are none, come first.
    const cells = lines[row]!.split(',');
    timestamps[row] = bucketStartMs(Number(cells[2]), granularity);
    for (let index = 0; index < asked.length; index++) {
      asked[index]![row] = numberOf(cells[index + 3]!);
    }
  }
  const given = Object.fromEntries(names.map((name, index) => [name, asked[index]!]));
  return { timestamps, columns: componentsOf(given) };
}

function isAsked({ valueType, valueDownsamplers }: StreamRecord, name: string): boolean {
  return valueType === 'numeric' && name !== 'count' && valueDownsamplers.includes(name);
}

function statement(
  http: InfluxHttp,
  {
    record,
    granularity,
    range,
  }: {
    readonly record: StreamRecord;
    readonly granularity: Granularity;
    readonly range: TimeRange;
  },
  names: readonly string[],
): string {
  const within = `time >= ${range.startMs}ms AND time < ${range.endMs}ms`;
  const source = http.source(record.id);
  const grouped = `WHERE ${within} GROUP BY time(${granularity.durationMs}ms) fill(none)`;
  if (record.valueType !== 'numeric')
    return `SELECT COUNT(${JSON_FIELD}) FROM ${source} ${grouped}`;
  const selected = names.map((name) => SELECTED[name]!).join(', ');
  const rows = names.includes('sum_squares')
    ? `(SELECT ${NUMBER_FIELD}, ${NUMBER_FIELD} * ${NUMBER_FIELD} AS q FROM ${source} WHERE ${within})`
    : source;
  return `SELECT ${selected} FROM ${rows} ${grouped}`;
}

/** Components of bucket states (docs/reference/downsamplers.md) from what the server tells. */
function componentsOf(given: Readonly<Record<string, Float64Array>>): Record<string, Float64Array> {
  const { count, sum, min, max, sum_squares: squares, std_dev: deviations } = given;
  const columns: Record<string, Float64Array> = { c: count! };
  if (sum !== undefined) columns['s'] = sum;
  if (min !== undefined) columns['l'] = min;
  if (max !== undefined) columns['u'] = max;
  if (squares !== undefined) columns['q'] = squares;
  if (deviations !== undefined) {
    columns['mu'] = count!.map((n, row) => sum![row]! / n);
    // The server divides by one less than the count, and has no answer for a single value.
    columns['m2'] = count!.map((n, row) => (n === 1 ? 0 : deviations[row]! ** 2 * (n - 1)));
  }
  return columns;
}

function numberOf(cell: string): number {
  if (cell === '') return Number.NaN;
  if (cell === '+Inf') return Number.POSITIVE_INFINITY;
  return cell === '-Inf' ? Number.NEGATIVE_INFINITY : Number(cell);
}
