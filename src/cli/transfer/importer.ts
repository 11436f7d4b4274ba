import { randomUUID } from 'node:crypto';
import type { Datastream } from '../../api/datastream.ts';
import type { DeriveFrom } from '../../api/types.ts';
import { assert } from '../../model/assert.ts';
import type { StreamId } from '../../model/stream.ts';
import { errorMessage } from '../error-message.ts';
import { EXIT_CODES, errorCodeOf } from '../exit-codes.ts';
import { isCsvHeader, type LineFormat, parseDatapointLine } from '../input/datapoint-line.ts';
import { LineAppender } from '../input/line-appender.ts';
import { BadLine, type InputLine } from '../input/lines.ts';
import { abbreviate, type ValueSyntax, ValueSyntaxError } from '../parse/value.ts';
import type { ColumnSegment, Segment } from './segments.ts';
import {
  definitionText,
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
  /** Of its datapoints so far. */
  latestMs: number;
}

/** A line, with what was read together with it. */
interface LineAmongOthers {
  readonly line: InputLine;
  readonly segments: readonly Segment[];
  /** Of the line. */
  readonly index: number;
}

/** Rebuilds streams and their datapoints from the lines of an export, in bounded memory. */
export class Importer {
  readonly #datastream: Datastream;
  readonly #options: ImporterOptions;
  readonly #appender: LineAppender;
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
   * Takes what comes next.
   * @throws {BadLine} when a line cannot be used and bad lines end the import, or when it is the first one
   * and no header of an export.
   */
  async add(segments: readonly Segment[]): Promise<void> {
    for (const [index, segment] of segments.entries()) {
      if ('text' in segment) await this.#addLine({ line: segment, segments, index });
      else await this.#addColumns(segment);
    }
  }

  async #addColumns(columns: ColumnSegment): Promise<void> {
    const { timestamps } = columns;
    const current = this.#current;
    assert(current !== null, 'columns come after the line of their stream');
    if (current === 'skipped') {
      this.#skippedDatapointCount += timestamps.length;
      return;
    }
    // A line of another form may have been later. Which of these are late the engine says, before more follow.
    const isLate = timestamps[0]! < current.latestMs;
    if (isLate) await this.#appender.flush();
    current.latestMs = Math.max(current.latestMs, timestamps.at(-1)!);
    await this.#appender.addColumns(current.streamId, columns);
    if (isLate) await this.#appender.flush();
  }

  async #addLine(place: LineAmongOthers): Promise<void> {
    const { line } = place;
    if (!this.#hasHeader) {
      this.#takeHeader(line);
      return;
    }
    try {
      const definition = definitionText(line.text, this.#options.format);
      if (definition !== null) await this.#addStream(place, definition);
      else await this.#addDatapoint(line);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      await this.#appender.reject(error);
    }
  }

  /** Stores what is pending. @throws {BadLine} as `add`. */
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

  async #addStream(place: LineAmongOthers, definition: string): Promise<void> {
    this.#current = 'skipped';
    try {
      const parsed = parseStreamLine(definition);
      if (this.#streamIds.has(parsed.id)) {
        throw new ValueSyntaxError(`stream ${parsed.id} is defined twice`);
      }
      // A derived stream takes its history from what its sources hold when it is created.
      if (parsed.isDerived) await this.#appender.flush();
      const streamId = await this.#streamOf(parsed, place);
      this.#streamIds.set(parsed.id, streamId);
      const { valueType = 'numeric', valueTypeOptions = {} } = parsed.definition;
      const { isDerived } = parsed;
      this.#current = {
        streamId,
        syntax: { valueType, valueTypeOptions },
        isDerived,
        latestMs: Number.NEGATIVE_INFINITY,
      };
    } catch (error) {
      if (!isAboutLine(error)) throw error;
      throw new BadLine(place.line.lineNumber, errorMessage(error));
    }
  }

  async #streamOf(parsed: StreamLine, place: LineAmongOthers): Promise<StreamId> {
    const prepared = this.#streamsAhead.take(parsed.id);
    if (prepared !== undefined) return prepared;
    await this.#streamsAhead.create(this.#definitionsFrom(parsed, place));
    return this.#streamsAhead.take(parsed.id) ?? this.#createStream(parsed);
  }

  /** The stream, and those of the lines after it, up to the first line that is none of a new stream. */
  *#definitionsFrom(
    first: StreamLine,
    { segments, index }: LineAmongOthers,
  ): Generator<StreamLine, void, undefined> {
    yield first;
    for (let i = index + 1; i < segments.length; i++) {
      const segment = segments[i]!;
      const definition =
        'text' in segment ? definitionText(segment.text, this.#options.format) : null;
      if (definition === null) continue;
      const parsed = this.#newStream(definition);
      if (parsed === null) return;
      yield parsed;
    }
  }

  /** Null when the line cannot be used: it is reported where it is reached. */
  #newStream(definition: string): StreamLine | null {
    try {
      const parsed = parseStreamLine(definition);
      return this.#streamIds.has(parsed.id) ? null : parsed;
    } catch (error) {
      if (error instanceof ValueSyntaxError) return null;
      throw error;
    }
  }

  async #createStream(line: StreamLine): Promise<StreamId> {
    const { tags, definition, sources, query, isDerived } = line;
    const list = sources.map((source) => this.#mapSource(source));
    const deriveFrom = query === null ? list : { query };
    const derived = isDerived ? { ...definition, deriveFrom } : definition;
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
