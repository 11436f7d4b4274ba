import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import {
  BLOCK_FORMAT_VERSION,
  decodeBlock,
  readBlockHeader,
} from '../../../src/backends/codec/block-codec.ts';
import type { Column } from '../../../src/model/block.ts';
import { expectSameBlock } from './block-arbitraries.ts';

/** Numbers are texts, because JSON has no -0, NaN or infinities. */
type GoldenColumn = { readonly float64: readonly string[] } | { readonly json: readonly unknown[] };

interface GoldenBlock {
  readonly timestamps: readonly number[];
  readonly columns: Readonly<Record<string, GoldenColumn>>;
  readonly hex: string;
}

function readGolden(version: number): [string, GoldenBlock][] {
  const file = new URL(`../../golden/block/v${version}.json`, import.meta.url);
  return Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, GoldenBlock>);
}

function columnOf(golden: GoldenColumn): Column {
  return 'json' in golden ? golden.json : Float64Array.from(golden.float64, Number);
}

describe.each([
  [1, 12],
  [2, 20],
  [3, 5],
])('golden blocks of version %d', (version, releasedCount) => {
  const golden = readGolden(version);

  test('there are at least the ones of the first release', () => {
    expect(golden.length).toBeGreaterThanOrEqual(releasedCount);
    for (const [, { hex }] of golden) expect(Number.parseInt(hex.slice(4, 6), 16)).toBe(version);
  });

  test.each(golden)('%s decodes to what was encoded', (_, { timestamps, columns, hex }) => {
    const bytes = Buffer.from(hex, 'hex');
    const expected = Object.entries(columns).map(([name, column]) => [name, columnOf(column)]);
    expectSameBlock(decodeBlock(bytes, 'golden'), {
      timestamps: Float64Array.from(timestamps),
      columns: Object.fromEntries(expected),
    });
    expect(readBlockHeader(bytes, 'golden')).toEqual({
      rowCount: timestamps.length,
      firstMs: timestamps[0],
      lastMs: timestamps.at(-1),
      columnNames: Object.keys(columns),
    });
  });
});

test('every version up to the current one has its golden blocks', () => {
  for (let version = 1; version <= BLOCK_FORMAT_VERSION; version++) {
    expect(readGolden(version).length).toBeGreaterThan(0);
  }
});
