// Appends, derives and downsamples until it is killed, and prints lines of JSON: what it sends, and what
// was acknowledged.
// Arguments: URL of the store, seed, index of the round, and a mode.
// `killed`: any error ends it. A fifth argument says by how many milliseconds the store's clock is ahead.
// `riding`: servers end and come back under it; it goes on until its standard input ends.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Datastream, openBackend } from '../../dist/index.js';

const [url, seedText, roundText, mode, aheadText = '0'] = process.argv.slice(2);
const isRiding = mode === 'riding';
const SOURCES = ['a', 'b', 'c'];
const BASE_MS = Date.UTC(2000, 0, 1, 12);
/** What an operation may end with while a server is away or comes back. */
const PASSING_CODES = ['BACKEND_UNAVAILABLE', 'STREAM_APPEND_FAILED', 'STREAM_APPEND_CONTENDED'];
const HARMLESS_WARNING_CODES = ['INVALID_VALUE_WARNING'];

let isStopping = false;
if (isRiding) process.stdin.on('end', () => (isStopping = true)).resume();

const storeNow = () => new Date(Date.now() + Number(aheadText));
const backend = await openBackend(url, isRiding ? {} : { now: storeNow });
const datastream = new Datastream(backend, {
  // A lease that could not be given back, because the server was away, must not hold the work up.
  ...(isRiding && { leaseDurationMs: 2000 }),
  onWarning(warning) {
    const { code } = warning.cause ?? warning;
    if (HARMLESS_WARNING_CODES.includes(code)) return;
    const isPassing = PASSING_CODES.includes(code) || code === 'LOCK_EXPIRED_MID_MAINTENANCE';
    if (isRiding && isPassing) print({ passing: code });
    else print({ warning: String(warning.cause?.stack ?? warning) });
  },
});
const { equalTimestamps, transactions } = datastream.supports;
const ids = {};
for (const name of SOURCES) ids[name] = await ensure(name);
await ensure('sum', { deriveOp: 'sum', deriveFrom: SOURCES.map((name) => ids[name]) });
ids.rate = await ensure('rate', { deriveOp: 'derivative', deriveFrom: ids.a });
await ensure('both', { deriveOp: 'sum', deriveFrom: [ids.a, ids.rate] });

function ensure(name, definition = {}) {
  return datastream.ensureStream(
    { name },
    {
      valueDownsamplers: ['mean', 'min', 'max', 'std_dev'],
      highestGranularity: 'seconds',
      ...definition,
    },
  );
}

function print(line) {
  // Synchronous: what is printed was acknowledged, and what was acknowledged is printed at once.
  writeSync(1, `${JSON.stringify(line)}\n`);
}

let state = Number(seedText) >>> 0;
function below(limit) {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

// Each datapoint has a value of its own, by which the parent recognises it.
let nextValue = Number(roundText) * 1_000_000;
const msOf = (s) => BASE_MS + s * 1000;
let second = 0;
for (const name of SOURCES) {
  const { latestDatapoint } = await datastream.getStream(ids[name]);
  if (latestDatapoint !== null) second = Math.max(second, (latestDatapoint - BASE_MS) / 1000 + 1);
}
const startSecond = second;

/** Where equal timestamps overwrite, each datapoint gets a second of its own. */
const takenSeconds = new Map(SOURCES.map((name) => [name, new Set()]));
function newRow(name, wanted) {
  let at = wanted;
  const taken = takenSeconds.get(name);
  if (!equalTimestamps) while (taken.has(at)) at++;
  taken.add(at);
  second = Math.max(second, at);
  return [name, at, nextValue++];
}

/** Appends rows all or none. After an error it finds out by reading what is there. */
async function deliver(rows, append) {
  print({ sent: rows });
  try {
    await append();
    print({ acknowledged: rows });
  } catch (error) {
    assertPassing(error);
    const missing = await missingOf(rows);
    const found = rows.filter((row) => !missing.includes(row));
    if (found.length > 0) print({ acknowledged: found, isFound: true });
    if (transactions && missing.length > 0 && found.length > 0) {
      print({ warning: `part of a commit is stored: ${JSON.stringify({ found, missing })}` });
    }
    if (missing.length > 0) await deliver(missing, () => appendRows(missing));
  }
}

function appendRows(rows) {
  const items = rows.map(([name, at, value]) => ({
    streamId: ids[name],
    value,
    timestamp: msOf(at),
  }));
  return datastream.appendMultiple(items, { checkTimestamp: false });
}

function assertPassing(error) {
  if (!isRiding || !PASSING_CODES.includes(error.code)) throw error;
  print({ passing: error.code });
}

async function missingOf(rows) {
  for (;;) {
    try {
      const missing = [];
      for (const row of rows) if (!(await isStored(row))) missing.push(row);
      return missing;
    } catch (error) {
      assertPassing(error);
      await sleep(50);
    }
  }
}

async function isStored([name, at, value]) {
  const range = { start: msOf(at), end: msOf(at) };
  const { values } = await datastream.getData(ids[name], 'seconds', range).columns();
  return values.includes(value);
}

async function appendOne() {
  const row = newRow(SOURCES[below(3)], second + below(3));
  const [name, at, value] = row;
  await deliver([row], () => datastream.append(ids[name], value, msOf(at)));
}

async function appendLate() {
  const row = newRow(SOURCES[below(3)], Math.max(startSecond, second - below(200)));
  await deliver([row], () => appendRows([row]));
}

async function appendTick() {
  const at = second + 1 + below(3);
  const rows = SOURCES.map((name) => newRow(name, at));
  await deliver(rows, () =>
    datastream.appendTick(
      msOf(at),
      SOURCES.map((name) => ids[name]),
      Float64Array.from(rows, ([, , value]) => value),
    ),
  );
}

async function appendColumns() {
  const name = SOURCES[below(3)];
  const rows = [];
  for (let count = 1 + below(400); count > 0; count--) rows.push(newRow(name, second + below(2)));
  await deliver(rows, () =>
    datastream.appendColumns(ids[name], {
      timestamps: Float64Array.from(rows, ([, at]) => msOf(at)),
      values: Float64Array.from(rows, ([, , value]) => value),
    }),
  );
}

async function appendTogether() {
  const at = second;
  const rows = Array.from({ length: 1 + below(8) }, () => newRow(SOURCES[below(3)], at));
  await Promise.all(rows.map((row) => deliver([row], () => appendRows([row]))));
}

const ACTIONS = [
  appendOne,
  appendOne,
  appendTick,
  appendTick,
  appendTick,
  appendColumns,
  appendColumns,
  appendLate,
  appendTogether,
  () => datastream.downsampleStreams({ until: msOf(second) }),
  () => datastream.backprocessStreams(),
];

print({ startSecond });
while (!isStopping) {
  try {
    await ACTIONS[below(ACTIONS.length)]();
  } catch (error) {
    assertPassing(error);
    await sleep(20);
  }
}
await datastream.close();
print({ isDone: true });
