import { expect, test } from '@jest/globals';
import { Datastream } from '../../../src/api/datastream.ts';
import type { EmbeddedBackend } from '../../../src/backends/embedded/embedded-backend.ts';
import { Granularity } from '../../../src/model/granularity.ts';
import { opened, withFolder } from './fixtures.ts';

const START_MS = Date.UTC(2020, 0, 1);

/** Does something before rows are read the next time. */
function beforeNextRead(backend: EmbeddedBackend, action: () => Promise<void>): void {
  const { readRows } = backend;
  backend.readRows = async (request) => {
    backend.readRows = readRows;
    await action();
    return readRows.call(backend, request);
  };
}

test('levels are restored while another process appends: the append goes through, the levels are right', () =>
  withFolder(async (path) => {
    const other = new Datastream(await opened(path));
    const definition = { valueDownsamplers: ['mean'], highestGranularity: Granularity.Seconds };
    const streamId = await other.ensureStream({}, definition);
    for (const second of [0, 15]) await other.append(streamId, second, START_MS + second * 1000);
    const backend = await opened(path);
    const stream = new Datastream(backend, { liveDownsampling: true });
    beforeNextRead(backend, async () => {
      for (const second of [21, 71]) {
        await other.append(streamId, second, START_MS + second * 1000);
      }
    });
    await stream.append(streamId, 2, START_MS + 80_000);
    expect(await stream.verify()).toMatchObject({ differenceCount: 0, staleRangeCount: 0 });
    await Promise.all([stream.close(), other.close()]);
  }));
