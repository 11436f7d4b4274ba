import type { Datastream } from '../../api/datastream.ts';
import type { Stream } from '../../api/types.ts';
import { csvCell, csvText } from '../../text/csv.ts';
import { exactJson } from '../../text/exact-json.ts';
import type { LineFormat } from '../input/datapoint-line.ts';
import { EXPORT_HEADER, streamLine } from './stream-line.ts';

export interface ExportOptions {
  readonly format: LineFormat;
  readonly signal: AbortSignal;
  /** Called before the datapoints of each stream are read. */
  readonly onStream?: (stream: Stream) => void;
}

/**
 * The lines of an export: a header, then each stream followed by its raw datapoints. Derived streams
 * have none: their sources give them. Layout: docs/reference/cli.md.
 */
export async function* exportLines(
  datastream: Datastream,
  streams: AsyncIterable<Stream>,
  { format, signal, onStream }: ExportOptions,
): AsyncGenerator<string, void, undefined> {
  const mark = format === 'csv' ? '#' : '';
  const lineOf = format === 'csv' ? csvLine : jsonLine;
  yield mark + EXPORT_HEADER;
  if (format === 'csv') yield 'timestamp,value';
  for await (const stream of streams) {
    onStream?.(stream);
    yield mark + streamLine(stream);
    if (stream.derivedFrom !== null || stream.earliestDatapoint === null) continue;
    const { id, highestGranularity, earliestDatapoint: start } = stream;
    for await (const { t, v } of datastream.getData(id, highestGranularity, {
      start,
    })) {
      signal.throwIfAborted();
      yield lineOf(t, v);
    }
  }
}

function jsonLine(time: Date, value: unknown): string {
  return `{"t":${exactJson(time)},"v":${exactJson(value)}}`;
}

function csvLine(time: Date, value: unknown): string {
  return csvText([[csvCell(time), csvCell(value)]]).trimEnd();
}
