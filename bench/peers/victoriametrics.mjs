// VictoriaMetrics over HTTP. It acknowledges what is still in memory alone: a flush follows in its own time. Levels
// and derived data are computed by queries, whose results are written back.
import { tickBodies, w1Bodies } from './line-protocol.mjs';
import { checkBuckets, checkHourOf } from './peer-checks.mjs';
import { folderAllocatedBytes } from './process-usage.mjs';
import { isNearly, sumAt } from './reference.mjs';
import { rawReadIndex } from './run.mjs';
import { Connection, freePort, startServer, stopServer, untilStill } from './server.mjs';
import { AGGREGATES, LEVELS, START_SECONDS, STEP_SECONDS } from './workload.mjs';

const FUNCTIONS = AGGREGATES.map((name) => `"${name}_over_time"`)
  .join()
  .replace('mean', 'avg');

export const parts = { w1, w2 };

async function w1(run) {
  const metrics = await VictoriaMetrics.start(run);
  const values = run.workload.w1();
  const bodies = w1Bodies(values);
  const ingestSeconds = await run.ingest('w1', values.length, () => metrics.write(bodies));
  run.figure('w1_bytes_raw', (await metrics.settle()) / values.length);
  const endSeconds = START_SECONDS + values.length * STEP_SECONDS;
  const rollupSeconds = await run.seconds(() => metrics.writeLevels(endSeconds));
  run.figure('w1_rollup', rollupSeconds);
  run.figure('w1_levels_once', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_levels', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_bytes_levels', (await metrics.settle()) / values.length);
  const hours = await run.latency('read_90d_1h', run.workload.size.readCounts.long, () =>
    metrics.range('{__name__=~"r1h_.*"}', { endSeconds, stepSeconds: 3600 }),
  );
  checkBuckets(run, bucketsOf(hours), { values, level: 'hours' });
  await metrics.stop();
}

async function w2(run) {
  const metrics = await VictoriaMetrics.start(run);
  const ticks = run.workload.w2();
  const bodies = tickBodies(ticks, run.workload.streams);
  await run.ingest('w2', ticks.length, () => metrics.write(bodies));
  run.figure('w2_bytes_raw', (await metrics.settle()) / ticks.length);
  const { endSeconds } = run.workload;
  run.figure('w2_rollup', await run.seconds(() => metrics.writeLevels(endSeconds)));
  run.figure('w2_bytes_levels', (await metrics.settle()) / ticks.length);
  const buckets = await metrics.range('{__name__=~"r10m_.*",s="s0007"}', {
    endSeconds,
    stepSeconds: 600,
  });
  checkBuckets(run, bucketsOf(buckets), { ticks, index: 7, level: '10minutes' });
  await derive(run, metrics, ticks);
  await read(run, metrics, ticks);
  run.notePeakMemory();
  await metrics.stop();
}

async function derive(run, metrics, ticks) {
  const { endSeconds, counters, wide, size } = run.workload;
  const { streamCount, tickCount } = size;
  const range = { endSeconds, stepSeconds: STEP_SECONDS };
  let count = 0;
  const derivSeconds = await run.seconds(async () => {
    const startSeconds = START_SECONDS + STEP_SECONDS;
    const series = await metrics.range('rate(m_v{k="counter"}[20s])', { ...range, startSeconds });
    count = series.reduce((sum, { values }) => sum + values.length, 0);
    await metrics.import(
      series.map((one) => ({ ...one, metric: { ...one.metric, __name__: 'd' } })),
    );
  });
  run.figure('deriv', derivSeconds);
  // It takes a drop for a reset, and gives a point there too.
  run.check('derivatives', count === counters.length * (tickCount - 1));
  let sums = [];
  const sumSeconds = await run.secondsOfBrief({
    work: async (repeat) => {
      const [{ values }] = await metrics.range('sum(m_v{g="a"})', range);
      sums = values;
      await metrics.import([{ metric: { __name__: `sg${repeat}` }, values }]);
    },
  });
  run.figure('sum100', sumSeconds);
  const isSum = ([, sum], tick) =>
    isNearly(Number(sum), sumAt(ticks, { streamCount, streams: wide, tick }));
  run.check('sums', sums.length === tickCount && sums.every(isSum));
}

