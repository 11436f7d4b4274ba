import { expect, test } from '@jest/globals';
import { BlockStore } from '../../../src/backends/embedded/block-store.ts';
import type { StoreFiles } from '../../../src/backends/embedded/store-files.ts';

test('a commit that deletes no stream does not read which levels there are', () => {
  let readCount = 0;
  const getKeys = (): readonly unknown[] => {
    readCount++;
    return [];
  };
  const files = { blocks: { getKeys } } as unknown as StoreFiles;
  const blocks = new BlockStore(files, { rowCountTarget: 4 });
  blocks.removeStreams([]);
  expect(readCount).toBe(0);
  blocks.removeStreams([1]);
  expect(readCount).toBeGreaterThan(0);
});
