import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Page, PageRequest } from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { pageOf } from '../../src/backends/page.ts';
import { type PageSource, visitBlocks } from '../../src/engine/block-reader.ts';
import { NearPages } from '../../src/engine/near-pages.ts';
import { cutBlock, rawBlock } from '../../src/model/block.ts';
import { Granularity } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';
import type { TimeRange } from '../../src/model/time-range.ts';

const { Seconds, Seconds10 } = Granularity;
const ROW_COUNT = 20_000;
/** Some instants have two rows, and after each thousand there is a gap. */
const ROWS = rawBlock(
  Float64Array.from(
    { length: ROW_COUNT },
    (_, row) => 1000 * (row - (row % 7 === 0 ? 1 : 0) + 200 * Math.floor(row / 1000)),
  ),
  Float64Array.from({ length: ROW_COUNT }, (_, row) => row),
);

class Rows implements PageSource {
  readonly supports = new MemoryBackend().supports;
  readonly requests: PageRequest[] = [];

  async readPage(request: PageRequest): Promise<Page> {
    this.requests.push(request);
    return pageOf(ROWS, request);
  }
}

async function read(source: PageSource, granularity: Granularity, range: TimeRange) {
  const rows: number[] = [];
  await visitBlocks(source, { streamId: 'a' as StreamId, granularity, range }, (block) => {
    rows.push(...(block.columns['v'] as Float64Array));
    return true;
  });
  return rows;
}

describe('pages of ranges near each other', () => {
  test('have the rows that each of the ranges has', async () => {
    const step = fc.record({
      gapSeconds: fc.oneof(fc.nat(20), fc.nat(20), fc.nat(3000), fc.integer({ min: -50, max: 0 })),
      seconds: fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 2000 })),
      granularity: fc.constantFrom(Seconds, Seconds, Seconds, Seconds, Seconds, Seconds10),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
        const pages = new NearPages(new Rows());
        let startMs = 0;
        for (const { gapSeconds, seconds, granularity } of steps) {
          startMs += gapSeconds * 1000;
          const range = { startMs, endMs: startMs + seconds * 1000 };
          const expected = Array.from(cutBlock(ROWS, range).columns['v'] as Float64Array);
          expect(await read(pages, granularity, range)).toEqual(expected);
          startMs = range.endMs;
        }
      }),
      { numRuns: 100 },
    );
  });

  test('are few, of a bounded number of rows, and none of ranges far from each other', async () => {
    const near = new Rows();
    const pages = new NearPages(near);
    for (let i = 0; i < 500; i++) {
      await read(pages, Seconds, { startMs: i * 20_000, endMs: i * 20_000 + 2000 });
    }
    expect(near.requests.length).toBeLessThan(40);
    expect(near.requests.slice(20).every(({ rowCountMax }) => rowCountMax === 512)).toBe(true);
    const far = new Rows();
    const apart = new NearPages(far);
    for (let i = 0; i < 20; i++) {
      await read(apart, Seconds, { startMs: i * 900_000, endMs: i * 900_000 + 2000 });
    }
    expect(far.requests.map(({ range }) => range.endMs - range.startMs)).toEqual(
      new Array(20).fill(2000),
    );
  });
});
