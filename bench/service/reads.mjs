// A month of hours of one stream, as JSON.
import { createHash } from 'node:crypto';
import { quantile } from '../backends/rounds.mjs';
import { gauge, regular } from '../random.mjs';
import { START_MS } from './bodies.mjs';
import { withService } from './service-process.mjs';
import { DEFINITION, withStore } from './store.mjs';

const SEED = 3;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const MONTH_MS = 31 * DAY_MS;
const HOUR_COUNT = 31 * 24;
/** Hours are stored once a datapoint comes behind them. */
const STORED_DAY_COUNT = 33;
const FORMATS = ['columns', 'rows'];

export async function measureReads({ folder, readCount }) {
  const id = await withStore(folder, fill);
  return withService(folder, async ({ connection }) => {
    const figures = {};
    const hash = createHash('sha256');
    for (const format of FORMATS) {
      const path =
        `/api/v1/streams/${id}/data?granularity=hours&format=${format}&limit=1000` +
        `&start=${START_MS}&endExclusive=${START_MS + MONTH_MS}`;
      hash.update(JSON.stringify(datapointsOf(await connection.get(path))));
      for (let i = 0; i < readCount / 2; i++) await connection.get(path);
      const milliseconds = [];
      for (let i = 0; i < readCount; i++) {
        const startedMs = performance.now();
        await connection.get(path);
        milliseconds.push(performance.now() - startedMs);
      }
      figures[`${format}Ms`] = quantile(milliseconds, 0.5);
      figures[`${format}P99Ms`] = quantile(milliseconds, 0.99);
    }
    return { figures, hash: hash.digest('hex').slice(0, 16) };
  });
}

/** A gauge with two decimals, a datapoint a minute. @returns the id of its stream, whose hours are stored */
async function fill(datastream) {
  const values = gauge(SEED, (STORED_DAY_COUNT * DAY_MS) / MINUTE_MS);
  const timestamps = regular(START_MS, MINUTE_MS, values.length);
  const id = await datastream.ensureStream({ bench: 'month' }, DEFINITION);
  await datastream.appendColumns(id, { timestamps, values });
  await datastream.downsampleStreams();
  return id;
}

function datapointsOf(answer) {
  const { timestamps, v, t, datapoints } = JSON.parse(answer);
  const count = (timestamps ?? datapoints).length;
  if (count !== HOUR_COUNT) throw new Error(`a month has ${HOUR_COUNT} hours, not ${count}`);
  return { timestamps, v, t, datapoints };
}
