import type { TimeRange } from '../../model/time-range.ts';
import { detectFormat, type LineFormat } from '../input/datapoint-line.ts';
import {
  type InputLine,
  type LineBlock,
  lineEndAt,
  linesOf,
  lineText,
  readLineBlocks,
} from '../input/lines.ts';
import { PlainLines } from '../input/plain-lines.ts';
import { ValueSyntaxError } from '../parse/value.ts';
import { definitionText, parseStreamLine, type StreamLine } from './stream-line.ts';

/** Consecutive datapoints of the current stream: epoch milliseconds, ascending, and values (NaN = null). */
export interface ColumnSegment {
  readonly timestamps: Float64Array;
  readonly values: Float64Array;
  /** Of the first row; each line is a row. */
  readonly lineNumber: number;
}

/** A part of an export: any one line, or datapoints that have been read already. */
export type Segment = InputLine | ColumnSegment;

/** What was read at once, in the order of the lines. Can be sent to another thread. */
export interface SegmentBatch {
  readonly format: LineFormat;
  readonly segments: readonly Segment[];
  /** Of the input until the end of the batch. */
  readonly sizeBytes: number;
}

export interface SegmentOptions {
  /** Undefined: told by the first line. */
  readonly format: LineFormat | undefined;
  /** What the store takes. */
  readonly timestampRange: TimeRange;
}

/**
 * Reads the lines of an export, and turns datapoints of the usual form into columns. It knows which lines
 * define streams, and nothing of what the store has.
 * @throws {CliError} INPUT_INVALID when a line is too long.
 */
export async function* readSegments(
  chunks: AsyncIterable<Uint8Array | string>,
  { format, timestampRange }: SegmentOptions,
): AsyncGenerator<SegmentBatch, void, undefined> {
  let reader: SegmentReader | null = null;
  let sizeBytes = 0;
  for await (const block of readLineBlocks(chunks)) {
    sizeBytes += block.bytes.length;
    const { value: firstLine } = linesOf(block).next();
    if (firstLine === undefined) continue;
    reader ??= new SegmentReader(format ?? detectFormat(firstLine.text), timestampRange);
    yield { format: reader.format, segments: reader.read(block), sizeBytes };
  }
}

class SegmentReader {
  readonly format: LineFormat;
  readonly #timestampRange: TimeRange;
  readonly #plainLines: PlainLines;
  /** Whether the datapoints that come are plain numbers. */
  #isPlain = false;
  #latestMs = Number.NEGATIVE_INFINITY;

  constructor(format: LineFormat, timestampRange: TimeRange) {
    this.format = format;
    this.#timestampRange = timestampRange;
    this.#plainLines = new PlainLines(format);
  }

  read({ bytes, lineNumber }: LineBlock): Segment[] {
    const segments: Segment[] = [];
    let number = lineNumber;
    for (let at = 0; at < bytes.length; ) {
      const bounds = { ...this.#timestampRange, latestMs: this.#latestMs };
      const run = this.#isPlain
        ? this.#plainLines.read(bytes, at, bounds)
        : { rowCount: 0, endAt: at };
      if (run.rowCount > 0) {
        segments.push(this.#columns(run.rowCount, number));
        number += run.rowCount;
        at = run.endAt;
        continue;
      }
      const endAt = lineEndAt(bytes, at);
      const text = lineText(bytes, { at, endAt });
      if (text.trim() !== '') {
        segments.push({ lineNumber: number, text });
        this.#noteLine(text);
      }
      number++;
      at = endAt + 1;
    }
    return segments;
  }

  #columns(rowCount: number, lineNumber: number): ColumnSegment {
    const timestamps = this.#plainLines.timestamps.slice(0, rowCount);
    const values = this.#plainLines.values.slice(0, rowCount);
    this.#latestMs = timestamps[rowCount - 1]!;
    return { timestamps, values, lineNumber };
  }

  #noteLine(text: string): void {
    const definition = definitionText(text, this.format);
    if (definition === null) return;
    const stream = streamOf(definition);
    this.#isPlain = stream !== null && hasPlainDatapoints(stream);
    this.#latestMs = Number.NEGATIVE_INFINITY;
  }
}

/** Null when the line cannot be used: whoever creates streams says why. */
function streamOf(definition: string): StreamLine | null {
  try {
    return parseStreamLine(definition);
  } catch (error) {
    if (error instanceof ValueSyntaxError) return null;
    throw error;
  }
}

function hasPlainDatapoints({ definition, isDerived }: StreamLine): boolean {
  const { valueType, valueTypeOptions = {} } = definition;
  return !isDerived && valueType === 'numeric' && valueTypeOptions.highAccuracy !== true;
}
