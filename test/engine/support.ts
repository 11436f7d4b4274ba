import { Datastream } from '../../src/api/datastream.ts';
import type { DatastreamOptions } from '../../src/api/types.ts';
import type { CommitOutcome, GroupedCommit } from '../../src/backends/backend.ts';
import { MemoryBackend } from '../../src/backends/memory/memory-backend.ts';
import type { DatastreamWarning } from '../../src/exceptions/warnings.ts';

const BASE_MS: number = Date.UTC(2024, 0, 1);

export const SECONDS = { valueDownsamplers: ['mean'], highestGranularity: 'seconds' } as const;

/** A memory store on which something may happen just before a commit: as another process would do it. */
class MeddledBackend extends MemoryBackend {
  beforeCommit: ((commit: GroupedCommit) => Promise<void>) | null = null;
  #isMeddling = false;

  protected override async _commitGrouped(commit: GroupedCommit): Promise<CommitOutcome> {
    if (this.beforeCommit !== null && !this.#isMeddling) {
      this.#isMeddling = true;
      await this.beforeCommit(commit);
      this.#isMeddling = false;
    }
    return super._commitGrouped(commit);
  }
}

interface Opened {
  readonly backend: MeddledBackend;
  readonly datastream: Datastream;
  readonly warnings: DatastreamWarning[];
}

export async function open(options: DatastreamOptions = {}): Promise<Opened> {
  const backend = new MeddledBackend();
  await backend.open();
  const warnings: DatastreamWarning[] = [];
  const onWarning = (warning: DatastreamWarning): void => {
    warnings.push(warning);
  };
  return { backend, datastream: new Datastream(backend, { onWarning, ...options }), warnings };
}

export function at(second: number): number {
  return BASE_MS + second * 1000;
}
