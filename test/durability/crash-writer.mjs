// Appends to the store until it is killed, and prints each acknowledged datapoint as a line of JSON.
// Arguments: URL of the store, seed, index of the round, milliseconds by which the store's clock is ahead.
import { writeSync } from 'node:fs';
import { Datastream, openBackend } from '../../dist/index.js';

const [url, seedText, roundText, aheadText] = process.argv.slice(2);
const SOURCES = ['a', 'b', 'c'];
const BASE_MS = Date.UTC(2000, 0, 1, 12);

const storeNow = () => new Date(Date.now() + Number(aheadText));
const datastream = new Datastream(await openBackend(url, { now: storeNow }), {
  onWarning(warning) {
    if (warning.code !== 'INVALID_VALUE_WARNING')
      print({ warning: String(warning.cause ?? warning) });
  },
});
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

async function appendOne() {
  const name = SOURCES[below(3)];
  const value = nextValue++;
  second += below(3);
  const at = second;
  await datastream.append(ids[name], value, msOf(at));
  print({ acknowledged: [[name, at, value]] });
}

async function appendLate() {
  const name = SOURCES[below(3)];
  const value = nextValue++;
  const at = Math.max(startSecond, second - below(200));
  await datastream.append(ids[name], value, msOf(at), { checkTimestamp: false });
  print({ acknowledged: [[name, at, value]] });
}

async function appendTick() {
  second += 1 + below(3);
  const at = second;
  const values = SOURCES.map(() => nextValue++);
  await datastream.appendTick(
    msOf(at),
    SOURCES.map((name) => ids[name]),
    Float64Array.from(values),
  );
  print({ acknowledged: SOURCES.map((name, i) => [name, at, values[i]]) });
}

async function appendColumns() {
  const name = SOURCES[below(3)];
  const rows = [];
  for (let count = 1 + below(400); count > 0; count--) {
    second += below(2);
    rows.push([name, second, nextValue++]);
  }
  await datastream.appendColumns(ids[name], {
    timestamps: Float64Array.from(rows, ([, at]) => msOf(at)),
    values: Float64Array.from(rows, ([, , value]) => value),
  });
  print({ acknowledged: rows });
}

async function appendTogether() {
  const rows = Array.from({ length: 1 + below(8) }, () => [SOURCES[below(3)], second, nextValue++]);
  await Promise.all(
    rows.map(async ([name, at, value]) => {
      await datastream.append(ids[name], value, msOf(at), { checkTimestamp: false });
      print({ acknowledged: [[name, at, value]] });
    }),
  );
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
for (;;) await ACTIONS[below(ACTIONS.length)]();
