import type { Page, PageRequest } from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { GranularityName } from '../../src/model/granularity.ts';
import type { StreamId } from '../../src/model/stream.ts';

/** A memory store that counts the rows that it gives out. */
export class CountingBackend extends MemoryBackend {
  readonly rowCounts: Map<string, number> = new Map();

  protected override async _readPage(request: PageRequest): Promise<Page> {
    const page = await super._readPage(request);
    const key = keyOf(request.streamId, request.granularity.name);
    const rowCount = page.block.timestamps.length;
    this.rowCounts.set(key, (this.rowCounts.get(key) ?? 0) + rowCount);
    return page;
  }

  rowCount(streamId: StreamId, granularity: GranularityName): number {
    return this.rowCounts.get(keyOf(streamId, granularity)) ?? 0;
  }

  get rowCountTotal(): number {
    return [...this.rowCounts.values()].reduce((sum, count) => sum + count, 0);
  }
}

function keyOf(streamId: StreamId, name: GranularityName): string {
  return `${streamId} ${name}`;
}