async function read(run, metrics, ticks) {
  const { endSeconds, size, streams, wide } = run.workload;
  await metrics.flush();
  let index = 0;
  const values = await run.latency('read_1h_raw', size.readCounts.raw, (i) => {
    index = rawReadIndex(i, size.streamCount);
    return metrics.export(`m_v{s="${streams[index].name}"}`, {
      startSeconds: endSeconds - 3600,
      endSeconds,
    });
  });
  checkHourOf(run, values, { ticks, index });
  const series = await run.latency('read_100x1m', size.readCounts.wide, () =>
    metrics.range('{__name__=~"r1m_.*",g="a"}', { endSeconds, stepSeconds: 60 }),
  );
  run.check(
    'minutes',
    series.length === AGGREGATES.length * wide.length &&
      series.every(({ values: rows }) => rows.length === size.tickCount / 6),
  );
}

class VictoriaMetrics {
  #folder;
  #connection;
  #server;

  static async start(run) {
    const metrics = new VictoriaMetrics();
    const port = await freePort();
    metrics.#folder = run.makeFolder('victoriametrics');
    metrics.#connection = new Connection(port);
    metrics.#server = await startServer(
      'victoria-metrics',
      [
        `-httpListenAddr=127.0.0.1:${port}`,
        `-storageDataPath=${metrics.#folder}/data`,
        '-retentionPeriod=100y',
        '-search.maxPointsPerTimeseries=1000000',
        '-search.maxQueryDuration=5m',
        '-loggerLevel=WARN',
      ],
      { folder: metrics.#folder, isReady: () => metrics.#connection.get('/health') },
    );
    run.pid = metrics.#server.pid;
    run.about(`${await metrics.#version()}over HTTP; acknowledges before data is on the disk`);
    return metrics;
  }

  stop() {
    return stopServer(this.#server);
  }

  flush() {
    return this.#connection.get('/internal/force_flush');
  }

  async write(bodies) {
    for (const body of bodies) await this.#connection.post('/write?precision=s', body);
  }

  /** Values at each step of `[startSeconds, endSeconds)`. @returns series of `{ metric, values }` */
  async range(query, { startSeconds = START_SECONDS, endSeconds, stepSeconds }) {
    const answer = await this.#connection.postForm('/api/v1/query_range', {
      query,
      start: startSeconds,
      end: Math.max(startSeconds, endSeconds - stepSeconds),
      step: stepSeconds,
      nocache: 1,
    });
    return JSON.parse(answer).data.result;
  }

  async export(selector, { startSeconds, endSeconds }) {
    const query = new URLSearchParams({
      'match[]': selector,
      start: startSeconds,
      end: endSeconds - 1,
    });
    return JSON.parse(await this.#connection.get(`/api/v1/export?${query}`)).values;
  }

  async import(series) {
    const lines = series.map(({ metric, values }) =>
      JSON.stringify({
        metric,
        values: values.map(([, value]) => Number(value)),
        timestamps: values.map(([seconds]) => seconds * 1000),
      }),
    );
    await this.#connection.post('/api/v1/import', Buffer.from(lines.join('\n')));
  }

  /** Computes all levels from raw data, and writes them back as metrics such as `r1h_min`. */
  async writeLevels(endSeconds) {
    for (const { shortName, seconds } of LEVELS) {
      // A window ends with the instant that it is asked for, inclusively: it is moved to where the bucket ends.
      const window = `m_v[${seconds}s] offset -${seconds - STEP_SECONDS}s`;
      const query = `aggr_over_time((${FUNCTIONS}), ${window})`;
      const series = await this.range(query, { endSeconds, stepSeconds: seconds });
      await this.import(
        series.map(({ metric: { rollup, ...metric }, values }) => ({
          metric: { ...metric, __name__: `r${shortName}_${aggregateOf(rollup)}` },
          values,
        })),
      );
    }
    await this.flush();
  }

  /** Merges its files. @returns the bytes of them */
  async settle() {
    await this.flush();
    await this.#connection.get('/internal/force_merge');
    return untilStill(() => folderAllocatedBytes(`${this.#folder}/data`));
  }

  /** Builds of distributions may not know their version. */
  async #version() {
    const metrics = (await this.#connection.get('/metrics')).toString();
    const version = /vm_app_version\{[^}]*short_version="([^"]+)"/.exec(metrics)?.[1];
    return version === undefined ? '' : `${version} `;
  }
}

function aggregateOf(rollup) {
  return rollup.replace('_over_time', '').replace('avg', 'mean');
}

function bucketsOf(series) {
  const byAggregate = new Map(
    series.map(({ metric, values }) => [metric.__name__.split('_')[1], values]),
  );
  return byAggregate
    .get('count')
    .map((_, row) =>
      Object.fromEntries(AGGREGATES.map((name) => [name, Number(byAggregate.get(name)[row][1])])),
    );
}
