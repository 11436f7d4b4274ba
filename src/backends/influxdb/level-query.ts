import { type Block, EMPTY_BLOCK } from '../../model/block.ts';
import { bucketStartMs, type Granularity } from '../../model/granularity.ts';
import type { StreamRecord } from '../../model/stream.ts';
import type { TimeRange } from '../../model/time-range.ts';
import { InfluxFailure } from './influx-errors.ts';
import type { InfluxHttp, RowsAnswer } from './influx-http.ts';
import { JSON_FIELD, NUMBER_FIELD } from './line-protocol.ts';
import { TIMESTAMP_RANGE } from './stored-values.ts';

/** The downsamplers that streams may have, beside those that InfluxDB could not tell. */
export const VALUE_DOWNSAMPLERS: readonly string[] = Object.freeze([
  'mean',
  'sum',
  'min',
  'max',
  'sum_squares',
  'std_dev',
  'count',
  'range',
  'variance',
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

export interface LevelRequest {
  readonly record: StreamRecord;
  readonly granularity: Granularity;
  /** Begins with a bucket. Rows behind its end are left out of the last one. */
  readonly range: TimeRange;
}

/** Tries at an answer in two parts that a change of the past may come between. */
const TRY_COUNT = 3;

/**
 * Lets the server fold the raw rows of a range into bucket states with the components that the stream's
 * downsamplers need. Buckets without data give no row. A sum that overflowed is infinite, as it is where the
 * engine folds.
 */
export async function queryLevel(http: InfluxHttp, request: LevelRequest): Promise<Block> {
  const { record, granularity, range } = request;
  const names = ['count', ...Object.keys(SELECTED).filter((name) => isAsked(record, name))];
  const rows: (readonly unknown[])[] = [];
  // No earlier instant can be said in a query, and no row is there.
  let startMs = Math.max(range.startMs, TIMESTAMP_RANGE.startMs);
  while (startMs < range.endMs) {
    const part = { ...request, range: { startMs, endMs: range.endMs } };
    const answer = await answerTo(http, part, names);
    for (const row of answer.rows) rows.push(row);
    if (!answer.isCut) break;
    startMs = bucketStartMs(answer.rows.at(-1)![0] as number, granularity) + granularity.durationMs;
  }
  if (rows.length === 0) return EMPTY_BLOCK;
  const timestamps = Float64Array.from(rows, ([ms]) => bucketStartMs(ms as number, granularity));
  const columns = names.map((name, index): [string, Float64Array] => [
    name,
    Float64Array.from(rows, (row) => (row[index + 1] as number | null) ?? Number.NaN),
  ]);
  return { timestamps, columns: componentsOf(Object.fromEntries(columns)) };
}

async function answerTo(
  http: InfluxHttp,
  request: LevelRequest,
  names: readonly string[],
): Promise<RowsAnswer> {
  const asked = statement(http, request, names);
  const counting = statement(http, request, ['count']);
  for (let tryCount = 0; tryCount < TRY_COUNT; tryCount++) {
    const answer = await http.finiteRows(asked);
    if (answer !== null) return answer;
    // CSV has words for all numbers, but none for a failure of the server in the midst of an answer.
    const counted = await http.rows(counting);
    const rows = (await http.csv(asked)).map(rowOfLine);
    const isWhole =
      rows.length === counted.rows.length &&
      rows.every(([ms, count], row) => {
        const [countedMs, counterpart] = counted.rows[row]!;
        return ms === countedMs && count === counterpart;
      });
    if (isWhole) return { rows, isCut: counted.isCut };
  }
  throw new InfluxFailure('an answer was cut short', { status: 503 });
}

function isAsked({ valueType, valueDownsamplers }: StreamRecord, name: string): boolean {
  if (valueType !== 'numeric' || name === 'count') return false;
  const isOfVariance = name === 'std_dev' && valueDownsamplers.includes('variance');
  return isOfVariance || valueDownsamplers.includes(name);
}

function statement(
  http: InfluxHttp,
  { record, granularity, range }: LevelRequest,
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

/** The name of the measurement and its tags, of which there are none, come first. */
function rowOfLine(line: string): readonly number[] {
  return line.split(',').slice(2).map(numberOf);
}

function numberOf(cell: string): number {
  if (cell === '') return Number.NaN;
  if (cell === '+Inf') return Number.POSITIVE_INFINITY;
  return cell === '-Inf' ? Number.NEGATIVE_INFINITY : Number(cell);
}
