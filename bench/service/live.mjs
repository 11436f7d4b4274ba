// Open event streams, one of each stream, while every stream gets a datapoint once a second.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { quantile } from '../backends/rounds.mjs';
import { cpuSeconds, peakRssMb } from '../peers/process-usage.mjs';
import { gauge } from '../random.mjs';
import { START_MS } from './bodies.mjs';
import { EventReader } from './event-reader.mjs';
import { withService } from './service-process.mjs';
import { DEFINITION, withStore } from './store.mjs';

const SEED = 2;
/** What readers come one after the other by. */
const CONNECT_COUNT = 50;
const ARRIVED_WITHIN_MS = 30_000;

export async function measureLive({ folder, streamCount, ...size }) {
  const ids = await withStore(folder, async (datastream) => {
    const made = [];
    for (let live = 0; live < streamCount; live++) {
      made.push(await datastream.ensureStream({ live }, DEFINITION));
    }
    return made;
  });
  return withService(folder, (service) => follow(service, { ids, ...size }));
}

async function follow({ pid, port, connection }, { ids, tickCount, everyMs }) {
  const streamCount = ids.length;
  const values = ids.map((_, index) => gauge(SEED + index, tickCount));
  const board = new ArrivalBoard(streamCount, tickCount);
  const readers = [];
  for (let from = 0; from < streamCount; from += CONNECT_COUNT) {
    const some = ids.slice(from, from + CONNECT_COUNT).map(
      (streamId, at) =>
        new EventReader({
          port,
          streamId,
          onAppended: (event, atMs) => board.note(from + at, event, atMs),
        }),
    );
    await Promise.all(some.map(({ ready }) => ready));
    readers.push(...some);
  }
  const cpuBefore = cpuSeconds(pid);
  const startedMs = performance.now();
  const sent = [];
  for (let tick = 0; tick < tickCount; tick++) {
    await sleep(Math.max(0, startedMs + tick * everyMs - performance.now()));
    const body = tickBody(ids, values, tick);
    const sentMs = performance.now();
    await connection.post('/api/v1/write', body, { 'content-type': 'application/json' });
    sent.push({ sentMs, acknowledgedMs: performance.now() });
  }
  await board.untilAll(ARRIVED_WITHIN_MS);
  const seconds = (performance.now() - startedMs) / 1000;
  const figures = {
    ...board.latencies(sent),
    cpuShare: (cpuSeconds(pid) - cpuBefore) / seconds,
    rssMb: peakRssMb(pid),
  };
  for (const reader of readers) reader.close();
  return { figures, hash: board.hash() };
}

function tickBody(ids, values, tick) {
  const t = START_MS + tick * 1000;
  const entries = ids.map((stream, index) => ({ stream, t, v: values[index][tick] }));
  return Buffer.from(JSON.stringify(entries));
}

/** What has come of each stream, and when. */
class ArrivalBoard {
  #tickCount;
  #missingCount;
  #atMs;
  #values;
  #fault = null;
  #onAll = () => {};

  constructor(streamCount, tickCount) {
    this.#tickCount = tickCount;
    this.#missingCount = streamCount * tickCount;
    this.#atMs = new Float64Array(this.#missingCount).fill(Number.NaN);
    this.#values = new Float64Array(this.#missingCount);
  }

  note(index, { timestamps, values }, atMs) {
    for (const [row, timestampMs] of timestamps.entries()) {
      const place = index * this.#tickCount + (timestampMs - START_MS) / 1000;
      if (!Number.isNaN(this.#atMs[place])) this.#fault = `a datapoint came twice, in ${place}`;
      this.#atMs[place] = atMs;
      this.#values[place] = values[row];
      this.#missingCount--;
    }
    if (this.#missingCount === 0) this.#onAll();
  }

  async untilAll(withinMs) {
    if (this.#missingCount > 0) {
      const isLate = sleep(withinMs, undefined, { ref: false });
      await Promise.race([isLate, new Promise((resolve) => (this.#onAll = resolve))]);
    }
    if (this.#missingCount > 0) throw new Error(`${this.#missingCount} datapoints did not come`);
    if (this.#fault !== null) throw new Error(this.#fault);
  }

  /** Of an event that came before the acknowledgement: nothing. */
  latencies(sent) {
    const acknowledged = [];
    const posted = [];
    for (let place = 0; place < this.#atMs.length; place++) {
      const { sentMs, acknowledgedMs } = sent[place % this.#tickCount];
      acknowledged.push(Math.max(0, this.#atMs[place] - acknowledgedMs));
      posted.push(this.#atMs[place] - sentMs);
    }
    return {
      p50Ms: quantile(acknowledged, 0.5),
      p99Ms: quantile(acknowledged, 0.99),
      postedP50Ms: quantile(posted, 0.5),
      postedP99Ms: quantile(posted, 0.99),
    };
  }

  /** Of all values, by stream and instant. */
  hash() {
    const bytes = new Uint8Array(this.#values.buffer);
    return createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  }
}
