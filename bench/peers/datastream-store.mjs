// Our embedded store, as the parts of the work use it.
import { Datastream, Granularity, openBackend } from '../../dist/index.js';
import { folderSizeBytes } from './process-usage.mjs';
import { AGGREGATES, START_SECONDS, secondsAt, W1_BATCH_ROW_COUNT } from './workload.mjs';

const START_MS = START_SECONDS * 1000;
const DAY_MS = 86_400_000;
const FIVE_AGGREGATES = { valueDownsamplers: AGGREGATES, timeDownsamplers: [] };

/** W1 as it is appended: made before the clock starts, as the batches of every engine are. */
export function batchesOf(values) {
  const timestamps = Float64Array.from(values, (_, i) => secondsAt(i) * 1000);
  const batches = [];
  for (let from = 0; from < values.length; from += W1_BATCH_ROW_COUNT) {
    const to = from + W1_BATCH_ROW_COUNT;
    batches.push({ timestamps: timestamps.subarray(from, to), values: values.subarray(from, to) });
  }
  return batches;
}

export class Store {
  #folder;
  #endMs;

  /** @param stepCount points of a stream that the work appends: what comes after them is not read */
  constructor(folder, { stepCount }) {
    this.#folder = folder;
    this.#endMs = secondsAt(stepCount) * 1000;
  }

  async open(options = {}) {
    // A counter that drops without a reset is worth a warning; these drop on purpose.
    const onWarning = () => {};
    const backend = await openBackend(`embedded:${this.#folder}`);
    try {
      this.datastream = new Datastream(backend, { onWarning, ...options });
    } catch (error) {
      await backend.close();
      throw error;
    }
  }

  close() {
    return this.datastream.close();
  }

  /** Closes the store in its smallest form, and opens it again. @returns the bytes of its files */
  async settle() {
    await this.datastream.checkpoint();
    await this.close();
    const sizeBytes = folderSizeBytes(this.#folder);
    await this.open();
    return sizeBytes;
  }

  ensure(tags, definition = {}) {
    return this.datastream.ensureStream(tags, {
      valueDownsamplers: AGGREGATES,
      highestGranularity: Granularity.Seconds10,
      ...definition,
    });
  }

  async idsOf(tags) {
    const streams = await this.datastream.findStreams(tags).toArray();
    return streams.map(({ id }) => id);
  }

  async appendBatches(streamId, batches) {
    for (const batch of batches) await this.datastream.appendColumns(streamId, batch);
  }

  async appendTicks(streamIds, { ticks, fromTick = 0, toTick = ticks.length / streamIds.length }) {
    const streamCount = streamIds.length;
    for (let tick = fromTick; tick < toTick; tick++) {
      const values = ticks.subarray(tick * streamCount, (tick + 1) * streamCount);
      await this.datastream.appendTick(secondsAt(tick) * 1000, streamIds, values);
    }
  }

  /** A bucket ends when a datapoint comes after it: each stream gets one, days later, that is not read. */
  async endBuckets(streamIds) {
    const nextDayMs = Math.ceil(this.#endMs / DAY_MS) * DAY_MS;
    await this.datastream.appendTick(
      nextDayMs + DAY_MS,
      streamIds,
      new Float64Array(streamIds.length),
    );
  }

  raw(streamId, startMs = START_MS) {
    const range = { start: startMs, endExclusive: this.#endMs };
    return this.datastream.getData(streamId, Granularity.Seconds10, range);
  }

  buckets(streamId, level) {
    const range = { start: START_MS, endExclusive: this.#endMs, ...FIVE_AGGREGATES };
    return this.datastream.getData(streamId, level, range);
  }
}
