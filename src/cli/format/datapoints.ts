import type { Datapoint, Stream } from '../../api/types.ts';
import { selectTimeDownsamplers, valueDownsamplersOf } from '../../downsamplers/registry.ts';
import type { Granularity } from '../../model/granularity.ts';
import { valueText } from '../../text/exact-json.ts';
import type { TableColumn } from './table.ts';

const MEAN_TIME = 'mean';
const MEAN_TIME_LETTER: string = timeLetter(MEAN_TIME);

/** A column of a table of datapoints. */
export interface DatapointColumn extends TableColumn {
  readonly cellOf: (datapoint: Datapoint) => unknown;
}

export interface DatapointShape {
  readonly stream: Stream;
  readonly granularity: Granularity;
  /** Names asked for; absent: all of the stream's. */
  readonly valueDownsamplers?: readonly string[];
  /** Names asked for; absent: the start of the bucket alone. */
  readonly timeDownsamplers?: readonly string[];
  /** Whether buckets may have been computed for the read; those are marked. */
  readonly isLive?: boolean;
}

/** Whether the datapoints are buckets, not what was appended. */
export function isLevel({ stream, granularity }: DatapointShape): boolean {
  return granularity.durationMs > granularityDurationMs(stream);
}

/**
 * Columns for raw datapoints (timestamp, value) or buckets: start of the bucket, one column per value
 * downsampler, one per time downsampler that was asked for. Buckets must carry the mean time.
 */
export function datapointColumns(shape: DatapointShape): readonly DatapointColumn[] {
  if (!isLevel(shape)) {
    return [
      { title: 'timestamp', cellOf: ({ t }) => t },
      { title: 'value', align: 'right', cellOf: ({ v }) => v },
    ];
  }
  const { stream, granularity } = shape;
  return [
    // Every time of a bucket lies inside it, and its mean is there in empty buckets too.
    { title: 'bucket', cellOf: ({ t }) => granularity.bucketStart(t[MEAN_TIME_LETTER]) },
    ...(shape.valueDownsamplers ?? stream.valueDownsamplers).map((name) => {
      const letter = valueLetter(name);
      return { title: name, align: 'right' as const, cellOf: ({ v }: Datapoint) => v?.[letter] };
    }),
    ...(shape.timeDownsamplers ?? []).map((name) => {
      const letter = timeLetter(name);
      return { title: `time ${name}`, cellOf: ({ t }: Datapoint) => t[letter] };
    }),
    ...(shape.isLive ? [{ title: 'live', cellOf: ({ live }: Datapoint) => live ?? false }] : []),
  ];
}

/** Nothing but the start of the bucket needs a time, unless others were asked for. */
export function timeDownsamplersToRead(names: readonly string[] | undefined): readonly string[] {
  return [...new Set([MEAN_TIME, ...(names ?? [])])];
}

/** The cell of a table: the value as text. */
export function tableCell(value: unknown): string {
  return value === null || value === undefined ? '–' : valueText(value);
}

/** @throws {UnsupportedDownsampler} when there is none of that name. */
function valueLetter(name: string): string {
  return valueDownsamplersOf([name])[0]!.letter;
}

/** @throws {UnsupportedDownsampler} when there is none of that name. */
function timeLetter(name: string): string {
  return selectTimeDownsamplers([name])[0]!.letter;
}

function granularityDurationMs({ highestGranularity }: Stream): number {
  return highestGranularity.durationMs;
}
