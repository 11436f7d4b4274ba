import { expect, test } from '@jest/globals';
import type { Backend } from '../../../src/backends/backend.ts';
import { openBackend } from '../../../src/backends/open-backend.ts';
import { commit, createStream } from '../../../src/conformance/contract/rows-of.ts';
import { BASE_MS } from '../../../src/conformance/fixture.ts';
import { rawBlock } from '../../../src/model/block.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import { type BackendName, describeWith } from '../../servers/available.ts';

const ROW_COUNT = 50_000;
/** Values that no code makes small. */
const SIZE_MIN_BYTES = ROW_COUNT * 4;
const KNOWING: readonly BackendName[] = ['postgresql', 'mongodb'];

async function fill(backend: Backend): Promise<void> {
  const streamId = await createStream(backend, {});
  const timestamps = Float64Array.from({ length: ROW_COUNT }, (_, row) => BASE_MS + row * 1000);
  // The golden ratio's multiples: their digits repeat nowhere.
  const values = timestamps.map((_, row) => (row * 0.618_033_988_749_894_9) % 1);
  const block = rawBlock(timestamps, values);
  await commit(backend, {
    expect: [],
    writes: [{ kind: 'append', streamId, granularity: Granularity.Seconds, block }],
  });
  await backend.checkpoint();
}

for (const name of KNOWING) {
  describeWith(name, ({ createStore }) => {
    test('a store is larger by what is written to it, and not by what others write', async () => {
      const [store, other] = await Promise.all([createStore(), createStore()]);
      const [backend, neighbour] = await Promise.all([
        openBackend(store.url),
        openBackend(other.url),
      ]);
      try {
        const emptyBytes = await backend.storeSize();
        expect(emptyBytes).toBeGreaterThan(0);
        await fill(neighbour);
        expect(await backend.storeSize()).toBeLessThan(emptyBytes! + SIZE_MIN_BYTES / 2);
        await fill(backend);
        expect(await backend.storeSize()).toBeGreaterThan(emptyBytes! + SIZE_MIN_BYTES);
      } finally {
        await Promise.all([backend.close(), neighbour.close()]);
        await Promise.all([store.drop(), other.drop()]);
      }
    });
  });
}
