import { Datastream } from '../../../src/api/datastream.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { Tags } from '../../../src/model/tags.ts';
import { BatchWriter } from '../../../src/server/ingest/batch-writer.ts';
import { IngestBatch, type SeriesRows } from '../../../src/server/ingest/ingest-batch.ts';
import { ingestBody } from '../../../src/server/ingest/ingest-body.ts';
import type { BodyParser } from '../../../src/server/ingest/line-feed.ts';
import type { IngestProblem } from '../../../src/server/ingest/problems.ts';
import {
  DEFAULT_WRITE_OPTIONS,
  type WriteOptions,
} from '../../../src/server/ingest/write-options.ts';
import { type WriteOutcome, WriteReport } from '../../../src/server/ingest/write-report.ts';

export const NOW_MS: number = Date.UTC(2026, 10, 22, 12);
export const RECORD_SIZE_MAX_BYTES = 1024;

/** What a parser made of a body: `[key of the series, timestamp, value, line]`. */
export interface Parsed {
  readonly rows: readonly (readonly [string, number, unknown, number])[];
  readonly problems: readonly IngestProblem[];
  readonly series: readonly SeriesRows['series'][];
}

type NewParser = (batch: IngestBatch) => BodyParser;

/** Parses a body given in pieces. */
export function parsed(newParser: NewParser, ...pieces: readonly (string | Uint8Array)[]): Parsed {
  const report = new WriteReport({ problemCountMax: 1000 });
  const batch = new IngestBatch(report.problems);
  const parser = newParser(batch);
  for (const piece of pieces) parser.push(Buffer.from(piece as string));
  parser.end();
  const taken = batch.take();
  const rows = taken.flatMap(({ series, timestamps, values, lines }) =>
    Array.from(timestamps, (ms, row): Parsed['rows'][number] => [
      series.key,
      ms,
      Number.isNaN(values[row]) ? null : values[row],
      lines[row]!,
    ]),
  );
  return { rows, problems: report.problems.kept, series: taken.map(({ series }) => series) };
}

/** Cuts a body at places between 0 and 1. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ats = [...places].map((place) => Math.floor(place * bytes.length)).sort((a, b) => a - b);
  return [0, ...ats].map((at, index) => bytes.subarray(at, ats[index] ?? bytes.length));
}

export interface Opened {
  readonly datastream: Datastream;
  readonly writer: BatchWriter;
  /** Writes a body. */
  write(
    newParser: NewParser,
    body: string | Uint8Array,
    options?: Partial<WriteOptions>,
  ): Promise<WriteOutcome>;
  /** What the one stream with the tags has: `[timestamp, value]`. */
  data(tags: Tags): Promise<readonly (readonly [number, unknown])[]>;
}

/** @param opened a store that is open already; null: it is opened by its URL. */
export async function open(url = 'memory:', opened: Datastream | null = null): Promise<Opened> {
  const datastream =
    opened ?? new Datastream(await openBackend(url), { now: () => new Date(NOW_MS) });
  const writer = new BatchWriter(datastream, { nowMs: () => NOW_MS });
  return {
    datastream,
    writer,
    write: (newParser, body, options = {}) =>
      ingestBody(
        [Buffer.from(body as string)],
        { writer, newParser },
        { ...DEFAULT_WRITE_OPTIONS, problemCountMax: 100, ...options },
      ),
    async data(tags) {
      const streams = await datastream.findStreams(tags).toArray();
      if (streams.length !== 1) throw new Error(`${streams.length} streams have these tags`);
      const data = datastream.getData(streams[0]!.id, Granularity.Milliseconds, {
        start: new Date(-8.64e15),
      });
      return (await data.toArray()).map(({ t, v }) => [t.getTime(), v] as const);
    },
  };
}
