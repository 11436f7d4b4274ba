import { describe, expect, test } from '@jest/globals';
import type { AdvanceWrite, Backend } from '../../../src/backends/backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import type { StreamId } from '../../../src/model/stream.ts';
import { createStream, opened, withFolder } from './fixtures.ts';
import { usedFiles } from './journal-fixtures.ts';

const ROW_COUNT = 4000;
const TIMESTAMPS = Float64Array.from({ length: ROW_COUNT }, (_, row) => row * 60_000);

function advance(streamId: StreamId, seed: number): AdvanceWrite {
  const columns = {
    c: new Float64Array(ROW_COUNT).fill(6),
    min: Float64Array.from(TIMESTAMPS, (_, row) => row / 7 + seed),
    s: Float64Array.from(TIMESTAMPS, (_, row) => row / 5 + seed),
    q: Float64Array.from(TIMESTAMPS, (_, row) => row / 9 + seed),
    m: Float64Array.from(TIMESTAMPS, (_, row) => row / 11 + seed),
    max: Float64Array.from(TIMESTAMPS, (_, row) => row / 3 + seed),
  };
  return {
    kind: 'advance',
    streamId,
    granularity: Granularity.Minutes,
    untilMs: ROW_COUNT * 60_000,
    block: { timestamps: TIMESTAMPS, columns },
  };
}

async function expectRows(backend: Backend, streamId: StreamId, seed: number): Promise<void> {
  const range = { startMs: 60_000 * 1000, endMs: 60_000 * 1003 };
  const { block } = await backend.readPage({
    streamId,
    granularity: Granularity.Minutes,
    range,
    rowCountMax: 100,
    columns: ['c', 'max'],
  });
  expect(block).toEqual({
    timestamps: Float64Array.of(60_000_000, 60_060_000, 60_120_000),
    columns: {
      c: Float64Array.of(6, 6, 6),
      max: Float64Array.from([1000, 1001, 1002], (row) => row / 3 + seed),
    },
  });
}

describe('a large commit', () => {
  test('gets a file of the journal to itself, for other processes and later ones to read', () =>
    withFolder(async (path) => {
      const [writer, reader] = [await opened(path), await opened(path)];
      const ids = [await createStream(writer), await createStream(writer)];
      for (const [seed, id] of ids.entries()) {
        await writer.commit({ expect: [], writes: [advance(id, seed)] });
        await expectRows(writer, id, seed);
        await expectRows(reader, id, seed);
      }
      expect((await usedFiles(path)).map(({ frames }) => frames.length)).toEqual([1, 1]);
      await writer.close();
      await reader.close();
      const later = await opened(path);
      for (const [seed, id] of ids.entries()) await expectRows(later, id, seed);
      await later.checkpoint();
      for (const [seed, id] of ids.entries()) await expectRows(later, id, seed);
      await later.close();
    }));
});
