import { randomUUID } from 'node:crypto';
import type { Datastream } from '../../api/datastream.ts';
import type { DeriveFrom } from '../../api/types.ts';
import type { StreamId } from '../../model/stream.ts';
import { errorMessage } from '../error-message.ts';
import { EXIT_CODES, errorCodeOf } from '../exit-codes.ts';
import { isCsvHeader, type LineFormat, parseDatapointLine } from '../input/datapoint-line.ts';
import { LineAppender } from '../input/line-appender.ts';
import { BadLine, type InputLine, type LineBlock, lineEndAt, lineText } from '../input/lines.ts';
import { PlainLines, type PlainRun } from '../input/plain-lines.ts';
import { abbreviate, type ValueSyntax, ValueSyntaxError } from '../parse/value.ts';
import {
  EXPORT_VERSION,
  exportVersionOf,
  parseStreamLine,
  type StreamLine,
} from './stream-line.ts';
import { StreamsAhead } from './streams-ahead.ts';

/** Tells a stream that is being created from every other one; removed in the next step. */
const IMPORT_TAG = 'datastream_import';

/** Engine errors from this exit code on are about the store, not about the line. */
const STORE_ERROR_EXIT_CODE = EXIT_CODES['LOCK_EXPIRED_MID_MAINTENANCE']!;

export interface ImporterOptions {
  readonly format: LineFormat;
  readonly now: () => Date;
  /** Takes bad lines and lets the rest go on; absent: the first one ends the import. */
  readonly onBadLine?: (badLine: BadLine) => void;
}

interface CurrentStream {
  readonly streamId: StreamId;
  readonly syntax: ValueSyntax;
  readonly isDerived: boolean;
  /** Of its datapoints so far: those that are older are not taken as columns. */
  latestMs: number;
}

/** What of a block comes after a line. */
interface BlockRest {
  readonly bytes: Buffer;
  readonly at: number;
}

/** Rebuilds streams and their datapoints from the lines of an export, in bounded memory. */
export class Importer {
  readonly #datastream: Datastream;
  readonly #options: ImporterOptions;
  readonly #appender: LineAppender;
  readonly #plainLines: PlainLines;
  readonly #streamsAhead: StreamsAhead;
  readonly #streamIds = new Map<string, StreamId>();
  #hasHeader = false;
  /** null before the first stream; 'skipped' after a stream whose line could not be used. */
  #current: CurrentStream | 'skipped' | null = null;
  #skippedDatapointCount = 0;

