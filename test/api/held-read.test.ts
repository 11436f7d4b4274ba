import { expect, test } from '@jest/globals';
import { Datastream } from '../../src/api/datastream.ts';
import type { Page, PageRequest } from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import { Granularity } from '../../src/model/granularity.ts';

/** A memory store in which something happens right before a page is next read backward. */
class InterruptedBackend extends MemoryBackend {
  interrupt: (() => Promise<void>) | null = null;

  protected override async _readPage(request: PageRequest): Promise<Page> {
    const { interrupt } = this;
    if (interrupt !== null && request.isReverse === true) {
      this.interrupt = null;
      await interrupt();
    }
    return super._readPage(request);
  }
}

test('columns of held values are of one version, whatever is committed while they are read', async () => {
  const backend = new InterruptedBackend();
  await backend.open();
  const datastream = new Datastream(backend, { now: () => new Date(100_000) });
  const id = await datastream.ensureStream(
    { metric: 'level' },
    {
      valueDownsamplers: ['time_weighted_mean', 'last'],
      highestGranularity: Granularity.Seconds,
    },
  );
  const correct = async (value: number): Promise<void> => {
    for (const second of [5, 25, 45]) {
      await datastream.append(id, value, second * 1000, { checkTimestamp: false });
    }
    await datastream.downsampleStreams();
  };
  await correct(1);
  const data = datastream.getData(id, Granularity.Seconds10, { start: 20_000 });
  backend.interrupt = () => correct(3);
  const columns = await data.columns();
  expect(backend.interrupt).toBeNull();
  expect(columns).toEqual(await data.columns());
  expect([...(columns.v!['w'] as Float64Array)]).toEqual([3, 3]);
});
