// Adds the blocks below that v2.json lacks, and leaves those that it has as they are: bytes of a
// released format are never regenerated. Run after a build, from anywhere:
//   node test/golden/block/write-v2.mjs [FOLDER_OF_THE_BUILD]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const build = resolve(process.argv[2] ?? fileURLToPath(new URL('../../../dist', import.meta.url)));
const codec = pathToFileURL(resolve(build, 'backends/codec/block-codec.js'));
const { BLOCK_FORMAT_VERSION, encodeBlock } = await import(codec.href);
if (BLOCK_FORMAT_VERSION !== 2) throw new Error('only a build that writes version 2 can add to it');

const column = (rowCount, value) => Float64Array.from({ length: rowCount }, (_, row) => value(row));
const noise = (row) => ((Math.imul(row + 1, 0x9e3779b1) ^ (Math.imul(row + 1, 0x85ebca6b) >>> 13)) >>> 0) / 2 ** 32;
const bell = (row) => noise(4 * row) + noise(4 * row + 1) + noise(4 * row + 2) + noise(4 * row + 3) - 2;
const regular = (rowCount) => column(rowCount, (row) => 1_700_000_000_000 + row * 10_000);

const blocks = {
  'one row': { timestamps: Float64Array.of(1_700_000_000_123), columns: { v: Float64Array.of(42) } },
  'two-decimal series with a regular step': {
    timestamps: regular(70),
    columns: { v: column(70, (row) => (2150 + ((row * row * 37) % 191) - 95) / 100) },
  },
  'irregular timestamps before 1970, some equal': {
    timestamps: column(66, (row) => -3_000_000 + row * 1000 - (row % 4) * 250 * (row % 2)),
    columns: { v: column(66, (row) => (row * 29) % 17) },
  },
  'gaps in time and spikes in value': {
    timestamps: column(80, (row) => row * 1000 + (row > 30 ? 86_400_000_000 : 0)),
    columns: { v: column(80, (row) => (row % 23 === 5 ? 900_000_000 + row : row % 3)) },
  },
  'special doubles': {
    timestamps: regular(8),
    columns: {
      v: Float64Array.of(-0, 0, Infinity, -Infinity, 5e-324, 1.7976931348623157e308, NaN, 1 / 3),
    },
  },
  'nulls between decimals': {
    timestamps: regular(20),
    columns: { v: column(20, (row) => (row % 3 === 1 ? NaN : 20 + row / 8)) },
  },
  'bucket states, many constant': {
    timestamps: column(12, (row) => row * 60_000),
    columns: {
      c: column(12, () => 60),
      s: column(12, (row) => 6000.5 + row * 3),
      l: column(12, () => NaN),
      u: column(12, () => -1 / 7),
      größe: column(12, () => 0.001),
      z: column(12, (row) => row * 60_000 + 59_000),
    },
  },
  'counter up to 2^53 - 1 with wide steps': {
    timestamps: regular(65),
    columns: {
      v: column(65, (row) => 2 ** 53 - 1 - (64 - row) * 2 ** 40 - ((row * 7) % 64) * 2 ** 33),
    },
  },
  'scattered integers of more than 32 bits': {
    timestamps: regular(70),
    columns: { v: column(70, (row) => ((row ** 3 * 2654435761) % 2 ** 32) * 2 ** 13 - row) },
  },
  'timestamps from end to end': {
    timestamps: Float64Array.of(-8.64e15, 8.64e15),
    columns: { v: Float64Array.of(1.5, -1.5) },
  },
  'noisy gauge, entropy-coded in one stream': {
    timestamps: regular(200),
    columns: { v: column(200, (row) => Math.round(5000 + 40 * Math.sin(row / 20) + 60 * bell(row)) / 100) },
  },
  'noisy gauge, entropy-coded in two streams': {
    timestamps: regular(700),
    columns: { v: column(700, (row) => Math.round(5000 + 40 * Math.sin(row / 20) + 60 * bell(row)) / 100) },
  },
  'noise with rare integers of 50 bits': {
    timestamps: regular(120),
    columns: { v: column(120, (row) => (row % 41 === 7 ? -(2 ** 50) + row : Math.round(20 * bell(row)))) },
  },
  'line, steps and a unit': {
    timestamps: column(60, (row) => row * 86_400_000),
    columns: {
      line: column(60, (row) => 12.5 + row * 0.25),
      steps: column(60, (row) => (row < 23 ? 7 : row < 51 ? 1200.5 : 7)),
      unit: column(60, (row) => 1000 * Math.round(9 * noise(row))),
      wave: column(60, (row) => Math.round(1e6 * Math.sin(row / 10))),
    },
  },
  'sums of decimals': {
    timestamps: regular(40),
    columns: { s: column(40, (row) => 0.1 + 0.2 + row * 0.7), l: column(40, () => 0.1 + 0.2) },
  },
  'decimals with exceptions': {
    timestamps: regular(60),
    columns: {
      v: column(60, (row) =>
        row === 17 ? 1 / 3 : row === 41 ? -0 : row === 59 ? -Infinity : Math.round(900 * noise(row)) / 100,
      ),
    },
  },
  'few distinct doubles': {
    timestamps: regular(80),
    columns: { v: column(80, (row) => Math.sqrt(2 + Math.floor(3 * noise(row)))) },
  },
  'doubles of double and of single precision': {
    timestamps: regular(20),
    columns: { d: column(20, (row) => Math.sqrt(row + 2)), f: column(20, (row) => Math.fround(1 / (row + 3))) },
  },
  'long runs of nulls': {
    timestamps: regular(300),
    columns: { v: column(300, (row) => (row > 40 && row < 250 ? NaN : row % 7)) },
  },
  'one row of bucket states': {
    timestamps: Float64Array.of(1_700_000_040_000),
    columns: Object.fromEntries(
      Object.entries({
        ...{ c: 6, s: 301.26, l: 49.87, u: 50.61, ts: 150_000, ta: 0, tz: 50_000 },
        ...{ ic: 5, il: 10, iu: 10, iq: 500 },
      }).map(([name, value]) => [name, Float64Array.of(value)]),
    ),
  },
  'some bucket states, timestamps in whole seconds': {
    timestamps: column(40, (row) => 1_700_000_000_000 + (row * 60 + Math.round(5 * noise(row))) * 1000),
    columns: { c: column(40, (row) => 5 + (row % 2)), mu: column(40, (row) => bell(row)) },
  },
  'short JSON': {
    timestamps: regular(4),
    columns: { v: ['grün \u{1f600}', null, { a: [1, 2.5, false] }, '\u0000"'] },
  },
  'long JSON beside numbers': {
    timestamps: regular(40),
    columns: {
      f: Array.from({ length: 40 }, (_, row) => ({ up: row, down: 40 - row })),
      c: column(40, (row) => row * 11),
    },
  },
};

const text = (value) => (Object.is(value, -0) ? '-0' : String(value));
const golden = new URL('v2.json', import.meta.url);
const written = existsSync(golden) ? JSON.parse(readFileSync(golden, 'utf8')) : {};
for (const [name, block] of Object.entries(blocks)) {
  if (Object.hasOwn(written, name)) continue;
  const columns = Object.entries(block.columns).map(([columnName, values]) => [
    columnName,
    values instanceof Float64Array ? { float64: Array.from(values, text) } : { json: values },
  ]);
  written[name] = {
    timestamps: Array.from(block.timestamps),
    columns: Object.fromEntries(columns),
    hex: Buffer.from(encodeBlock(block)).toString('hex'),
  };
}
const lines = Object.entries(written).map(
  ([name, entry]) => `  ${JSON.stringify(name)}: ${JSON.stringify(entry)}`,
);
writeFileSync(golden, `{\n${lines.join(',\n')}\n}\n`);
