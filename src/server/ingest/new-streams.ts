import type { Datastream } from '../../api/datastream.ts';
import type { RetentionOptions, StreamDefinition } from '../../api/types.ts';
import type { Tags } from '../../model/tags.ts';
import type { SeriesRows } from './ingest-batch.ts';

/** How streams are made for series that are new. */
export interface NewStreamOptions {
  readonly highestGranularity: string;
  /** Of streams of numbers. What the store does not have is left out. */
  readonly valueDownsamplers: readonly string[];
  /** Of streams of anything else. */
  readonly nominalDownsamplers: readonly string[];
  /** Beside those of the series. */
  readonly tags?: Tags;
  readonly retention?: RetentionOptions;
  /** Whether rates of counters are derived, where a protocol says what a counter is. */
  readonly derivesRates: boolean;
}

export const DEFAULT_NEW_STREAMS: NewStreamOptions = Object.freeze({
  highestGranularity: 'milliseconds',
  valueDownsamplers: Object.freeze(['mean', 'min', 'max', 'sum', 'count']),
  nominalDownsamplers: Object.freeze(['count', 'most_often', 'last']),
  derivesRates: false,
});

/** The definition of a stream that is to hold the rows. */
export function definitionFor(
  { supports }: Pick<Datastream, 'supports'>,
  { series, values }: Pick<SeriesRows, 'series' | 'values'>,
  options: NewStreamOptions,
): StreamDefinition {
  const isNumeric = isNumericSeries(values);
  const wanted = isNumeric ? options.valueDownsamplers : options.nominalDownsamplers;
  const known = supports.valueDownsamplers;
  return {
    // What finds the stream counts, whatever the others say.
    tags: { ...options.tags, ...series.tags, ...series.query },
    valueType: isNumeric ? 'numeric' : 'nominal',
    highestGranularity: options.highestGranularity,
    valueDownsamplers: known === 'all' ? wanted : wanted.filter((name) => known.includes(name)),
    ...(options.retention && { retention: options.retention }),
  };
}

/** Whether a new stream for the values is one of numbers: the first value decides. */
export function isNumericSeries(values: SeriesRows['values']): boolean {
  if (values instanceof Float64Array) return true;
  const first = values.find((value) => value !== null);
  return first === undefined || typeof first === 'number' || typeof first === 'bigint';
}
