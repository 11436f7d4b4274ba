import { describe, expect, test } from '@jest/globals';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { append, createStream, opened, withFolder } from './fixtures.ts';

/** Blocks of each stream: none, few, and more than a walk passes before it looks for the last one. */
const BLOCK_COUNTS = [0, 1, 2, 0, 17, 40, 16, 3, 0, 100, 1];
const ROWS_PER_BLOCK = 4;

describe('the first and last datapoints of many streams, read at once', () => {
  test('are those of each, whatever stands beside and between them', async () => {
    await withFolder(async (path) => {
      const tuning = { blockRowCountTarget: ROWS_PER_BLOCK, recordCountMax: 3 };
      let backend = await opened(path, tuning);
      const ids: StreamId[] = [];
      const wanted: (readonly [number, number] | null)[] = [];
      for (const [index, blockCount] of BLOCK_COUNTS.entries()) {
        const streamId = await createStream(backend, { index });
        ids.push(streamId);
        const rowCount = blockCount * ROWS_PER_BLOCK;
        const firstMs = (index - 5) * 1_000_000;
        const rows = Array.from({ length: rowCount }, (_, i) => [firstMs + i * 1000, i] as const);
        if (rowCount > 0) await append(backend, streamId, rows);
        wanted.push(rowCount === 0 ? null : [firstMs, firstMs + (rowCount - 1) * 1000]);
        // Blocks of another level stand behind those of the raw rows.
        const block = { timestamps: Float64Array.of(0), columns: { c: Float64Array.of(1) } };
        const granularity = Granularity.Minutes;
        const write = { kind: 'append', streamId, granularity, block } as const;
        await backend.commit({ expect: [], writes: [write] });
      }
      await backend.checkpoint();
      await backend.close();

      backend = await opened(path, tuning);
      const orders = [ids, ids.toReversed(), [...ids, ids[4]!, ids[4]!, ids[9]!]];
      for (const order of orders) {
        const found = await backend.readStreams(order);
        expect(found.map(bounds)).toEqual(order.map((id) => wanted[ids.indexOf(id)]));
        await backend.close();
        backend = await opened(path, tuning);
      }
      const found = await backend.queryStreams({ tags: {}, limit: 100 });
      expect(found.map(bounds)).toEqual(wanted);
      await backend.close();
    });
  });
});

function bounds(
  snapshot: { readonly earliestMs: number | null; readonly latestMs: number | null } | null,
): readonly [number, number] | null {
  const { earliestMs, latestMs } = snapshot!;
  return earliestMs === null || latestMs === null ? null : [earliestMs, latestMs];
}
