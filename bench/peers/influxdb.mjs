// InfluxDB 1.x over HTTP: line protocol in, levels by a chain of SELECT … INTO.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { tickBodies, w1Bodies } from './line-protocol.mjs';
import { checkBuckets, checkHourOf, expectedCounts } from './peer-checks.mjs';
import { folderAllocatedBytes } from './process-usage.mjs';
import { rawReadIndex } from './run.mjs';
import { Connection, freePort, startServer, stopServer, untilStill } from './server.mjs';
import { AGGREGATES, LEVELS, START_SECONDS } from './workload.mjs';

const FIVE = AGGREGATES.join();

export const parts = { w1, w2 };

async function w1(run) {
  const influxdb = new Influxdb(run);
  await influxdb.start();
  const values = run.workload.w1();
  const bodies = w1Bodies(values);
  const ingestSeconds = await run.ingest('w1', values.length, () => influxdb.write(bodies));
  run.figure('w1_bytes_raw', (await influxdb.settle()) / values.length);
  const rollupSeconds = await run.seconds(() => influxdb.insertLevels());
  run.figure('w1_rollup', rollupSeconds);
  run.figure('w1_levels_once', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_levels', values.length / (ingestSeconds + rollupSeconds));
  run.figure('w1_bytes_levels', (await influxdb.settle()) / values.length);
  const [hours] = await run.latency('read_90d_1h', run.workload.size.readCounts.long, () =>
    influxdb.query(`SELECT ${FIVE} FROM r1h`),
  );
  checkBuckets(run, bucketsOf(hours), { values, level: 'hours' });
  const [days] = await influxdb.query(`SELECT ${FIVE} FROM r1d`);
  checkBuckets(run, bucketsOf(days), { values, level: 'days' });
  await influxdb.stop();
}

async function w2(run) {
  const influxdb = new Influxdb(run);
  await influxdb.start();
  const ticks = run.workload.w2();
  const bodies = tickBodies(ticks, run.workload.streams);
  await run.ingest('w2', ticks.length, () => influxdb.write(bodies));
  run.notePeakMemory();
  run.figure('w2_bytes_raw', (await influxdb.settle()) / ticks.length);
  run.figure('w2_rollup', await run.seconds(() => influxdb.insertLevels()));
  run.figure('w2_bytes_levels', (await influxdb.settle()) / ticks.length);
  const [buckets] = await influxdb.query(`SELECT ${FIVE} FROM r10m WHERE s = 's0007'`);
  checkBuckets(run, bucketsOf(buckets), { ticks, index: 7, level: '10minutes' });
  await derive(run, influxdb, ticks);
  await read(run, influxdb, ticks);
  await influxdb.stop();
}

async function derive(run, influxdb, ticks) {
  const expected = expectedCounts(run, ticks);
  const range = `time >= ${START_SECONDS}s AND time < ${run.workload.endSeconds}s`;
  const derivSeconds = await run.seconds(() =>
    influxdb.query(
      `SELECT non_negative_derivative(v, 1s) AS v INTO d FROM m WHERE k = 'counter' AND ${range} GROUP BY *`,
    ),
  );
  run.figure('deriv', derivSeconds);
  const sumSeconds = await run.secondsOfBrief({
    work: (repeat) =>
      influxdb.query(
        `SELECT sum(v) AS v INTO sg${repeat} FROM m WHERE g = 'a' AND ${range} GROUP BY time(10s)`,
      ),
  });
  run.figure('sum100', sumSeconds);
  for (const [table, count] of [
    ['d', expected.derivatives],
    ['sg0', expected.sums],
  ]) {
    const [counts] = await influxdb.query(`SELECT count(v) FROM ${table}`);
    run.check(`rows of ${table}`, counts.values[0][1] === count);
  }
}

async function read(run, influxdb, ticks) {
  const { endSeconds, size, streams } = run.workload;
  const lastHour = `time >= ${endSeconds - 3600}s AND time < ${endSeconds}s`;
  let index = 0;
  const [{ values }] = await run.latency('read_1h_raw', size.readCounts.raw, (i) => {
    index = rawReadIndex(i, size.streamCount);
    return influxdb.query(`SELECT v FROM m WHERE s = '${streams[index].name}' AND ${lastHour}`);
  });
  checkHourOf(
    run,
    values.map(([, value]) => value),
    { ticks, index },
  );
  const series = await run.latency('read_100x1m', size.readCounts.wide, () =>
    influxdb.query(`SELECT ${FIVE} FROM r1m WHERE g = 'a' GROUP BY s`),
  );
  const rowCount = series.reduce((count, { values: rows }) => count + rows.length, 0);
  run.check('minutes', rowCount === expectedCounts(run, ticks).wideMinutes);
}

class Influxdb {
  #run;
  #folder;
  #ports;
  #connection;
  #server;

  constructor(run) {
    this.#run = run;
    this.#folder = run.makeFolder('influxdb');
    const version = /InfluxDB v(\S+)/.exec(
      execFileSync('influxd', ['version'], { encoding: 'utf8' }),
    );
    run.about(`${version?.[1]} over HTTP, its defaults; each request is flushed to its log`);
  }

  /** @param coldSeconds after so long without writes, data becomes compacted files */
  async start({ coldSeconds } = {}) {
    this.#ports ??= { http: await freePort(), rpc: await freePort() };
    this.#connection = new Connection(this.#ports.http);
    const isFirst = this.#server === undefined;
    this.#server = await startServer('influxd', ['run', '-config', '/dev/null'], {
      folder: this.#folder,
      env: this.#environment(coldSeconds),
      isReady: () => this.#connection.get('/ping'),
    });
    this.#run.pid = this.#server.pid;
    if (isFirst) await this.query('CREATE DATABASE p');
  }

  stop() {
    return stopServer(this.#server);
  }

  async write(bodies) {
    for (const body of bodies) await this.#connection.post('/write?db=p&precision=s', body);
  }

  /** @returns the series of the answer */
  async query(q) {
    const answer = await this.#connection.postForm('/query', { db: 'p', epoch: 's', q });
    const [result] = JSON.parse(answer).results;
    if (result.error !== undefined) throw new Error(result.error);
    return result.series ?? [];
  }

  async insertLevels() {
    let from = 'm';
    for (const { shortName } of LEVELS) {
      const aggregates =
        from === 'm'
          ? 'mean(v) AS mean, min(v) AS min, max(v) AS max, sum(v) AS sum, count(v) AS count'
          : 'sum("sum") / sum("count") AS mean, min("min") AS min, max("max") AS max, sum("sum") AS sum, sum("count") AS count';
      const range = `time >= ${START_SECONDS}s AND time < ${START_SECONDS + 91 * 86_400}s`;
      await this.query(
        `SELECT ${aggregates} INTO r${shortName} FROM ${from} WHERE ${range} GROUP BY time(${shortName}), *`,
      );
      from = `r${shortName}`;
    }
  }

  /** Restarts the server so that all becomes compacted files. @returns the bytes of them */
  async settle() {
    await this.stop();
    await this.start({ coldSeconds: 1 });
    const sizeBytes = await untilStill(() => folderAllocatedBytes(join(this.#folder, 'data')));
    await this.stop();
    await this.start();
    return sizeBytes;
  }

  #environment(coldSeconds) {
    const { http, rpc } = this.#ports;
    const cold = coldSeconds === undefined ? undefined : `${coldSeconds}s`;
    return {
      INFLUXDB_META_DIR: join(this.#folder, 'meta'),
      INFLUXDB_DATA_DIR: join(this.#folder, 'data'),
      INFLUXDB_DATA_WAL_DIR: join(this.#folder, 'wal'),
      INFLUXDB_BIND_ADDRESS: `127.0.0.1:${rpc}`,
      INFLUXDB_HTTP_BIND_ADDRESS: `127.0.0.1:${http}`,
      INFLUXDB_REPORTING_DISABLED: 'true',
      INFLUXDB_MONITOR_STORE_ENABLED: 'false',
      INFLUXDB_HTTP_LOG_ENABLED: 'false',
      INFLUXDB_DATA_QUERY_LOG_ENABLED: 'false',
      INFLUXDB_CONTINUOUS_QUERIES_ENABLED: 'false',
      ...(cold && {
        INFLUXDB_DATA_CACHE_SNAPSHOT_WRITE_COLD_DURATION: cold,
        INFLUXDB_DATA_COMPACT_FULL_WRITE_COLD_DURATION: cold,
      }),
    };
  }
}

function bucketsOf({ columns, values }) {
  return values.map((row) => Object.fromEntries(columns.map((name, i) => [name, row[i]])));
}
