// Adds the blocks below that v3.json lacks, and leaves those that it has as they are: bytes of a
// released format are never regenerated. Run after a build, from anywhere:
//   node test/golden/block/write-v3.mjs [FOLDER_OF_THE_BUILD]
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const build = resolve(process.argv[2] ?? fileURLToPath(new URL('../../../dist', import.meta.url)));
const codec = pathToFileURL(resolve(build, 'backends/codec/block-codec.js'));
const { BLOCK_FORMAT_VERSION, encodeBlock } = await import(codec.href);
if (BLOCK_FORMAT_VERSION !== 3) throw new Error('only a build that writes version 3 can add to it');

const column = (rowCount, value) => Float64Array.from({ length: rowCount }, (_, row) => value(row));
const noise = (row) => ((Math.imul(row + 1, 0x9e3779b1) ^ (Math.imul(row + 1, 0x85ebca6b) >>> 13)) >>> 0) / 2 ** 32;
const regular = (rowCount) => column(rowCount, (row) => 1_700_000_000_000 + row * 10_000);

const gauge = (rowCount) => column(rowCount, (row) => Math.round(4000 + 900 * noise(row)) / 100);
const squares = (values) => values.map((value) => value * value);

const blocks = {
  'one row': { timestamps: Float64Array.of(1_700_000_000_123), columns: { v: Float64Array.of(42) } },
  'a gauge alone': { timestamps: regular(60), columns: { v: gauge(60) } },
  'buckets of single datapoints': {
    timestamps: regular(40),
    columns: {
      ...{ c: column(40, () => 1), s: gauge(40), l: gauge(40), u: gauge(40) },
      ...{ q: squares(gauge(40)), mu: gauge(40), m2: column(40, () => 0) },
      ...{ ts: column(40, () => 250), il: column(40, () => NaN) },
    },
  },
  'the same but for one row': {
    timestamps: regular(20),
    columns: { s: gauge(20), l: gauge(20).with(19, -0), u: gauge(20), q: squares(gauge(20)).with(0, 0) },
  },
  'nulls and columns of JSON between those that are the same': {
    timestamps: regular(6),
    columns: {
      f: [1, null, { a: 2 }, 'x', [], 0],
      s: column(6, (row) => (row === 2 ? NaN : row / 4)),
      l: column(6, (row) => (row === 2 ? NaN : row / 4)),
      q: column(6, (row) => (row / 4) ** 2),
    },
  },
};

const text = (value) => (Object.is(value, -0) ? '-0' : String(value));
const golden = new URL('v3.json', import.meta.url);
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