  constructor(datastream: Datastream, options: ImporterOptions) {
    const { onBadLine } = options;
    this.#datastream = datastream;
    this.#options = options;
    this.#plainLines = new PlainLines(options.format);
    this.#streamsAhead = new StreamsAhead(datastream);
    this.#appender = new LineAppender(datastream, {
      allowLate: false,
      ...(onBadLine !== undefined && { onBadLine }),
    });
  }

  get streamCount(): number {
    return this.#streamIds.size;
  }

  get appendedCount(): number {
    return this.#appender.appendedCount;
  }

  /** Bad lines, and the datapoints of streams whose line was bad. */
  get skippedLineCount(): number {
    return this.#appender.badLineCount + this.#skippedDatapointCount;
  }

  /**
   * Takes the next lines.
   * @throws {BadLine} when one cannot be used and bad lines end the import, or when it is the first one and
   * no header of an export.
   */
  async addBlock({ bytes, lineNumber }: LineBlock): Promise<void> {
    let number = lineNumber;
    for (let at = 0; at < bytes.length; ) {
      const run = await this.#addPlainLines(bytes, { at, lineNumber: number });
      number += run.rowCount;
      at = run.endAt;
      // A run may have ended because it was long enough.
      if (run.rowCount > 0) continue;
      const endAt = lineEndAt(bytes, at);
      const text = lineText(bytes, { at, endAt });
      at = endAt + 1;
      if (text.trim() !== '') await this.#add({ lineNumber: number, text }, { bytes, at });
      number++;
    }
  }

  /** Takes datapoints of the current stream as columns, as long as their lines are of the usual form. */
  async #addPlainLines(
    bytes: Buffer,
    { at, lineNumber }: { at: number; lineNumber: number },
  ): Promise<PlainRun> {
    const current = this.#current;
    if (!takesColumns(current)) return { rowCount: 0, endAt: at };
    const { timestampRange } = this.#datastream.supports;
    const bounds = { ...timestampRange, latestMs: current.latestMs };
    const run = this.#plainLines.read(bytes, at, bounds);
    if (run.rowCount === 0) return run;
    const timestamps = this.#plainLines.timestamps.slice(0, run.rowCount);
    const values = this.#plainLines.values.slice(0, run.rowCount);
    current.latestMs = timestamps[run.rowCount - 1]!;
    await this.#appender.addColumns(current.streamId, { timestamps, values, lineNumber });
    return run;
  }

  async #add(line: InputLine, rest: BlockRest): Promise<void> {
    if (!this.#hasHeader) {
      this.#takeHeader(line);
      return;
    }
    try {
      const definition = this.#definitionText(line.text);
      if (definition !== null) await this.#addStream(line, { definition, rest });
      else await this.#addDatapoint(line);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      await this.#appender.reject(error);
    }
  }

  /** Stores what is pending. @throws {BadLine} as `addBlock`. */
  async finish(): Promise<void> {
    await this.#appender.flush();
  }

  /** Takes back what was prepared for lines that were not reached, after something else has failed. */
  async giveUp(): Promise<void> {
    await this.#streamsAhead.discard();
  }

  #takeHeader({ text, lineNumber }: InputLine): void {
    const version = exportVersionOf(this.#options.format === 'csv' ? text.replace(/^#/, '') : text);
    this.#hasHeader = version === EXPORT_VERSION;
    if (this.#hasHeader) return;
    throw new BadLine(
      lineNumber,
      version !== null && version > EXPORT_VERSION
        ? `the export has version ${version}, which is newer than version ${EXPORT_VERSION} that can be read`
        : `not the first line of a version ${EXPORT_VERSION} export: ${abbreviate(text)}`,
    );
  }

  /** The JSON that defines a stream; null when the line is something else. */
  #definitionText(text: string): string | null {
    if (this.#options.format === 'csv') return text.startsWith('#') ? text.slice(1) : null;
    return /^\s*\{\s*"stream"\s*:/.test(text) ? text : null;
  }

  async #addStream(
    line: InputLine,
    { definition, rest }: { readonly definition: string; readonly rest: BlockRest },
  ): Promise<void> {
    this.#current = 'skipped';
    try {
      const parsed = parseStreamLine(parseDefinition(definition));
      if (this.#streamIds.has(parsed.id)) {
        throw new ValueSyntaxError(`stream ${parsed.id} is defined twice`);
      }
      // A derived stream takes its history from what its sources hold when it is created.
      if (parsed.sources.length > 0) await this.#appender.flush();
      const streamId = await this.#streamOf(parsed, rest);
      this.#streamIds.set(parsed.id, streamId);
      const { valueType = 'numeric', valueTypeOptions = {} } = parsed.definition;
      const isDerived = parsed.sources.length > 0;
      this.#current = {
        streamId,
        syntax: { valueType, valueTypeOptions },
        isDerived,
        latestMs: Number.NEGATIVE_INFINITY,
      };
    } catch (error) {
      if (!isAboutLine(error)) throw error;
      throw new BadLine(line.lineNumber, errorMessage(error));
    }
  }

  async #streamOf(parsed: StreamLine, rest: BlockRest): Promise<StreamId> {
    const prepared = this.#streamsAhead.take(parsed.id);
    if (prepared !== undefined) return prepared;
    await this.#streamsAhead.create(this.#definitionsFrom(parsed, rest));
    return this.#streamsAhead.take(parsed.id) ?? this.#createStream(parsed);
  }

  /** The stream, and those of the lines after it, up to the first line that is none of a new stream. */
  *#definitionsFrom(first: StreamLine, { bytes, at }: BlockRest): Generator<StreamLine> {
    yield first;
    const marker = this.#options.format === 'csv' ? '\n#' : '\n{"stream"';
    // The end of the line before is where the marker may begin.
    for (let markedAt = at - 1; ; ) {
      markedAt = bytes.indexOf(marker, markedAt);
      if (markedAt < 0) return;
      const lineAt = markedAt + 1;
      markedAt = lineEndAt(bytes, lineAt);
      const parsed = this.#newStream(lineText(bytes, { at: lineAt, endAt: markedAt }));
      if (parsed === null) return;
      yield parsed;
    }
  }

  /** Null when the line cannot be used: it is reported where it is reached. */
  #newStream(text: string): StreamLine | null {
    try {
      const parsed = parseStreamLine(parseDefinition(this.#definitionText(text) ?? ''));
      return this.#streamIds.has(parsed.id) ? null : parsed;
    } catch (error) {
      if (error instanceof ValueSyntaxError) return null;
      throw error;
    }
  }

  async #createStream({ tags, definition, sources }: StreamLine): Promise<StreamId> {
    const deriveFrom = sources.map((source) => this.#mapSource(source));
    const derived = deriveFrom.length > 0 ? { ...definition, deriveFrom } : definition;
    if ((await this.#datastream.findStreams(tags).count()) === 0) {
      return this.#datastream.ensureStream(tags, derived);
    }
    // Another stream has these tags too, and asking for them would find it.
    const marker = { [IMPORT_TAG]: randomUUID() };
    const streamId = await this.#datastream.ensureStream(marker, { ...derived, tags });
    await this.#datastream.removeTag(streamId, marker);
    return streamId;
  }

  #mapSource(source: StreamLine['sources'][number]): DeriveFrom {
    const stream = this.#streamIds.get(source.stream);
    if (stream !== undefined) return { ...source, stream };
    throw new ValueSyntaxError(`its source ${source.stream} is not in the lines before`);
  }

  async #addDatapoint(line: InputLine): Promise<void> {
    const { format, now } = this.#options;
    if (format === 'csv' && isCsvHeader(line.text)) return;
    const current = this.#current;
    if (current === 'skipped') {
      this.#skippedDatapointCount++;
      return;
    }
    if (current === null) throw new BadLine(line.lineNumber, 'a datapoint before the first stream');
    if (current.isDerived) throw new BadLine(line.lineNumber, 'a datapoint of a derived stream');
    const { syntax, streamId } = current;
    const datapoint = parseDatapointLine(line, { format, syntax, now: now() });
    current.latestMs = Math.max(current.latestMs, datapoint.timestamp.getTime());
    await this.#appender.add(streamId, datapoint);
  }
}

/** Whether its datapoints are plain numbers. */
function takesColumns(current: CurrentStream | 'skipped' | null): current is CurrentStream {
  if (current === null || current === 'skipped' || current.isDerived) return false;
  const { valueType, valueTypeOptions } = current.syntax;
  return valueType === 'numeric' && valueTypeOptions.highAccuracy !== true;
}

function parseDefinition(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ValueSyntaxError(`not JSON: ${abbreviate(text)}`);
  }
}

/** Whether the line itself is to blame, and other lines may be better. */
function isAboutLine(error: unknown): error is Error {
  if (error instanceof ValueSyntaxError) return true;
  const code = errorCodeOf(error);
  if (code === null || code === 'INTERRUPTED') return false;
  return (
    EXIT_CODES[code]! >= EXIT_CODES['STREAM_NOT_FOUND']! &&
    EXIT_CODES[code]! < STORE_ERROR_EXIT_CODE
  );
}
