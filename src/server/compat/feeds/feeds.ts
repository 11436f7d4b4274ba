import { randomUUID } from 'node:crypto';
import type { Datastream } from '../../../api/datastream.ts';
import type { Stream } from '../../../api/types.ts';
import { StreamNotFound } from '../../../exceptions/errors.ts';
import type { Tags } from '../../../model/tags.ts';
import { Problem } from '../../http/problem.ts';
import type { BatchWriter } from '../../ingest/batch-writer.ts';
import { definitionFor, type NewStreamOptions } from '../../ingest/new-streams.ts';
import { seriesOfStream, seriesOfTags } from '../../ingest/series.ts';
import { DEFAULT_WRITE_OPTIONS } from '../../ingest/write-options.ts';
import { WriteReport } from '../../ingest/write-report.ts';
import type { Collection } from '../../state/collection.ts';
import type { StateStore } from '../../state/state-store.ts';
import { FEEDS, type Feed, type FeedAxis, type YCast } from './feed-record.ts';
import { isRoomFor } from './inputs.ts';
import { type Row, Rows } from './rows.ts';

const AXIS_COUNT_MAX = 100;
/** Marks the streams of feeds, so that a grant can mean them all. */
const SOURCE_TAG: Tags = { source: 'feed' };

export interface FeedsParts {
  readonly state: StateStore;
  readonly datastream: Datastream;
  readonly writer: BatchWriter;
  readonly newStreams: NewStreamOptions;
}

/** Feeds and their axes. Who may do what is up to the caller. */
export class Feeds {
  readonly #parts: FeedsParts;
  readonly #feeds: Collection<Feed, 'name'>;

  constructor(parts: FeedsParts) {
    this.#parts = parts;
    this.#feeds = parts.state.collection(FEEDS);
  }

  /** By name. */
  all(): readonly Feed[] {
    return [...this.#feeds.all()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** By id or name; null when there is none. */
  find(text: string): Feed | null {
    return this.#feeds.get(text) ?? this.#feeds.findOne('name', text);
  }

  /** @throws {ServiceError} ALREADY_EXISTS */
  create(feed: {
    readonly name: string;
    readonly yCast: YCast;
    readonly ownerId: string | null;
  }): Feed {
    return this.#feeds.insert({ id: randomUUID(), axes: [], ...feed });
  }

  /**
   * Adds an axis with a stream of its own.
   * @returns the id of the stream.
   * @throws {Problem} 409 when there is one of that name, or too many.
   */
  async addAxis(feed: Feed, name: string): Promise<string> {
    const { datastream, newStreams } = this.#parts;
    assertFree(feed, name);
    const tags = this.axisTags(feed.name, name);
    // A name that nobody has tells the stream from whatever has such tags.
    const title = `${feed.name} ${name}`;
    const series = seriesOfTags({ ...tags, title, feed_axis: randomUUID() });
    const rows = { series, values: new Float64Array() };
    const definition = definitionFor(datastream, rows, newStreams);
    const streamId = await datastream.ensureStream(series.query!, definition);
    try {
      this.#feeds.update(feed.id, (held) => {
        assertFree(held, name);
        return { ...held, axes: [...held.axes, { name, streamId }] };
      });
    } catch (error) {
      await datastream.deleteStreams({ stream_id: streamId });
      throw error;
    }
    return streamId;
  }

  /** The tags that the stream of an axis has, among others. */
  axisTags(feed: string, axis: string): Tags {
    return { ...SOURCE_TAG, feed, axis };
  }

  /** Deletes an axis with its data. @throws {OutstandingDependenciesError} */
  async removeAxis(feed: Feed, { streamId }: FeedAxis): Promise<void> {
    const { datastream, writer } = this.#parts;
    await datastream.deleteStreams({ stream_id: streamId });
    writer.forget([streamId]);
    this.#feeds.update(feed.id, (held) => ({
      ...held,
      axes: held.axes.filter((axis) => axis.streamId !== streamId),
    }));
  }

  /** Forgets a feed whose axes were removed. */
  remove({ id }: Feed): void {
    this.#feeds.remove(id);
  }

  /** Null when the stream was deleted under it. */
  async streamOf({ streamId }: FeedAxis): Promise<Stream | null> {
    try {
      return await this.#parts.datastream.getStream(streamId);
    } catch (error) {
      if (error instanceof StreamNotFound) return null;
      throw error;
    }
  }

  rowsOf(stream: Stream): Rows {
    return new Rows(this.#parts.datastream, stream);
  }

  /**
   * Stores a number. The same number at the same instant is stored once, so that a request can be repeated.
   * @returns its row, and whether that was there before.
   * @throws {Problem} 409 when the instant is full, or the stream refuses it.
   */
  async post(
    stream: Stream,
    { timestampMs, value }: { readonly timestampMs: number; readonly value: number },
  ): Promise<{ readonly row: Row; readonly isDuplicate: boolean }> {
    const rows = this.rowsOf(stream);
    const cutMs = rows.cut(timestampMs);
    const before = await rows.at(cutMs);
    const present = before.find((row) => row.value === value);
    if (present !== undefined) return { row: present, isDuplicate: true };
    if (!isRoomFor(before.length)) {
      throw new Problem(409, 'x: there are too many rows at this instant.', { field: 'x' });
    }
    const report = new WriteReport();
    const series = seriesOfStream(stream.id);
    const one = (number: number): Float64Array => Float64Array.of(number);
    await this.#parts.writer.write(
      [{ series, timestamps: one(cutMs), values: one(value), lines: one(1) }],
      report,
      DEFAULT_WRITE_OPTIONS,
    );
    const [problem] = report.outcome().problems;
    if (problem !== undefined) {
      const { code, detail } = problem;
      throw new Problem(code === 'INVALID_TIMESTAMP' ? 400 : 409, detail, { code });
    }
    const stored = (await rows.at(cutMs)).find((row) => row.value === value);
    if (stored !== undefined) return { row: stored, isDuplicate: false };
    throw new Problem(409, 'x: it is older than what the stream keeps.', { field: 'x' });
  }
}

function assertFree({ name: feedName, axes }: Feed, name: string): void {
  if (axes.some((axis) => axis.name === name)) {
    throw new Problem(
      409,
      `The axis ${JSON.stringify(name)} is already in the feed ${JSON.stringify(feedName)}.`,
      { code: 'ALREADY_EXISTS', field: 'name' },
    );
  }
  if (axes.length < AXIS_COUNT_MAX) return;
  throw new Problem(409, `A feed has at most ${AXIS_COUNT_MAX} axes.`, { field: 'name' });
}
